"""Fetch many URLs through chosen edge addresses at once, with libcurl."""
