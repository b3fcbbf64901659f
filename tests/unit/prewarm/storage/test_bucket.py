"""Lists that are encoded some entries at a time are stored as one document."""

import gzip
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prewarm.storage.bucket import Bucket

ENTRIES = st.lists(st.text(max_size=9) | st.integers() | st.lists(st.integers(), max_size=3), max_size=9)


class Stored:
    """Takes the place of the S3 client, and keeps the body of the last write."""

    body = b""

    def put_object(self, *, Body: bytes, **_: Any) -> None:  # noqa: N803 - the API's name
        self.body = Body


@given(ENTRIES, st.integers(1, 4))
def test_list_in_parts_is_stored_as_the_whole_one(entries: list[Any], at_once: int) -> None:
    s3: Any = Stored()
    bucket = Bucket(s3, "bucket", 1.0)
    bucket._put_json("whole.json.gz", entries)
    whole = gzip.decompress(s3.body)
    bucket._put_list("parts.json.gz", iter(entries), at_once)
    assert gzip.decompress(s3.body) == whole
    assert json.loads(whole) == entries
