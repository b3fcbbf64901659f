"""How a call to AWS fails, in words that need no boto3."""

from __future__ import annotations


class NoCredentials(Exception):
    """There are no AWS credentials, or the extra that uses them is not installed; the message says which."""


class CallFailed(Exception):
    """AWS refused a call, or did not respond; `denied`: whether a right is missing."""

    def __init__(self, message: str, *, denied: bool = False) -> None:
        self.denied = denied
        super().__init__(message)
