"""Logs: one JSON line each, with the run (and batch) in every line."""

from aws_lambda_powertools import Logger

logger = Logger()
