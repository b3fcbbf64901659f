"""Which probes show that a POP exists: those in which the edge named exactly that POP over TLS."""

import pytest

from prewarm.fetcher.response import Response
from resolve.pops.pop_probe import PopProbe

POP, URL = "NRT57-P3", "https://www.example.com/x"


def probed(pop: str, url: str = URL, **response: object) -> PopProbe:
    made = PopProbe(pop, ["192.0.2.1"], url)
    made.record(Response(**({"status": 404, "connected": True} | response)))  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("pop", [POP, ""])
def test_edge_that_names_the_pop_over_tls_is_verified_whatever_the_status(pop: str) -> None:
    for status in (200, 403, 404, 503):
        made = probed(pop, cf_pop=POP, status=status)
        assert (made.verified, made.pop) == (True, POP)


@pytest.mark.parametrize(
    ("pop", "url", "response"),
    [
        (POP, URL.replace("https", "http"), {"cf_pop": POP}),
        (POP, URL, {"cf_pop": "NRT57"}),
        (POP, URL, {"cf_pop": ""}),
        (POP, URL, {"cf_pop": "", "status": 421}),
        ("", URL, {"cf_pop": "", "status": 403}),
        ("", URL, {"cf_pop": "NRT57", "status": 403}),
        (POP, URL, {"cf_pop": "NRT57-P4"}),
        (POP, URL, {"cf_pop": POP, "error": 60, "error_text": "certificate"}),
    ],
)
def test_other_probes_show_no_pop(pop: str, url: str, response: dict[str, object]) -> None:
    assert not probed(pop, url, **response).verified


def test_probe_that_was_never_sent_shows_no_pop() -> None:
    assert not PopProbe(POP, [], URL).verified
