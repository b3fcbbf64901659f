"""POST /uploads: a form with which a caller stores one list of URLs in the service's bucket."""

import re
import secrets
from typing import Any

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_sources import LIST_BYTES, UPLOADS
from prewarm.request.validation import parse_json
from prewarm.storage.run_store import Storage

# Long enough for 256 MB at 300 kB/s. The form also ends with the function's own credentials.
FORM_SECONDS = 900
DEFAULT_NAME = "urls.txt"
# A name decides on the list's format by its ending; it has no characters that are special in keys or headers.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
FIELDS = frozenset({"name", "sha256"})


def upload(body: bytes, store: Storage) -> dict[str, Any]:
    """Return {"url", "fields", "address", "maxBytes", "expiresInSeconds"} for a form upload of one object.

    The body may be empty, or an object with `name` (the file's, for its format) and `sha256` of the content. With
    `sha256` the same content always has the same address, so that a repeated start is the same request, and a list
    whose content is another one is refused when it is read; without, the address is a new one that cannot be guessed.

    Raises:
        InvalidRequest: the body is invalid.

    """
    document = parse_json(body) if body.strip() else {}
    if not isinstance(document, dict):
        raise InvalidRequest([Problem("", "the body must be empty or a JSON object with name and sha256")])
    problems = [Problem(truncate(name), "unknown field; use name and sha256") for name in document.keys() - FIELDS]
    name, digest = document.get("name", DEFAULT_NAME), document.get("sha256")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.append(Problem("name", "must have 1 to 100 letters, digits, dots, hyphens and underscores"))
    if digest is not None and not (isinstance(digest, str) and SHA256.fullmatch(digest)):
        problems.append(Problem("sha256", "must have 64 hexadecimal digits in lower case"))
    if problems:
        raise InvalidRequest(sorted(problems, key=lambda problem: problem.field))
    key = f"{UPLOADS}{digest or secrets.token_hex(16)}/{name}"
    form = store.upload_form(key, LIST_BYTES, FORM_SECONDS)
    own = {"address": store.location(key), "maxBytes": LIST_BYTES, "expiresInSeconds": FORM_SECONDS}
    return {"url": form["url"], "fields": form["fields"]} | own
