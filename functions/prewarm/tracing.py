"""Subsegments for X-Ray: how long each step of a function took, annotated with run and batch for searching.

They are sent as documents to the daemon that Lambda runs next to a function. The X-Ray SDK is not used: its import
adds a third of a second to a cold start, and it is no longer developed. Sources: X-Ray Developer Guide, "X-Ray
segment documents" and "Sending segment documents to the X-Ray daemon"; Lambda Developer Guide, "Defined runtime
environment variables".
"""

import json
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

HEADER = b'{"format": "json", "version": 1}\n'
_ANNOTATION = re.compile(r"\W", re.ASCII)


@contextmanager
def subsegment(name: str, **annotations: str | int | bool) -> Iterator[None]:
    """Time a block as a subsegment of the invocation, if it is traced."""
    started = time.time()
    fault = True
    try:
        yield
        fault = False
    finally:
        _send(name, started, annotations, fault=fault)


def _send(name: str, started: float, annotations: Mapping[str, str | int | bool], *, fault: bool) -> None:
    """Send the subsegment to the daemon; ignore errors, as tracing is best effort."""
    header = dict(part.split("=", 1) for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";") if "=" in part)
    address, _, port = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "").partition(":")
    if header.get("Sampled") != "1" or not {"Root", "Parent"} <= header.keys() or not port.isdecimal():
        return
    document = {
        "type": "subsegment",
        "name": name,
        "id": secrets.token_hex(8),
        "trace_id": header["Root"],
        "parent_id": header["Parent"],
        "start_time": started,
        "end_time": time.time(),
        "annotations": {_ANNOTATION.sub("_", key): value for key, value in annotations.items()},
        "fault": fault,
    }
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
            daemon.sendto(HEADER + json.dumps(document).encode(), (address, int(port)))
    except OSError:
        return
