"""The REST API: start a run, ask for its status."""
