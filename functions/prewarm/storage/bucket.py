"""The service's bucket: read and write objects. This is the only module that calls S3."""

import gzip
import json
import zlib
from collections.abc import Iterable
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from prewarm.errors import PrewarmError, TransientError
from prewarm.storage.transient import named_errors, read_whole, unpacked
from prewarm.unpacking import GZIP_WINDOW

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectOutputTypeDef

# The fastest level still compresses to a tenth; compression must not take longer than the fetch that it records.
GZIP_LEVEL = 1


# Error codes of a conditional write that another one has overtaken (S3 API Reference, PutObject, If-Match): the
# object was replaced, is being written, or was deleted.
OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "412", "409"})
# Those of a read with If-None-Match that found the same object.
NOT_MODIFIED = frozenset({"NotModified", "304"})
JSON = "application/json"


class TooLarge(ValueError):
    """An object is larger than its reader accepts; `version` is its ETag."""

    def __init__(self, message: str, version: str) -> None:
        super().__init__(message)
        self.version = version


class Unavailable(PrewarmError):
    """An object that the service can do without cannot be read or written; the message is the reason."""


class Bucket:
    """The objects of the service's bucket, and lists in others.

    `patience`: seconds after which a body that was cut off is not asked for again.
    """

    def __init__(self, s3: "S3Client", bucket: str, patience: float) -> None:
        self._s3, self._bucket, self._patience = s3, bucket, patience

    def location(self, key: str) -> str:
        """Return a key's s3:// address for display."""
        return f"s3://{self._bucket}/{key}"

    def get_list(self, bucket: str, key: str, most_bytes: int) -> bytes:
        """Return the bytes of a URL list or a sitemap in any bucket.

        Raises:
            ValueError: the object does not exist, is not readable, or is larger than `most_bytes`.

        """
        what = f"read s3://{bucket}/{key}"

        def request() -> "StreamingBody":
            response = self._s3.get_object(Bucket=bucket, Key=key)
            if response["ContentLength"] > most_bytes:
                raise ValueError(f"has {response['ContentLength']:,} bytes; at most {most_bytes:,} are read")
            return response["Body"]

        try:
            return read_whole(request, what, patience=self._patience)
        except ClientError as error:
            raise ValueError(f"cannot be read: {error.response['Error'].get('Code', 'unknown error')}") from error

    def upload_form(self, key: str, most_bytes: int, seconds: int) -> dict[str, Any]:
        """Return {"url", "fields"} of a form with which anyone can store this one object, once or again.

        S3 itself enforces key, size and time (S3 API Reference, "Browser-based uploads using POST", "POST policy").
        """
        size = ["content-length-range", 1, most_bytes]
        return self._s3.generate_presigned_post(Bucket=self._bucket, Key=key, Conditions=[size], ExpiresIn=seconds)

    def upload_address(self) -> str:
        """Return the address that the forms of `upload_form` are sent to, the same for each of them."""
        form = self._s3.generate_presigned_post(Bucket=self._bucket, Key="any", ExpiresIn=1)
        return str(form["url"])

    def _exists(self, key: str) -> bool:
        try:
            with named_errors(f"look for {self.location(key)}"):
                self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def _read_range(self, key: str, first: int, last: int) -> bytes:
        """Return an object's bytes from `first` to before `last`, at most to its end; empty if there are none."""
        what = f"read {self.location(key)}"

        def request() -> "StreamingBody":
            return self._s3.get_object(Bucket=self._bucket, Key=key, Range=f"bytes={first}-{last - 1}")["Body"]

        try:
            return read_whole(request, what, patience=self._patience)
        except ClientError as error:
            if error.response["Error"].get("Code") in {"NoSuchKey", "404", "InvalidRange"}:
                return b""
            raise

    def _put_json(self, key: str, document: object, **options: Any) -> str:  # noqa: ANN401 - put_object's own
        self._put(key, _json_of(key, document), ContentType=JSON, **options)
        return key

    def _put_list(self, key: str, entries: Iterable[object], at_once: int) -> None:
        """Store a list at a key that ends in .gz as `_put_json` does, but encode only `at_once` entries at a time."""
        self._put(key, _gzip_of(entries, at_once), ContentType=JSON)

    def _put_once(self, key: str, document: object, *, again: bool = True) -> bool:
        """Store a document unless the key has one; return whether it was stored. `again`: retry a conflict."""
        try:
            self._put_json(key, document, IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"].get("Code")
            if code == "PreconditionFailed":
                return False
            # A simultaneous write of the same key; the retry shows which one was first (S3 API Reference, PutObject).
            if code == "ConditionalRequestConflict" and again:
                return self._put_once(key, document, again=False)
            raise
        return True

    def _get_versioned(self, key: str, most_bytes: int, known: str | None = None) -> tuple[bytes, str] | None:
        """Return an object's bytes and its ETag, None if there is none; no bytes if `known` is still its ETag.

        Raises:
            TooLarge: it is larger than `most_bytes`.
            Unavailable: it cannot be read.

        """
        etag = ""
        unless: dict[str, Any] = {} if known is None else {"IfNoneMatch": known}

        def request() -> "StreamingBody":
            nonlocal etag
            response = self._s3.get_object(Bucket=self._bucket, Key=key, **unless)
            etag = response["ETag"]
            if response["ContentLength"] > most_bytes:
                size = f"has {response['ContentLength']:,} bytes; at most {most_bytes:,} are read"
                raise TooLarge(size, etag)
            return response["Body"]

        try:
            return read_whole(request, f"read {self.location(key)}", patience=self._patience), etag
        except ClientError as error:
            if (code := error.response["Error"].get("Code", "unknown error")) in {"NoSuchKey", "404"}:
                return None
            if known is not None and code in NOT_MODIFIED:
                return b"", known
            raise Unavailable(code) from error
        except TransientError as error:
            raise Unavailable(str(error)) from error

    def _put_version(self, key: str, document: object, version: str | None) -> bool:
        """Store a document if the key still has the version that was read, None for no object; return whether.

        Raises:
            Unavailable: it cannot be written.

        """
        return bool(self._replace(key, _json_of(key, document), version, ContentType=JSON))

    def _replace(self, key: str, body: bytes, version: str | None, **options: Any) -> str:  # noqa: ANN401 - as above
        """Store an object as `_put_version` does; return its new ETag, empty if another write was first."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        try:
            return self._put(key, body, **condition, **options)["ETag"]
        except ClientError as error:
            if (code := error.response["Error"].get("Code", "unknown error")) in OVERTAKEN:
                return ""
            raise Unavailable(code) from error
        except TransientError as error:
            raise Unavailable(str(error)) from error

    def _put(self, key: str, body: bytes, **options: Any) -> "PutObjectOutputTypeDef":  # noqa: ANN401 - put_object's own
        """Store an object; return S3's response."""
        with named_errors(f"write {self.location(key)}"):
            return self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, **options)

    def _get_json(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        what = f"read {self.location(key)}"

        def request() -> "StreamingBody":
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]

        try:
            body = read_whole(request, what, patience=self._patience)
        except ClientError as error:
            # A 404 whose body was cut off has no other code.
            if error.response["Error"].get("Code") in {"NoSuchKey", "404"}:
                return None
            raise
        return json.loads(unpacked(body, what) if key.endswith(".gz") else body)

    def _need_json(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        document = self._get_json(key)
        if document is None:
            raise FileNotFoundError(f"{self.location(key)} is missing")
        return document


def _json_of(key: str, document: object) -> bytes:
    """Return a document as it is stored at a key, compressed if the key ends in .gz."""
    text = _encoded(document)
    return gzip.compress(text, GZIP_LEVEL) if key.endswith(".gz") else text


def _encoded(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _gzip_of(entries: Iterable[object], at_once: int) -> bytes:
    """Return a list as it is stored at a key that ends in .gz; `at_once` entries are encoded at a time."""
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
    parts, rest, separator = [compressor.compress(b"[")], iter(entries), b""
    while some := list(islice(rest, at_once)):
        parts.append(compressor.compress(separator + _encoded(some)[1:-1]))
        separator = b","
    return b"".join([*parts, compressor.compress(b"]"), compressor.flush()])
