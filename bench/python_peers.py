"""Clients in Python that people script: aiohttp on uvloop, and `requests`."""

import asyncio
import ssl
import threading
from collections import deque
from typing import Any
from unittest import mock

import aiohttp
import requests
import urllib3.util.connection
import uvloop

from bench.edges import HOST
from bench.job import FETCH_SECONDS, Job

CHUNK = 131_072


def aiohttp_uvloop(job: Job) -> tuple[int, float | None]:
    """Fetch with aiohttp on uvloop: a task and a connection for each form's number, per POP."""
    return uvloop.run(_aiohttp(job)), None


async def _aiohttp(job: Job) -> int:
    verified = ssl.create_default_context(cafile=job.ca)
    # URLs have the POP's address, so nothing is resolved.
    connector = aiohttp.TCPConnector(limit=0, ssl=verified)
    options: dict[str, Any] = {
        "headers": {"Host": HOST, "Accept-Encoding": "br, gzip"},
        "auto_decompress": False,
        "cookie_jar": aiohttp.DummyCookieJar(),
        "timeout": aiohttp.ClientTimeout(total=None, sock_read=FETCH_SECONDS),
        "trust_env": False,
    }
    whole = 0

    async def work(session: aiohttp.ClientSession, address: str, left: deque[str]) -> None:
        nonlocal whole
        while left:
            url = f"https://{address}:{job.port}{left.popleft()}"
            async with session.get(url, server_hostname=HOST) as response:
                while await response.content.readany():
                    pass
                whole += response.status == 200

    async with aiohttp.ClientSession(connector=connector, **options) as session, asyncio.TaskGroup() as group:
        for address in job.addresses.values():
            left = deque(job.paths)
            for _ in range(min(job.form, len(left))):
                group.create_task(work(session, address, left))
    return whole


_where = threading.local()
_connect = urllib3.util.connection.create_connection


def requests_sessions(job: Job) -> tuple[int, float | None]:
    """Fetch with `requests`: a thread with a session for each form's number, per POP."""

    # Connect to the address that a thread sets, as `curl --resolve` does.
    def create(address: tuple[str, int], *more: Any, **named: Any) -> Any:
        return _connect((_where.address, address[1]), *more, **named)

    whole: list[int] = []

    def work(address: str, left: deque[str]) -> None:
        _where.address = address
        count = 0
        with requests.Session() as session:
            session.verify, session.trust_env = job.ca, False
            while left:
                try:
                    url = f"https://{HOST}:{job.port}{left.popleft()}"
                except IndexError:  # another thread took the last one
                    break
                with session.get(url, stream=True, timeout=FETCH_SECONDS) as response:
                    count += response.status_code == 200 and sum(map(len, response.raw.stream(CHUNK))) > 0
        whole.append(count)

    threads = []
    for address in job.addresses.values():
        left = deque(job.paths)
        threads += [threading.Thread(target=work, args=(address, left)) for _ in range(min(job.form, len(left)))]
    with mock.patch.object(urllib3.util.connection, "create_connection", create):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sum(whole), None
