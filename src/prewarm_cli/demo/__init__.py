"""The demo: the whole service in front of a simulated CloudFront."""
