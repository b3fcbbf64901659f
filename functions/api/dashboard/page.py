"""GET /: the dashboard, a single page with its style, script and map inline, under a strict policy."""

import base64
import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types

from prewarm import __version__
from prewarm.catalogue import data_text
from prewarm.request.bounds import MAX_BODY_BYTES, MAX_BODY_URLS
from prewarm.request.model import PrewarmRequest
from prewarm.request.url_sources import LIST_BYTES
from prewarm.results.failure_texts import UNFINISHED
from prewarm.results.outcome import IN_WORDS
from prewarm.results.proof_texts import ELSEWHERE, IN_POP
from prewarm.results.run_texts import FAILING, FAILING_MEANS, not_warm_heading
from prewarm.results.skipped_pops import SKIP_TEXTS
from prewarm.settings import Settings
from prewarm.storage.run_store import storage

FILES = Path(__file__).with_name("static")
# In the order in which they run; the last one opens the page.
SCRIPTS = (
    "dom.js",
    "api.js",
    "text.js",
    "problems.js",
    "form_draft.js",
    "locations.js",
    "request_form.js",
    "upload.js",
    "estimate.js",
    "start.js",
    "runs.js",
    "url_lookup.js",
    "stored_request.js",
    "map.js",
    "tables.js",
    "url_table.js",
    "pop_table.js",
    "follow.js",
    "failures.js",
    "times.js",
    "gain.js",
    "components.js",
    "run.js",
    "app.js",
)
# The page changes only with a deployment.
MAX_AGE_SECONDS = 300


def dashboard() -> Response[str]:
    """Return the page. It contains no data and needs no key; its requests to the API need one."""
    own_machine = Settings.from_environment(os.environ).own_machine
    page, policy = build_page(storage().upload_address(), has_console=not own_machine)
    headers: dict[str, str | list[str]] = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": f"max-age={MAX_AGE_SECONDS}",
    }
    return Response(200, f"{content_types.TEXT_HTML}; charset=utf-8", page, headers)


@functools.cache
def build_page(uploads: str, *, has_console: bool) -> tuple[str, str]:
    """Return the page and its Content-Security-Policy.

    `uploads`: the address that lists are uploaded to; `has_console`: whether the runs are executions on AWS.
    """
    style = (FILES / "style.css").read_text(encoding="utf-8")
    values = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants(has_console).items())
    script = values + "\n".join((FILES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    page = (FILES / "index.html").read_text(encoding="utf-8")
    parts = {"version": __version__, "land": data_text("land.svgpath").strip(), "style": style, "script": script}
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    return page, policy_of(script, style, uploads)


def constants(has_console: bool) -> dict[str, Any]:  # noqa: FBT001 - a fact about the service, which the page contains
    """Return what the scripts need to know of the service, by the constant's name."""
    fields = PrewarmRequest.model_fields
    return {
        "OUTCOMES": IN_WORDS,
        "SKIPPED": SKIP_TEXTS,
        "FAILING": [FAILING, FAILING_MEANS],
        "NOT_WARM": {state: not_warm_heading(state) for state in ("FAILED", "TIMEOUT", "CANCELLED")},
        "UNFINISHED": sorted(UNFINISHED),
        # An option that has its default is not part of "Run again".
        "DEFAULTS": {name: field.default for name, field in fields.items() if not field.is_required()},
        "PROOFS": {"inPop": IN_POP, "elsewhere": ELSEWHERE},
        "HAS_CONSOLE": has_console,
        "MAX_BODY_BYTES": MAX_BODY_BYTES,
        "MAX_BODY_URLS": MAX_BODY_URLS,
        "MAX_LIST_BYTES": LIST_BYTES,
    }


def policy_of(script: str, style: str, uploads: str) -> str:
    """Return the policy: allow this script, this style, requests to this API, and uploads to the service's bucket."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            f"connect-src 'self' {uploads}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # Turns any later use of innerHTML into an error.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
