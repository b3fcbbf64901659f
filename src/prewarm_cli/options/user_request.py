"""A request that knows where its values come from, so that a problem names the option or the file and its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from prewarm_cli.options.json_lines import line_of

if TYPE_CHECKING:
    from pathlib import Path

INDEX = re.compile(r"(?P<name>[a-z_0-9]+)(?:\[(?P<index>[0-9]+)\])?(?P<rest>.*)", re.DOTALL)
# Options whose names are not those of the fields; `region` and its type depend on the option that was used.
OPTIONS = {
    "accept_encodings": "--accept-encoding",
    "headers": "--header",
    "url_list": "URL",
}
# Fields of a request; a test compares them with the model.
FIELDS = frozenset(
    [
        "url_list",
        "url_list_s3",
        "targets_s3",
        "nearest",
        "sitemap",
        "manifest",
        "region_type",
        "target_type",
        "region",
        "cf_domain",
        "accept_encodings",
        "headers",
        "user_agent",
        "invalidate",
        "verify",
        "timeout_minutes",
        "max_concurrency",
        "max_rps",
        "staged",
        "tier",
        "fail_on",
        "strict_sources",
        "min_warm_percent",
        "max_bytes",
        "allow_unknown_pops",
        "dry_run",
        "label",
    ]
)
# Parameters of the other routes, as the commands name them.
PARAMETERS = {
    "requestID": "ID",
    "limit": "--limit",
    "status": "--status",
    "label": "--label",
    "host": "--host",
    "since": "--since",
    "url": "--url",
    "days": "--since",
    "format": "--format",
    "Idempotency-Key": "--idempotency-key",
}


# Parts of the API's messages that a user of the command knows by other names.
MESSAGE_TERMS = {
    "requestID: run ": "ID: run ",
    "GET /runs lists the runs": "`prewarm list` prints the runs",
    "set allow_unknown_pops to true": "pass --allow-unknown-pops",
}


# A URL, which stays as it is, or a field whose name only a field has; a quoted name is part of a value.
_LONG_FIELD = re.compile(
    rf"[a-z0-9]+://\S+|(?<![\w\"'-])({'|'.join(sorted(name for name in FIELDS if '_' in name))})(?![\w\"'=\[-])"
)
# Fields whose names are words of English too, as the service's texts mention them.
SHORT_FIELDS = {
    r"\bset nearest(?:: true)?(?![\w-])": "pass --nearest",
    r"\((?:send )?headers\)": "(--header)",
    r"\bor to headers\b": "or to --header",
    r"(?<![\w-])tier (edge|regional)\b": r"--tier \1",
    r"\bverify: (all|sample|none)\b": r"--verify \1",
}


def in_users_terms(message: str) -> str:
    """Return a message of the API with the command's names for what it mentions."""
    for term, known in MESSAGE_TERMS.items():
        message = message.replace(term, known)
    return with_options(message)


def with_options(text: str) -> str:
    """Return a text of the service with the command's options for the request's fields that it names.

    Names of several words are fields wherever they stand, but not in a URL; others only where the text can mean
    nothing else (SHORT_FIELDS).
    """
    text = _LONG_FIELD.sub(lambda match: option_of(match[1]) if match[1] else match[0], text)
    for pattern, option in SHORT_FIELDS.items():
        text = re.sub(pattern, option, text)
    return text


class UserRequest(dict[str, Any]):
    """The API's request, and by field the place where the user wrote it.

    `urls`: a place for each entry of url_list, such as `urls.txt line 3`; `options`: by field the option that set it;
    `file`: the --request file and its text; `targets`: the CSV of targets to upload, empty for none; `read`: the
    files that were read, by option.
    """

    urls: list[str]
    options: dict[str, str]
    file: tuple[str, str] | None
    targets: bytes
    read: list[tuple[str, Path]]

    def __init__(self, *fields: Any) -> None:  # noqa: ANN401 - dict's own signature
        super().__init__(*fields)
        self.urls, self.options, self.file, self.targets = [], {}, None, b""
        self.read = []

    def place_of(self, field: str) -> str:
        """Return where a field, such as `region[0]`, was written: an option, or a file and its line."""
        parts = INDEX.fullmatch(field)
        if parts is None:
            return option_of(field)
        name, index = parts["name"], parts["index"]
        if name == "url_list" and index and int(index) < len(self.urls):
            return self.urls[int(index)]
        name = "region" if name in {"region_type", "target_type"} and name in self.options else name
        if name in self.options:
            return f"{self.options[name]}{_readable(parts['rest'])}"
        if self.file is not None:
            path, text = self.file
            line = line_of(text, field)
            return f"{path} line {line}: {field}" if line else f"{path}: {field}"
        return option_of(field)


def option_of(field: str) -> str:
    """Return the option for a request's field, or the name of a parameter as the command line has it."""
    parts = INDEX.fullmatch(field)
    if field in PARAMETERS or parts is None:
        return PARAMETERS.get(field, field)
    return OPTIONS.get(parts["name"], "--" + parts["name"].replace("_", "-")) + _readable(parts["rest"])


def _readable(rest: str) -> str:
    """Return the rest of a field, such as `.include[0]` or a header's name, as text after the option."""
    words = [word for word in re.split(r"[.\[\]]+", rest.removeprefix(".url")) if word and not word.isdigit()]
    return " " + " ".join(words) if words else ""


def rejection_in_users_terms(cause: str, request: UserRequest) -> str:
    """Return why a run was rejected, with the places where the user wrote the values in place of the fields.

    The service joins several problems by ` | `, each of them with its field in front of a colon.
    """
    parts = []
    for problem in cause.split(" | "):
        field, colon, message = problem.partition(": ")
        name = field.partition("[")[0].partition(".")[0]
        message = with_options(message)
        parts.append(f"{request.place_of(field)}: {message}" if colon and name in FIELDS else problem)
    return " | ".join(parts)


def problem_texts(details: list[dict[str, Any]], request: UserRequest | None) -> list[str]:
    """Return the API's problems in the user's terms: place, message, and what the user may have meant."""
    texts = []
    for entry in details:
        field = str(entry.get("field") or "")
        place = (request.place_of(field) if request is not None else option_of(field)) if field else ""
        near = " or ".join(map(str, entry.get("near") or []))
        message = in_users_terms(str(entry.get("message", "")))
        text = f"{place}: {message}" if place else message
        texts.append(text + (f"; did you mean {near}?" if near else ""))
    return texts
