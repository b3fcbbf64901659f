"""GET /: the dashboard, a single page with its style, script and map inline, under a strict policy."""

import base64
import functools
import hashlib
import json
from pathlib import Path

from aws_lambda_powertools.event_handler import Response, content_types

from prewarm import __version__
from prewarm.catalogue import data_text
from prewarm.results.outcome import IN_WORDS

FILES = Path(__file__).with_name("static")
# In the order in which they run; the last one opens the page.
SCRIPTS = (
    "dom.js",
    "api.js",
    "text.js",
    "form_draft.js",
    "locations.js",
    "start.js",
    "runs.js",
    "map.js",
    "tables.js",
    "follow.js",
    "components.js",
    "run.js",
    "app.js",
)
# The page changes only with a deployment.
MAX_AGE_SECONDS = 300


def dashboard() -> Response[str]:
    """Return the page. It contains no data and needs no key; its requests to the API need one."""
    page, policy = build_page()
    headers: dict[str, str | list[str]] = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": f"max-age={MAX_AGE_SECONDS}",
    }
    return Response(200, f"{content_types.TEXT_HTML}; charset=utf-8", page, headers)


@functools.cache
def build_page() -> tuple[str, str]:
    """Return the page and its Content-Security-Policy."""
    style = (FILES / "style.css").read_text(encoding="utf-8")
    script = f"const OUTCOMES = {json.dumps(IN_WORDS)};\n" + "\n".join(
        (FILES / name).read_text(encoding="utf-8") for name in SCRIPTS
    )
    page = (FILES / "index.html").read_text(encoding="utf-8")
    parts = {"version": __version__, "land": data_text("land.svgpath").strip(), "style": style, "script": script}
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    return page, policy_of(script, style)


def policy_of(script: str, style: str) -> str:
    """Return the policy: allow this script, this style and requests to this API only."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "connect-src 'self'",
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
