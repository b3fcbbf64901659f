"""The request: validation of its fields, headers, POP selection and URL sources."""
