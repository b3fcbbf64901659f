"""The domain of CloudFront Prewarm: what the functions share, pure where it can be."""

__version__ = "0.1.0"
