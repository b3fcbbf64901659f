"""Storage: a run's documents in S3 and its ledger in DynamoDB."""
