"""The domain of CloudFront Prewarm: the code that all functions share, pure where possible."""

__version__ = "0.1.0"
