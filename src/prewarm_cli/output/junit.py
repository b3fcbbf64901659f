"""A run as a JUnit report, which CI servers show: a test case per URL, failures with their reasons in words."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from prewarm.urls import redacted
from prewarm_cli.output.text import cause_of, failures_of, goes_on, name_of, why

# What XML 1.0 cannot hold, however it is written.
IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

URL = re.compile(r"https?://\S+")
# How much of a run's cause stands at each of its URLs, in characters.
CAUSE_SHOWN = 300


def junit(status: dict[str, Any]) -> bytes:
    """Return a whole status as JUnit XML.

    A URL that is not decided yet is an error: it is not warm, and nobody knows that it will be. One that failed in a
    run that is COMPLETED all the same is skipped, so that the report is no redder than the exit code. Secrets in URLs
    are blotted out, since CI servers keep these reports and show them around.
    """
    run = name_of(str(status.get("requestID", status.get("run", ""))))
    suite = ET.Element(
        "testsuite", name="prewarm", timestamp=_text(status.get("startedAt", "")), time=_seconds(status)
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("run", run), ("status", status["status"])):
        ET.SubElement(properties, "property", name=name, value=_text(value))
    for url in status.get("successUrl", []):
        _case(suite, url)
    cause = _without_secrets(cause_of(status))
    # Whole it stands once: a cause may have 32,768 characters, and a run a hundred thousand URLs.
    shortly = cause.partition("\n")[0]
    shortly = shortly if len(shortly) <= CAUSE_SHOWN else shortly[:CAUSE_SHOWN] + "…"
    forgiven = status["status"] == "COMPLETED"
    failed = errors = 0
    for url, failure in failures_of(status):
        failed += 1
        words = why(failure, status.get("words"))
        coverage = f"; {failure['coverage']:g} % of its reachable targets are warm" if "coverage" in failure else ""
        message = words + coverage + (f"; {shortly}" if shortly else "")
        if forgiven:
            ET.SubElement(_case(suite, url), "skipped", message=_text(message))
        else:
            ET.SubElement(_case(suite, url), "failure", type="not warm", message=_text(message))
    for url in status.get("inProgressUrl", []):
        errors += 1
        ET.SubElement(_case(suite, url), "error", type="in progress", message="not decided when the waiting ended")
    if not len(suite) - 1:
        # A run that came to no URL: refused, or told of sources that named none.
        case = ET.SubElement(suite, "testcase", classname="prewarm", name="the run")
        if not forgiven:
            errors += 1
            told = "goes on" if goes_on(status) else cause or status["status"]
            ET.SubElement(case, "error", type=_text(status.get("error", status["status"])), message=_text(told))
    whole = [cause] if cause != shortly else []
    if lines := [*whole, *(_without_secrets(warning) for warning in status.get("warnings", []))]:
        ET.SubElement(suite, "system-out").text = _text("\n".join(lines))
    counts = {"failures": 0 if forgiven else failed, "errors": errors, "skipped": failed if forgiven else 0}
    for name, count in ({"tests": len(suite.findall("testcase"))} | counts).items():
        suite.set(name, str(count))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _case(suite: ET.Element, url: str) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=_text(urlsplit(url).hostname or "prewarm"), name=_text(redacted(url))
    )


def _without_secrets(text: str) -> str:
    """Return a text with the URLs in it redacted, each for itself: the words after one stay."""
    return URL.sub(lambda found: redacted(found[0]), text)


def _text(value: object) -> str:
    return IMPOSSIBLE.sub("\ufffd", str(value))


def _seconds(status: dict[str, Any]) -> str:
    """Return how long the run took, in seconds; 0 where the service does not tell."""
    try:
        began, ended = (dt.datetime.fromisoformat(status[name]) for name in ("startedAt", "endedAt"))
        return f"{(ended - began).total_seconds():.3f}"
    except (KeyError, TypeError, ValueError):
        return "0"
