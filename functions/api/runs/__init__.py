"""What the API does with runs: start, look up, list, cancel, retry, report."""
