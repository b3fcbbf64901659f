"""The request: its fields, headers, POP selection and URL sources, all validated."""
