"""One target's record as a line of JSON, byte for byte what `json.dumps` would write. Pure.

It is written by hand, because a worker writes one for each target: building an encoder and a dictionary for each line
took a third of the time that a worker needs for a response.
"""

from json.encoder import encode_basestring as text

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome


def record_line(
    forms: str,
    pop: str,
    variant: str,
    outcome: Outcome,
    detail: str,
    response: Response,
    *,
    layer: str,
    tries: int,
    proof_pop: str,
    verified: bool,
) -> str:
    """Return the record of a finished target.

    `forms`: the members that name the URL, as JSON without braces; `layer`: that of the response; `proof_pop`: the
    POP of a regional run's proof, or empty. Times have one decimal.
    """
    return (
        f'{{{forms},"pop":{text(pop)},"variant":{text(variant)},"outcome":{text(outcome)},"detail":{text(detail)},'
        f'"status":{response.status},"x_cache":{text(response.x_cache)},"cf_pop":{text(response.cf_pop)},'
        f'"cf_id":{text(response.cf_id)},"layer":{text(layer)},"age":{text(response.age)},'
        f'"etag":{text(response.etag)},"encoding":{text(response.encoding)},"address":{text(response.address)},'
        f'"bytes":{response.bytes},"ttfb_ms":{round(response.ttfb_ms, 1)},"total_ms":{round(response.total_ms, 1)},'
        f'"tries":{tries},"verified":{"true" if verified else "false"}'
        f"{f',{_PROOF_POP}{text(proof_pop)}' if proof_pop else ''}}}"
    )


_PROOF_POP = '"proof_pop":'
