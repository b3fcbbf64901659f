"""Validate a request: all problems are counted, the first of them listed, each with its field."""

import json
import re
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from prewarm.catalogue import Catalogue, catalogue
from prewarm.errors import PROBLEMS_SHOWN, UNLISTED, InvalidRequest, Problem, truncate
from prewarm.json_text import RepeatedName, read_json
from prewarm.request.bounds import MAX_BODY_URLS, size_problems, text_problems
from prewarm.request.field_problems import field_problems, source_problems, unknown_field_problems
from prewarm.request.headers import header_problems
from prewarm.request.invalidation_patterns import pattern_problems
from prewarm.request.model import DUPLICATES, CheckedRequest, PrewarmRequest
from prewarm.request.pop_selection import expand, places
from prewarm.request.url_parser import LONGEST_URL, near_urls, parse_url
from prewarm.request.url_sources import URLS_AT_MOST
from prewarm.unpacking import GZIP_MAGIC
from prewarm.urls import Url, deduplicate, redacted

# All names that the model accepts; a field's old name is its alias.
FIELD_NAMES = frozenset({*PrewarmRequest.model_fields, "target_type"})
# Without this start every URL is refused, so a refused one need not be parsed to be counted.
HTTP_URL = re.compile(r"\s*https?:[/\\]{2}", re.IGNORECASE)
# How much of a refused URL is read to redact and show it.
LONGEST_SHOWN = 2 * LONGEST_URL


def parse_json(body: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Parse a JSON body.

    Raises:
        InvalidRequest: the body is not JSON, or an object in it has a name twice; the message contains the position,
            or the name.

    """
    _check_packing(body)
    try:
        return read_json(body)
    except json.JSONDecodeError as error:
        raise InvalidRequest([Problem("", f"the body is not JSON: {error}")]) from error
    except RepeatedName as error:
        raise InvalidRequest([Problem(error.name, error.REASON)]) from error
    except ValueError as error:
        raise InvalidRequest([Problem("", f"the body {error}")]) from error


def _check_packing(body: str | bytes) -> None:
    """Refuse a body that is not JSON for a reason that the parser's message does not say.

    Raises:
        InvalidRequest: the body is empty, compressed, or a form.

    """
    expected = "send a plain JSON object"
    if not body or body.isspace():
        raise InvalidRequest([Problem("", f"the body is empty; {expected}")])
    begin = body[:2].encode("utf-8", "replace") if isinstance(body, str) else body[:2]
    if begin == GZIP_MAGIC:
        raise InvalidRequest([Problem("", f"the body is gzip; {expected}")])
    if begin == b"--":
        raise InvalidRequest([Problem("", f"the body is a multipart form; {expected}")])


def stored_request(document: dict[str, Any], pop_catalogue: Catalogue | None = None) -> CheckedRequest:
    """Validate a request that `CheckedRequest.as_json` stored; `pop_catalogue` as in `check_request`.

    Raises:
        InvalidRequest: the request is not valid any more.

    """
    duplicates = int(document.get(DUPLICATES, 0))
    request = check_request(
        {name: value for name, value in document.items() if name != DUPLICATES},
        pop_catalogue=pop_catalogue,
        most_urls=URLS_AT_MOST,
    )
    return replace(request, duplicates=request.duplicates + duplicates)


def check_request(
    document: object,
    *,
    direct: bool = False,
    pop_catalogue: Catalogue | None = None,
    most_urls: int = MAX_BODY_URLS,
) -> CheckedRequest:
    """Validate a request and expand its POP selection.

    Args:
        document: the parsed JSON.
        direct: whether it is the input of an execution, which the console displays; then secrets are rejected.
        pop_catalogue: the POPs to select from; by default the shipped catalogue.
        most_urls: the most entries of url_list; a stored request may have more than a body.

    Raises:
        InvalidRequest: lists the first problems, each with its field, and counts all.

    """
    try:
        return _check(document, direct, pop_catalogue or catalogue(), most_urls)
    except (ArithmeticError, LookupError, RecursionError) as error:
        # A value that JSON allows and no rule foresaw: the caller's to change, not a failure of the service.
        message = f"a value cannot be processed ({type(error).__name__}); check numbers, names and nesting"
        raise InvalidRequest([Problem("", message)]) from error


def _check(document: object, direct: bool, pop_catalogue: Catalogue, most_urls: int) -> CheckedRequest:  # noqa: FBT001 - internal
    if not isinstance(document, dict):
        raise InvalidRequest([Problem("", "the request must be a JSON object with url_list, region_type and region")])
    if problems := text_problems(document):
        raise InvalidRequest(problems)
    unknown = unknown_field_problems(document, PrewarmRequest)
    names = FIELD_NAMES - {"target_type"} if "region_type" in document else FIELD_NAMES
    known = {name: value for name, value in document.items() if name in names}
    too_large = size_problems(known, most_urls=most_urls)
    # Checked outside of the model, whose own whole-model checks do not run when a field is missing.
    first = source_problems(known) + unknown + [problem for each in too_large.values() for problem in each]
    measured = {name: value for name, value in known.items() if name not in too_large}
    try:
        fields = PrewarmRequest.model_validate(measured)
    except ValidationError as error:
        others = _problems_of_valid_fields(measured, error, pop_catalogue)
        raise InvalidRequest(first + field_problems(error, PrewarmRequest, skip=too_large.keys()) + others) from error
    if first:
        raise InvalidRequest(first + _problems_of_valid_fields(measured, None, pop_catalogue))
    urls, problems = _checked_urls(fields.url_list or [])
    pops: list[str] = []
    selected: list[str] = []
    if fields.region_type is not None:
        pops, unknown = expand(
            fields.region_type, fields.region, pop_catalogue, allow_unknown_pops=fields.allow_unknown_pops
        )
        problems += unknown
    problems += header_problems(fields.headers, fields.accept_encodings or (), fields.user_agent, direct=direct)
    problems += pattern_problems(fields.invalidate)
    if problems:
        raise InvalidRequest(problems)
    if fields.region_type is not None:
        selected = places(fields.region_type, fields.region, pop_catalogue)
    return CheckedRequest(fields, urls, pops, selected, len(fields.url_list or []) - len(urls))


def _problems_of_valid_fields(
    document: dict[str, Any], error: ValidationError | None, pop_catalogue: Catalogue
) -> list[Problem]:
    """Return the problems of URLs and POP names in well-formed fields."""
    errors = error.errors(include_url=False, include_input=False, include_context=False) if error else []
    invalid = {entry["loc"][0] for entry in errors if entry["loc"]}
    problems: list[Problem] = []
    urls = document.get("url_list")
    if isinstance(urls, list) and "url_list" not in invalid:
        problems += _checked_urls(urls)[1]
    problems += pattern_problems(document.get("invalidate"))
    kind, names = document.get("region_type", document.get("target_type")), document.get("region")
    if kind is not None and names is not None and not invalid & {"region", "region_type", "target_type"}:
        allow_unknown_pops = document.get("allow_unknown_pops") is True
        listed = [names] if isinstance(names, str) else names
        problems += expand(kind, listed, pop_catalogue, allow_unknown_pops=allow_unknown_pops)[1]
    return problems


def _checked_urls(texts: list[str]) -> tuple[list[Url], list[Problem]]:
    """Return the URLs without duplicates, and a problem for each text that is refused; each text is parsed once."""
    urls: list[Url] = []
    problems: list[Problem] = []
    refused: set[str] = set()
    seen: set[str] = set()
    for index, text in enumerate(texts):
        listed = len(problems) < PROBLEMS_SHOWN
        if text in seen:
            continue
        if not listed and (text in refused or not HTTP_URL.match(text)):
            problems.append(UNLISTED)
            continue
        try:
            urls.append(parse_url(text))
            seen.add(text)
        except ValueError as error:
            refused.add(text)
            # Redacted, because the console displays why a direct start was rejected.
            shown = truncate(redacted(text[:LONGEST_SHOWN])) if listed else ""
            near = near_urls(text) if listed else ()
            problems.append(Problem(f"url_list[{index}]", f"{shown!r} {error}", near) if listed else UNLISTED)
    return deduplicate(urls), problems
