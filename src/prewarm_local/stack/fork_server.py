"""The process that starts the functions' workers by forking: it has imported their packages once, for all of them.

A worker of its own would spend most of a second of CPU on these imports. What is imported here reads no variable that
differs between functions; the handler, its own modules and the runtime's client are imported after the fork, as
Lambda does. `worker_processes.py` is the other end of the socket. It runs as a script, so that it needs no package.

Requests are JSON {environment, folder, handler} with two descriptors (the worker's log, the end of its lifeline).
Messages back are JSON: {pid} in the order of the requests, and {pid, status} when a worker has exited.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# The functions' packages (functions/requirements.txt) and the parts of botocore that each client imports. A package
# that is missing here is missing in the worker too, which then reports it.
_PACKAGES = (
    "ada_url",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "boto3.session",
    "botocore.httpsession",
    "botocore.session",
    "botocore.signers",
    "certifi",
    "dns.asyncresolver",
    "pycurl",
    "pydantic.fields",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.plugin._loader",
    "pydantic.types",
    "s3transfer.manager",
    "simplejson",
    "xml.parsers.expat",
)
# Of these services every worker has clients, or most have; and what a client of any service reads.
_SERVICES = ("dynamodb", "s3", "stepfunctions")
_DESCRIPTIONS = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
_MAX_MESSAGE = 1 << 20


def main(descriptor: int) -> None:
    """Fork workers until the stack closes the socket; in a worker, run the runtime's interface client."""
    for name in _PACKAGES:
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(ImportError):
        _read_descriptions()
    # Collections would write to the pages that all workers share.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as stack:
        request = _serve(stack)
    if request is None:
        os._exit(0)
    _run(*request)


def _read_descriptions() -> None:
    """Read AWS's descriptions of the services as botocore does; a worker's own sessions then find them read.

    A worker would spend 0.1 s of CPU on their JSON.
    """
    from botocore import loaders  # noqa: PLC0415  the workers report that it is missing

    read = functools.cache(loaders.JSONFileLoader().load_file)
    loaders.JSONFileLoader.load_file = lambda _, path: read(path)  # type: ignore[method-assign, assignment]
    loader = loaders.create_loader()
    for service in _SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, kind)
    for name in _DESCRIPTIONS:
        loader.load_data(name)


def _serve(stack: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return None at the end of the stack, and the request and its descriptors in each worker."""
    woken, wake = socket.socketpair()
    with woken, wake, selectors.DefaultSelector() as selector:
        for end in (woken, wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno())
        selector.register(stack, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(_MAX_MESSAGE)
                _report_exits(stack)
            if stack not in ready:
                continue
            message, descriptors, _, _ = socket.recv_fds(stack, _MAX_MESSAGE, 2)
            if not message:
                return None
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return json.loads(message), descriptors
            for each in descriptors:
                os.close(each)
            with suppress(OSError):
                os.setpgid(pid, pid)  # before the stack learns the id; the worker does the same
            stack.send(json.dumps({"pid": pid}).encode())


def _report_exits(stack: socket.socket) -> None:
    with suppress(ChildProcessError, OSError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            stack.send(json.dumps({"pid": pid, "status": os.waitstatus_to_exitcode(status)}).encode())


def _run(request: dict[str, Any], descriptors: list[int]) -> None:
    """Become the worker: as a process that was started with this environment in this folder."""
    log, lifeline = descriptors
    with suppress(OSError):
        os.setpgid(0, 0)  # killed as a group, with its own processes
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.path[:0] = ["", *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    importlib.invalidate_caches()
    threading.Thread(target=_exit_with_the_stack, args=(lifeline,), daemon=True).start()
    sys.argv[1:] = [request["handler"]]
    _show_command_line(sys.executable, "-m", "awslambdaric", request["handler"])
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


def _show_command_line(*words: str) -> None:
    """Replace this process's command line, so that ps and the benchmarks show the function."""
    # proc_pid_stat(5): arg_start and arg_end are the fields 48 and 49; the first after the name is the third.
    fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    text = "\0".join(words).encode()
    if start and len(text) < end - start:
        ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)


def _exit_with_the_stack(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(0)


if __name__ == "__main__":
    # Neither the folder of this script nor a function's: each worker adds its own.
    _added = {sys.path[0], *os.environ.pop("PYTHONPATH", "").split(os.pathsep)}
    sys.path[:] = [path for path in sys.path if path not in _added]
    main(int(sys.argv[1]))
