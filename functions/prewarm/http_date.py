"""Times in HTTP headers: Date, Expires (RFC 9110, section 5.6.7). Pure."""

from email.utils import parsedate_to_datetime


def epoch_seconds(text: str) -> float | None:
    """Return a header's time in epoch seconds, or None where it is not a date."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
