"""Fuzz targets for bad input, and their corpus."""
