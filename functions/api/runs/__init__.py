"""Operations on runs: start, look up, list, cancel, retry, status, report."""
