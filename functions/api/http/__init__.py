"""HTTP for the API: parameters, responses, error handlers and pagination."""
