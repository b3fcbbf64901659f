"""Error messages for a request's fields: translate pydantic's errors to field, constraint, value and fix. Pure."""

import difflib
import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from prewarm.counted import count_of
from prewarm.errors import PROBLEMS_SHOWN, UNLISTED, Problem, truncate
from prewarm.planning.plan import REGIONAL
from prewarm.request.url_parser import near_urls
from prewarm.urls import redacted

# The valid values of fields whose type alone does not explain them.
_EXPECTED = {
    "url_list": 'a list of one or more URLs, such as ["https://www.example.com/index.html"]',
    "region_type": "pop, country or region",
    "target_type": "pop, country or region",
    "region": 'a list of names such as ["apac", "eu"], one name, or "all"',
    "cf_domain": "a distribution's domain such as d111abcdef8.cloudfront.net",
    "url_list_s3": "an S3 address such as s3://bucket/lists/urls.txt, or a list of them",
    "targets_s3": "an S3 address such as s3://bucket/lists/targets.csv",
    "sitemap": "a URL such as https://www.example.com/sitemap.xml, an object with url, or a list of these",
    "manifest": "a URL such as https://www.example.com/film.m3u8, an object with url, or a list of these",
    "accept_encodings": 'a list of Accept-Encoding values such as ["br, gzip"]',
}
NO_SOURCE = Problem(
    "url_list", f"is missing; use {_EXPECTED['url_list']}, or url_list_s3, sitemap, manifest or targets_s3"
)
OTHER_SOURCES = ("url_list_s3", "sitemap", "manifest")
# What omitting a field without a fixed default means, or what else it accepts.
_OMITTED = {
    "max_rps": "omit it for no limit",
    "max_bytes": "omit it for no limit",
    "min_warm_percent": "omit it for the default, 100 for POPs and 95 for countries and regions",
    "user_agent": "omit it for the default",
    "cf_domain": "omit it to find the distribution by each URL's host",
    "invalidate": 'or use a list of path patterns such as ["/assets/*"]',
}
# Constraints by pydantic's error type; the placeholders are keys of the error's context.
_CONSTRAINTS = {
    "bool_type": "must be true or false",
    "date_type": "must be a date such as 2026-05-01",
    "dict_type": "must be an object",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le:.12g}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "model_type": "must be an address or an object",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be a string",
    "too_long": "must have at most {max_length} entries",
}
_EMPTY = frozenset({"too_short", "string_too_short"})


def source_problems(document: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of what a request warms and where: a source of URLs and a selection of POPs, or targets."""
    given = {name for name, value in document.items() if value is not None}
    kind = next((name for name in ("region_type", "target_type") if name in document), "")
    missing = [] if kind in given else [_missing("region_type") if not kind else _null(kind)]
    missing += [] if "region" in document else [_missing("region")]
    if "targets_s3" not in given:
        no_source = [] if given & {"url_list", *OTHER_SOURCES} else [NO_SOURCE]
        no_effect = [Problem("nearest", "has no effect without targets_s3; remove it")]
        return no_source + missing + (no_effect if document.get("nearest") is True else [])
    together = [
        Problem(name, "cannot be combined with targets_s3; start a run for each")
        for name in OTHER_SOURCES
        if name in given
    ]
    if document.get("tier") == REGIONAL:
        fix = "name POPs, and tier regional warms areas; use tier edge, or url_list with a region"
        together.append(Problem("tier", f"cannot be combined with targets_s3, whose pairs {fix}"))
    # One of the two alone selects nothing; without both the pairs are not limited.
    return together + (missing if given & {"region", "region_type", "target_type"} else [])


def _null(field: str) -> Problem:
    return Problem(field, f"must be {_EXPECTED[field]}, got null")


def _missing(field: str) -> Problem:
    return Problem(field, f"is missing; use {_EXPECTED[field]}")


def field_problems(error: ValidationError, model: type[BaseModel], skip: Collection[str] = ()) -> list[Problem]:
    """Return a problem for each of pydantic's errors, except those of the fields in `skip`."""
    entries = [entry for entry in error.errors(include_url=False) if not entry["loc"] or entry["loc"][0] not in skip]
    shown = [_problem(entry, model) for entry in entries[:PROBLEMS_SHOWN]]
    return shown + [UNLISTED] * (len(entries) - len(shown))


def unknown_field_problems(document: Mapping[str, Any], model: type[BaseModel]) -> list[Problem]:
    """Return a problem for each field of the request that the model does not have, or has twice."""
    names = [*model.model_fields, "target_type"]
    known = set(names) - ({"target_type"} if "region_type" in document else set())
    unknown = [name for name in document if name not in known]
    shown = [_unknown_field(truncate(name), names) for name in unknown[:PROBLEMS_SHOWN]]
    return shown + [UNLISTED] * (len(unknown) - len(shown))


def _problem(entry: Any, model: type[BaseModel]) -> Problem:  # noqa: ANN401 - pydantic-core's ErrorDetails
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in entry["loc"])
    field, kind = truncate(path.removeprefix(".")), entry["type"]
    expected = _EXPECTED.get(field)
    if kind == "extra_forbidden":
        return _unknown_field(field, [*model.model_fields, "target_type"])
    if kind == "missing":
        return Problem(field, f"is missing; use {expected}" if expected else "is missing; add it")
    if kind in _EMPTY:
        return Problem(field, f"is empty; use {expected}" if expected else f"is empty{_if_omitted(field, model)}")
    if kind == "value_error":
        reason, value = str(entry["ctx"]["error"]), _value(entry)
        needed = f"{reason}, got {value}{_if_omitted(field, model)}"
        near = near_urls(entry["input"]) if field.endswith(".url") and isinstance(entry["input"], str) else ()
        return Problem(field, needed if reason.startswith("must ") else f"{value} {reason}", near)
    constraint = (
        f"must be {expected}"
        if expected and kind != "too_long"
        else _CONSTRAINTS.get(kind, "").format(**entry.get("ctx", {}))
    )
    if not constraint:
        return Problem(field, entry["msg"][:1].lower() + entry["msg"][1:])
    value = f", got {_value(entry)}" if field.partition(".")[0] != "headers" else ""
    return Problem(field, f"{constraint}{value}{_if_omitted(field, model)}")


def _unknown_field(field: str, names: list[str]) -> Problem:
    if field in names:
        return Problem(field, "is the old name of region_type; remove one of the two")
    return Problem(
        field, "unknown field", () if "." in field else tuple(difflib.get_close_matches(field, names, n=2))
    )


def _value(entry: Any) -> str:  # noqa: ANN401 - pydantic-core's ErrorDetails
    """Return a rejected value for display, without secrets and shortened."""
    value = entry["input"]
    if isinstance(value, str):
        return repr(truncate(redacted(value)))
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list with {count_of(len(value), 'entry', 'entries')}"
    return f"{value:.12g}" if isinstance(value, float) else truncate(json.dumps(value, default=str))


def _if_omitted(field: str, model: type[BaseModel]) -> str:
    """Return what omitting a field means, as the end of a message.

    The text is empty for required and nested fields.
    """
    if field in _OMITTED:
        return f"; {_OMITTED[field]}"
    info = model.model_fields.get(field)
    if info is None or info.is_required() or info.default is None:
        return ""
    default = info.get_default()
    # The empty default of `region` is one of requests with targets only.
    return f"; omit it for the default, {json.dumps(default)}" if default not in ({}, []) else ""
