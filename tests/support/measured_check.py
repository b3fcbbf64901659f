"""Check request bodies, each in a process of its own, and print what that took: a subprocess of test_limits.py.

Each line of standard input is a body's kind. A process that has the imports is forked for it, and prints one line of
JSON: CPU seconds of the check alone, the process's peak memory in MB, the number of problems and the message.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prewarm.catalogue import catalogue
from prewarm.errors import InvalidRequest
from prewarm.request.bounds import MAX_BODY_URLS
from prewarm.request.validation import check_request, parse_json

URL = "https://www.example.com/a"
MB = 1024 * 1024
SIZE = 4 * MB


def _body(**change: Any) -> bytes:
    return json.dumps({"url_list": [URL], "region_type": "region", "region": ["eu"]} | change).encode()


def _most(entry: str, filler: str = "a") -> bytes:
    """Return a body of 4 MB with as many URLs as the limit allows, made from one entry, which the filler extends."""
    room = (SIZE - 200) // MAX_BODY_URLS - 1 - len((entry % 1_000_000).encode())
    return _list_of(entry[:-1] + filler * (room // len((filler % ()).encode())) + '"', most=MAX_BODY_URLS)


def _list_of(entry: str, field: str = "url_list", most: int = SIZE) -> bytes:
    """Return a body of nearly 4 MB whose `field` repeats one entry; `%d` in it is a number."""
    first = entry % 1_000_000 if "%d" in entry else entry
    entries = range(1_000_000, 1_000_000 + min(most, (SIZE - 200) // (len(first.encode()) + 1)))
    text = ",".join(entry % number if "%d" in entry else entry for number in entries)
    rest = {"url_list": f'"{URL}"', "region": '"eu"'} | {field: text}
    return f'{{"region_type": "region", "url_list": [{rest["url_list"]}], "region": [{rest["region"]}]}}'.encode()


def _object(names: int) -> dict[str, int]:
    return {f"name{number}": 1 for number in range(names)}


BODIES: dict[str, Callable[[], bytes]] = {
    "numbers": lambda: _list_of("7"),
    "nulls": lambda: _list_of("null"),
    "empty texts": lambda: _list_of('""'),
    "objects": lambda: _list_of("{}"),
    "short texts": lambda: _list_of('"%d"'),
    "good URLs": lambda: _list_of('"https://a.b/%d"'),
    "good hosts": lambda: _list_of('"http://a%d.b"'),
    "odd hosts": lambda: _list_of('"http://é%d.b/é"'),
    "bad hosts": lambda: _list_of('"http://%d"'),
    # As many as the limit allows.
    "most good hosts": lambda: _most('"https://good%d.example.com/"'),
    "most odd URLs": lambda: _most('"https://Good%d.example.com/éa?éa"', "éa"),
    "most odd paths": lambda: _most('"https://www.example.com/éb%d?éaa"', "é"),
    "most IDN hosts": lambda: _most('"https://bü%dcher.example.com/"', "é"),
    "most A-labels": lambda: _most('"https://xn--b%dcher-kva.example.com/"', "%%e4"),
    "most dotted hosts": lambda: _most('"https://%d.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a/"'),
    "most ports": lambda: _most('"https://good%d.example.com:443/"'),
    "most fragments": lambda: _most('"https://good%d.example.com/#éa"', "é"),
    "most escapes": lambda: _most('"https://www.example.com/%d"', "%%e4"),
    "most backslashes": lambda: _most(r'"https:\\\\www.example.com\\%d"'),
    "most dot segments": lambda: _most('"https://www.example.com/../%d"'),
    "most users": lambda: _most('"https://u:p@www.example.com/%d"'),
    "long odd paths": lambda: _list_of('"https://www.example.com/%d?' + "aé" * 1_300 + '"'),
    "paths of separators": lambda: _list_of('"https://www.example.com/%d' + "/.a" * 2_600 + '"'),
    "most bad hosts": lambda: _most('"https://%d/"'),
    "most texts": lambda: _most('"%d"'),
    "most regions": lambda: _body(region=[f"{'x' * 99}{number}" for number in range(5_000)]),
    "most POPs": lambda: _body(region_type="pop", region=[f"QQQ{number}-X1" for number in range(5_000)]),
    "one host of ideographs": lambda: _body(url_list=["https://" + "漢" * 16_000 + "/"]),
    "many hosts of ideographs": lambda: _list_of('"https://' + "漢" * 240 + '%d.com/"'),
    "one region": lambda: _list_of('"eu"', "region"),
    "unknown regions": lambda: _list_of('"x%d"', "region"),
    "long region": lambda: _body(region=["x" * (SIZE - 200)]),
    "numbers as regions": lambda: _list_of("7", "region"),
    "unknown fields": lambda: _body(**_object(190_000)),
    "one long unknown field": lambda: _body(**{"r" * (SIZE - 200): 1}),
    "headers": lambda: _body(headers={f"x-{number}": "" for number in range(200_000)}),
    "fields of a sitemap": lambda: _body(sitemap=[{"url": URL} | _object(200_000)]),
    "patterns": lambda: _body(sitemap=[{"url": URL, "include": [""] * 90, "exclude": [""] * 90}] * 100),
    "lists of numbers": lambda: _body(sitemap=[{str(name): [10**40] * 90 for name in range(9)}] * 100),
    "long encodings": lambda: _body(accept_encodings=["x" * (SIZE // 8 - 100)] * 8),
    "long user agent": lambda: _body(user_agent="x" * (SIZE - 200)),
    "long domain": lambda: _body(cf_domain="x" * (SIZE - 200)),
    "long number": lambda: _body(max_bytes=10**4000, max_rps=10**400),
    "nested lists": lambda: b'{"headers": ' + b"[" * 900 + b"]" * 900 + b"}",
}


def measure(kind: str) -> None:
    """Check the body of one kind and print the measurement."""
    body = BODIES[kind]()
    before = time.process_time()
    try:
        check_request(parse_json(body)).as_json()
        problems, message = 0, ""
    except InvalidRequest as error:
        problems, message = len(error.problems), error.message()
        json.dumps(error.as_json())
    seconds = time.process_time() - before
    # Of this process since it was forked; ru_maxrss would be that of its parent, where that is more.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    result = {"bytes": len(body), "cpu": seconds, "mb": peak, "problems": problems, "message": message}
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure the kinds in standard input until its end."""
    catalogue()
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            measure(line.strip())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(f"{line.strip()}: exit status {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
