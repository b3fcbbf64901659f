"""The dashboard: one page and its static files."""
