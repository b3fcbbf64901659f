"""CloudFront's networks are refreshed once a day at most, and a refresh that fails is a warning."""

import datetime as dt
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import trustme

import resolve.network_refresh
from prewarm.edge_networks import shipped
from prewarm.settings import Settings
from prewarm.storage.knowledge_store import KnowledgeStore, Stored
from resolve.network_refresh import SECONDS_BETWEEN, fetch_list, with_networks

CREATED, ADDED = "2030-01-02-03-04-05", "45.0.0.0/24"
NOW = dt.datetime(2030, 1, 3, tzinfo=dt.UTC).timestamp()
ENVIRONMENT = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t"}


class Memory:
    """Stores the networks in place of S3."""

    def __init__(self, content: Any = None, problem: str = "", failure: str = "") -> None:
        self.content, self.problem, self.failure = content, problem, failure

    def get_networks(self) -> Stored:
        return Stored(self.content, None if self.content is None else "v", self.problem)

    def put_networks(self, document: dict[str, Any], _: str | None) -> str:
        self.content = self.content if self.failure else json.loads(json.dumps(document))
        return self.failure


def aws_list(created: str = CREATED) -> bytes:
    texts = [*map(str, shipped().networks), ADDED]
    prefixes = [{"ip_prefix": text, "service": "CLOUDFRONT"} for text in texts if ":" not in text]
    six = [{"ipv6_prefix": text, "service": "CLOUDFRONT"} for text in texts if ":" in text]
    return json.dumps({"createDate": created, "prefixes": prefixes, "ipv6_prefixes": six}).encode()


def refreshed(
    memory: Memory, body: bytes | Exception, now: float = NOW, **environment: str
) -> tuple[Settings, tuple[str, ...], int]:
    """Return the settings, the warnings, and how often the list was fetched."""
    fetches = 0

    def fetch(_: Settings) -> bytes:
        nonlocal fetches
        fetches += 1
        if isinstance(body, Exception):
            raise body
        return body

    settings = Settings.from_environment(ENVIRONMENT | environment)
    after, warnings = with_networks(settings, cast("KnowledgeStore", memory), fetch, lambda: now)
    return after, warnings, fetches


def texts_of(settings: Settings) -> set[str]:
    return set(map(str, settings.edge_networks or ()))


def test_list_is_fetched_once_a_day_and_stored_in_between() -> None:
    memory = Memory()
    counts = []
    for seconds in (0, 60, SECONDS_BETWEEN - 1, SECONDS_BETWEEN + 1):
        settings, warnings, fetches = refreshed(memory, aws_list(), NOW + seconds)
        counts.append(fetches)
        assert warnings == ()
        assert texts_of(settings) > set(map(str, shipped().networks[:1]))
        assert memory.content["createDate"] == CREATED
    assert counts == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (OSError("Could not resolve host"), "cannot be read: Could not resolve host"),
        (b"<html>", "is not JSON"),
        (b"\xff", "which|is|decode"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "has no list prefixes"),
        (b'{"createDate":"' + CREATED.encode() + b'","prefixes":[],"ipv6_prefixes":[]}', "lists only 0%"),
    ],
    ids=["unreachable", "html", "bytes", "deep", "empty", "none"],
)
def test_failed_refresh_is_a_warning_uses_what_ships_and_is_repeated_next_day_only(
    body: bytes | Exception, words: str
) -> None:
    memory = Memory()
    settings, (warning,), fetches = refreshed(memory, body)
    assert (settings.edge_networks, fetches) == (shipped().networks, 1)
    assert any(word in warning for word in words.split("|"))
    assert "PREWARM_EDGE_NETWORKS_URL" in warning
    assert refreshed(memory, body, NOW + 3600)[1:] == ((), 0)
    assert refreshed(memory, aws_list(), NOW + SECONDS_BETWEEN + 1)[1:] == ((), 1)


def test_failed_refresh_keeps_the_stored_networks() -> None:
    memory = Memory()
    first = refreshed(memory, aws_list())[0]
    settings, (warning,), _ = refreshed(memory, OSError("silent"), NOW + SECONDS_BETWEEN + 1)
    assert settings.edge_networks == first.edge_networks != shipped().networks
    assert CREATED[:10] in warning


def test_older_list_does_not_replace_a_newer_one() -> None:
    settings, warnings, _ = refreshed(Memory(), aws_list("2020-01-01-00-00-00"))
    assert (settings.edge_networks, warnings) == (shipped().networks, ())


OPEN = {"checked": NOW, "ipv4": ["0.0.0.0/0"], "ipv6": [], "createDate": CREATED}


@pytest.mark.parametrize("content", [[], "x", {"checked": NOW}, {"checked": "x"}, OPEN])
def test_damaged_stored_networks_are_a_warning_and_what_ships_is_used(content: Any) -> None:
    settings, warnings, _ = refreshed(Memory(content), aws_list(), PREWARM_EDGE_NETWORKS_URL="off")
    assert settings.edge_networks == shipped().networks
    assert "the stored list of CloudFront's networks" in warnings[0]


@pytest.mark.parametrize("checked", [None, True, "x", float("nan"), NOW + 90_000])
def test_time_that_cannot_be_does_not_delay_a_refresh(checked: Any) -> None:
    content = shipped().as_json() | {"checked": checked}
    assert refreshed(Memory(content), aws_list())[2] == 1


def test_bucket_that_cannot_be_read_or_written_is_a_warning() -> None:
    settings, warnings, _ = refreshed(Memory(problem="cannot be read: X", failure="cannot be written: Y"), aws_list())
    assert len(warnings) == 2
    assert texts_of(settings) != set(map(str, shipped().networks))


def test_networks_that_are_set_are_used_and_nothing_is_fetched() -> None:
    settings, warnings, fetches = refreshed(Memory(), aws_list(), PREWARM_EDGE_NETWORKS="127.0.0.0/8")
    assert (texts_of(settings), warnings, fetches) == ({"127.0.0.0/8"}, (), 0)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        count = 300 if self.path == "/huge" else 1
        self.send_response(302 if self.path == "/redirect" else 200)
        self.send_header("Location", "/list.json")
        self.send_header("Content-Length", str(count * len(aws_list())))
        self.end_headers()
        try:
            if self.path == "/slow":
                cast("threading.Event", self.server.end).wait(5)  # type: ignore[attr-defined]
            for _ in range(count):
                self.wfile.write(aws_list())
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """Serve AWS's list over TLS on loopback; yields the port."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    server.end = threading.Event()  # type: ignore[attr-defined]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.end.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    folder = tmp_path_factory.mktemp("tls")
    with tls_server(folder) as port:
        yield port, folder / "ca.pem"


def fetched(served: tuple[int, Path], path: str, ca_bundle: str | None = None) -> bytes:
    bundle = str(served[1]) if ca_bundle is None else ca_bundle
    address = {"PREWARM_EDGE_NETWORKS_URL": f"https://127.0.0.1:{served[0]}{path}", "PREWARM_CA_BUNDLE": bundle}
    return fetch_list(Settings.from_environment(ENVIRONMENT | address))


def test_list_is_fetched_over_verified_tls(served: tuple[int, Path]) -> None:
    assert fetched(served, "/list.json") == aws_list()
    with pytest.raises(OSError, match="certificate"):
        fetched(served, "/list.json", "")


def test_redirect_is_not_followed(served: tuple[int, Path]) -> None:
    with pytest.raises(OSError, match="status 302"):
        fetched(served, "/redirect")


def test_list_that_is_too_large_or_too_slow_is_given_up(
    served: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve.network_refresh, "MOST_BYTES", 2 * len(aws_list()))
    with pytest.raises(OSError, match=r"(?i)writ"):
        fetched(served, "/huge")
    monkeypatch.setattr(resolve.network_refresh, "WHOLE_MS", 200)
    with pytest.raises(OSError, match="timed out"):
        fetched(served, "/slow")
