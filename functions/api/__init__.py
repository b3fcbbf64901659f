"""The REST API: start, watch, list, cancel and retry runs."""
