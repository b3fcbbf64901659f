"""Custom error pages of the simulated edge: for how long they are kept, and which cache behaviour counts.

Source: CloudFront Developer Guide, "How CloudFront processes HTTP 4xx and 5xx status codes from your origin", section
"How CloudFront processes errors when you have configured custom error pages", steps 2, 3 and 5; and the note on the
maximum TTL in "Control how long CloudFront caches errors".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from prewarm_local.edge.behaviour import Behaviour
from prewarm_local.edge.content import Body
from prewarm_local.edge.freshness import Ttl
from prewarm_local.edge.origin_fetch import ask_origin
from prewarm_local.edge.policies import Behaviours
from prewarm_local.edge.request import Request
from prewarm_local.edge.upstream import OriginFailed, Reply

if TYPE_CHECKING:
    from prewarm_local.edge.behaviour import Want
    from prewarm_local.edge.cache import Entry
    from prewarm_local.edge.upstream import OriginClient

LIMITED, LONG = "limited", "long"
POLICIES: dict[str, Any] = {LIMITED: {"MaxTTL": 60}, LONG: {"MaxTTL": 86_400}}


class Origin:
    """An origin client with fixed answers by path; `asked` are the wants."""

    def __init__(self, answers: dict[str, tuple[int, str]]) -> None:
        self.answers = answers
        self.asked: list[Want] = []

    async def fetch(self, want: Want, _etag: str | None, _fault: object) -> Reply:
        self.asked.append(want)
        if want.target not in self.answers:
            raise OriginFailed(504, "silent")
        status, cache_control = self.answers[want.target]
        headers = {"cache-control": cache_control} if cache_control else {}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        return Reply(status, pairs, None, headers, Body.fixed(b""))


def fetched(
    error: int, cache_control: str, *, of_page: str = LONG, of_object: str = LONG, page: tuple[int, str] = (200, "")
) -> tuple[Entry, Origin]:
    item = {"ErrorCode": error, "ResponsePagePath": "/errors/page", "ResponseCode": "200", "ErrorCachingMinTTL": 10}
    pages = {"PathPattern": "/errors/*", "CachePolicyId": of_page, "TargetOriginId": "pages"}
    origins = [{"Id": "pages", "CustomOriginConfig": {"OriginReadTimeout": 7}}]
    config = {
        "DefaultCacheBehavior": {"CachePolicyId": of_object},
        "CacheBehaviors": {"Items": [pages]},
        "CustomErrorResponses": {"Items": [item]},
        "Origins": {"Items": origins},
    }
    usual = Behaviour(ttl=Ttl(expires_keeps_4xx=True, zero_keeps_4xx=True))
    request = Request("GET", "www.example.com", "/route", {})
    want = Behaviours(config, POLICIES, usual).find(request).want("d1.cloudfront.net", request, separate=False)
    answers = {"/errors/page": page} | ({"/route": (error, cache_control)} if cache_control != "silent" else {})
    origin = Origin(answers)
    entry, _ = asyncio.run(ask_origin(cast("OriginClient", origin), lambda: 1000.0, want, None, None))
    return entry, origin


def seconds(entry: Entry) -> float | None:
    return None if entry.expires_at is None else entry.expires_at - 1000.0


@pytest.mark.parametrize(
    ("error", "cache_control", "kept"),
    [
        (404, "", 10),
        (404, "max-age=5", 10),
        (404, "max-age=300", 300),
        (404, "no-store", None),
        (503, "no-store, max-age=300", 10),
        (403, "", None),
        (403, "max-age=300", 300),
        (416, "max-age=300", None),
        (504, "silent", 10),
    ],
)
def test_page_is_kept_as_long_as_the_error_that_made_it(error: int, cache_control: str, kept: float | None) -> None:
    entry, _ = fetched(error, cache_control, page=(200, "max-age=9999"))
    assert (entry.status, entry.is_error, seconds(entry)) == (200, True, kept)


@pytest.mark.parametrize(("of_page", "of_object", "kept"), [(LIMITED, LONG, 60), (LONG, LIMITED, 300)])
def test_maximum_ttl_is_that_of_the_behaviour_of_the_page(of_page: str, of_object: str, kept: float) -> None:
    entry, origin = fetched(404, "max-age=300", of_page=of_page, of_object=of_object)
    assert seconds(entry) == kept
    assert [want.behaviour.origin.response_timeout for want in origin.asked] == [30, 7]


def test_page_that_fails_is_kept_for_the_time_of_the_error() -> None:
    entry, _ = fetched(404, "max-age=300", page=(503, ""))
    assert (entry.status, seconds(entry)) == (503, 300)
