"""A simulated CloudFront on loopback addresses: POPs, regional edge caches, an origin, DNS, faults on demand."""
