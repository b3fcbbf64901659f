"""The REST API: start, watch, list, cancel and retry runs."""

from prewarm.garbage import collect_rarely

# Called before the modules load: looking for reference cycles would take up to a seventh of a cold start's imports.
collect_rarely()
