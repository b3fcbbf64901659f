"""A record is written by hand: byte for byte what json.dumps writes of the same members."""

import json

from hypothesis import given
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome
from warm.record_line import record_line

texts = st.text(max_size=12)
times = st.floats(0, 1e7, allow_nan=False)


@given(
    response=st.builds(
        Response,
        status=st.integers(0, 999),
        address=texts,
        bytes=st.integers(0, 2**63),
        ttfb_ms=times,
        total_ms=times,
        x_cache=texts,
        cf_pop=texts,
        cf_id=texts,
        age=texts,
        etag=texts,
        encoding=texts,
    ),
    names=st.tuples(texts, texts, texts, texts, texts, texts),
    outcome=st.sampled_from(Outcome),
    tries=st.integers(0, 99),
    verified=st.booleans(),
)
def test_line_is_what_json_dumps_writes(
    response: Response, names: tuple[str, ...], outcome: Outcome, tries: int, *, verified: bool
) -> None:
    url, pop, variant, detail, layer, proof_pop = names
    members: dict[str, object] = {
        "url": url,
        "pop": pop,
        "variant": variant,
        "outcome": outcome,
        "detail": detail,
        "status": response.status,
        "x_cache": response.x_cache,
        "cf_pop": response.cf_pop,
        "cf_id": response.cf_id,
        "layer": layer,
        "age": response.age,
        "etag": response.etag,
        "encoding": response.encoding,
        "address": response.address,
        "bytes": response.bytes,
        "ttfb_ms": round(response.ttfb_ms, 1),
        "total_ms": round(response.total_ms, 1),
        "tries": tries,
        "verified": verified,
    }
    if proof_pop:
        members["proof_pop"] = proof_pop
    forms = json.dumps({"url": url}, ensure_ascii=False)[1:-1].replace('"url": ', '"url":', 1)
    line = record_line(
        forms,
        pop,
        variant,
        outcome,
        detail,
        response,
        layer=layer,
        tries=tries,
        proof_pop=proof_pop,
        verified=verified,
    )
    assert line == json.dumps(members, ensure_ascii=False, separators=(",", ":"))
