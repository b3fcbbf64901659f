"""`prewarm traffic`: read access logs with DuckDB, or with Athena, and write the pairs of URL and POP in demand."""
