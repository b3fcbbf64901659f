"""Secrets of URLs in what people and CI logs read; JSON output has the URLs as the API returns them."""

from __future__ import annotations

import re

from prewarm.urls import redacted

# A URL in a text, without the marks that end it: a secret would hide a comma or a bracket behind it too.
URL = re.compile(r"https?://\S+?(?=[.,:;)\]'\"]*(?:\s|$))", re.IGNORECASE)


def redact_urls(text: str) -> str:
    """Return a text with each URL in it redacted separately; the text between the URLs is unchanged."""
    return URL.sub(lambda match: redacted(match[0]), text) if "://" in text else text
