"""Where a run's URLs come from beside url_list: lists in S3, sitemaps, manifests."""
