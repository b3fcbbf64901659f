"""A run as a JUnit report for CI servers: one test case per URL, failures with their reasons."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from prewarm.results.next_steps import step_text
from prewarm.results.skipped_pops import skip_lines
from prewarm_cli.options.user_request import with_options
from prewarm_cli.output.failures import failure_reasons, failures_of
from prewarm_cli.output.progress import in_progress
from prewarm_cli.output.redaction import redact_urls
from prewarm_cli.output.text import cause_of, run_name, warnings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# Characters that XML 1.0 cannot represent, not even as references.
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Characters of a run's cause that are repeated at each of its URLs.
SHORT_CAUSE_LENGTH = 300


def junit_xml(status: dict[str, Any], page: str | None = None) -> bytes:
    """Return a status with complete lists as JUnit XML; `page`: the address of the run's page.

    A URL still in progress is an error, because it is not known to be warm. A failed URL of a COMPLETED run is
    skipped, so that the report agrees with the exit code. Secrets in URLs are redacted, since CI servers store and
    publish these reports.
    """
    run = run_name(str(status.get("requestID", status.get("run", ""))))
    suite = ET.Element(
        "testsuite", name="prewarm", timestamp=_xml_text(status.get("startedAt", "")), time=_seconds(status)
    )
    properties = ET.SubElement(suite, "properties")
    duplicates = [("duplicates", status["duplicates"])] if status.get("duplicates") else []
    pages = [("page", page)] if page else []
    for name, value in (("run", run), ("status", status["status"]), *pages, *duplicates):
        ET.SubElement(properties, "property", name=name, value=_xml_text(value))
    fetched = status.get("fetched") or {}
    for url in status.get("successUrl", []):
        _add_case(suite, url, fetched)
    cause = cause_of(status)
    # The whole cause is written once: it may have 32,768 characters, and a run a hundred thousand URLs.
    short_cause = cause.partition("\n")[0]
    if len(short_cause) > SHORT_CAUSE_LENGTH:
        short_cause = short_cause[:SHORT_CAUSE_LENGTH] + "…"
    completed = status["status"] == "COMPLETED"
    failed = errors = 0
    for url, failure in failures_of(status):
        failed += 1
        coverage = f"; {failure['coverage']:g} % of its reachable targets are warm" if "coverage" in failure else ""
        reasons = failure_reasons(failure, status.get("words"))
        step = f"; what to do: {with_options(step_text(failure['nextStep']))}" if failure.get("nextStep") else ""
        message = reasons + coverage + step + (f"; {short_cause}" if short_cause else "")
        if completed:
            ET.SubElement(_add_case(suite, url, fetched), "skipped", message=_xml_text(message))
        else:
            ET.SubElement(_add_case(suite, url, fetched), "failure", type="not warm", message=_xml_text(message))
    for url in status.get("inProgressUrl", []):
        errors += 1
        message = "still in progress when the command stopped waiting"
        ET.SubElement(_add_case(suite, url, fetched), "error", type="in progress", message=message)
    skipped_cases, failed_cases = _add_sources(suite, status)
    if len(suite) == 1 + skipped_cases + failed_cases:
        errors += _add_case_without_urls(suite, status, cause)
    full_cause = [cause] if cause != short_cause else []
    # Most servers show this text, and no properties.
    link = [f"run {run}: {page}"] if page else []
    skipped = [text] if (text := status.get("skippedText")) else []
    skipped += [f"skipped {text}" for text in skip_lines(status.get("skippedPops", []))]
    if lines := [*link, *full_cause, *skipped, *warnings_of(status)]:
        ET.SubElement(suite, "system-out").text = _xml_text("\n".join(lines))
    counts = {
        "failures": (0 if completed else failed) + failed_cases,
        "errors": errors,
        "skipped": (failed if completed else 0) + skipped_cases,
    }
    for name, count in ({"tests": len(suite.findall("testcase"))} | counts).items():
        suite.set(name, str(count))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_sources(suite: ET.Element, status: dict[str, Any]) -> tuple[int, int]:
    """Add what the run left out of its sources; return the numbers of skipped and of failed test cases.

    Each reason is one skipped test case, with the number of entries. A run that failed because most of a source was
    skipped has a failed one before them.
    """
    skipped = failed = 0
    first = status.get("mostlySkipped", "")
    if first and status["status"] != "COMPLETED":
        failed = 1
        case = ET.Element("testcase", classname="prewarm", name="the sources")
        ET.SubElement(case, "failure", type="sources skipped", message=_xml_text(first))
        suite.insert(1, case)
    for source in status.get("sources", []):
        for each in source["leftOut"]:
            skipped += 1
            case = ET.SubElement(suite, "testcase", classname=source["source"], name=_xml_text(each["reason"]))
            kind = "skipped" if each["skipped"] else "left out"
            examples = f", such as {', '.join(each['examples'])}" if each["examples"] else ""
            message = _xml_text(f"{each['count']:,} {kind}{examples}")
            ET.SubElement(case, "skipped", message=message)
    return skipped, failed


def _add_case_without_urls(suite: ET.Element, status: dict[str, Any], cause: str) -> int:
    """Add a test case for a run that was rejected or whose sources are empty; return its number of errors."""
    case = ET.SubElement(suite, "testcase", classname="prewarm", name="the run")
    if status["status"] == "COMPLETED":
        return 0
    message = "the run is in progress" if in_progress(status) else cause or status["status"]
    error_type = _xml_text(status.get("error", status["status"]))
    ET.SubElement(case, "error", type=error_type, message=_xml_text(message))
    return 1


def _add_case(suite: ET.Element, url: str, fetched: Mapping[str, str]) -> ET.Element:
    """Add a URL's test case; a URL that is fetched in another form has it as the property `fetched`."""
    host = urlsplit(fetched.get(url, url)).hostname or "prewarm"
    case = ET.SubElement(suite, "testcase", classname=_xml_text(host), name=_xml_text(url))
    if url in fetched:
        properties = ET.SubElement(case, "properties")
        ET.SubElement(properties, "property", name="fetched", value=_xml_text(fetched[url]))
    return case


def _xml_text(value: object) -> str:
    return NOT_IN_XML.sub("\ufffd", redact_urls(str(value)))


def _seconds(status: dict[str, Any]) -> str:
    """Return the run's duration in seconds; 0 where the service returns no times."""
    try:
        started, ended = (dt.datetime.fromisoformat(status[name]) for name in ("startedAt", "endedAt"))
        return f"{(ended - started).total_seconds():.3f}"
    except (KeyError, TypeError, ValueError):
        return "0"
