"""Sources of a run's URLs other than url_list: lists in S3, sitemaps, manifests."""
