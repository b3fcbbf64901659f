"""Lists of URLs: text, CSV, JSON or JSON lines. The command and the service read them with this module.

Kept free of the parser of URLs, so that the base command can import it. Every format may be in UTF-8, or in UTF-16 or
UTF-32 (Excel's "Unicode text"), with or without a byte order mark.
"""

import codecs
import io
import json
import re
from collections.abc import Iterator
from typing import TextIO

from prewarm.json_text import RepeatedName, read_json
from prewarm.request.url_table import read_table

COMMENT = re.compile(r"(?:^|\s)#.*")
# The characters at a list's beginning that decide on its format: more than its first line has, so that a first URL of
# any length that the command sends, or a first name, is seen whole.
PEEK = 1024 * 1024
# A document in JSON is in memory as a whole, with up to 20 times its size; larger lists are lines.
JSON_BYTES = 32 * 1024 * 1024
# A list by this name is lines of JSON, however long its first line.
JSON_LINES = (".jsonl", ".ndjson")
# In a name that a tool separates by NUL, these characters are not an URL's delimiters.
NAME_CHARACTERS = {"%": "%25", "#": "%23", "?": "%3F"}
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The first bytes of files that are not lists, by what they are (the formats' own specifications).
PACKED = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\0": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
}


def read_url_list(body: bytes, name: str = "") -> Iterator[tuple[int, str]]:
    """Yield each URL of a list with its line (in a JSON list its position), counted from 1.

    Args:
        body: the list, not compressed.
        name: its file name; `.csv` and `.tsv` are tables, `.jsonl` and `.ndjson` JSON lines.

    Text has one URL per line; a # at the start of a line or after a space begins a comment. Entries separated by NUL,
    as `git diff -z` writes them, are names: %, # and ? in them are percent-encoded. Tables are those of
    url_table.py. JSON is a list of strings, an object with `url_list`, or a string or an object with `url` per line.

    Raises:
        ValueError: the list is not in its format or encoding; the message continues a sentence with its name.

    """
    _check_packing(body)
    text = io.TextIOWrapper(io.BytesIO(body), encoding=_encoding(body), newline="")
    plain_name = name.lower().removesuffix(".gz")
    try:
        head = text.read(PEEK)
        text.seek(0)
        bare = head.lstrip("\ufeff \t\r\n")
        is_cut_line = len(head) == PEEK and "\n" not in bare and plain_name.endswith(JSON_LINES)
        if bare[:1] == "[" or (bare[:1] == "{" and not is_cut_line and not _is_json_lines(bare)):
            yield from _json(body, text)
        elif bare[:1] == "{":
            yield from _json_lines(text)
        elif "\0" in head:
            yield from _names(text.read())
        elif plain_name.endswith((".csv", ".tsv")):
            yield from read_table(text, tabs=plain_name.endswith(".tsv"))
        elif _begins_with_json_string(bare):
            yield from _json_lines(text)
        else:
            for number, line in enumerate(text, start=1):
                if url := COMMENT.sub("", line).strip("\ufeff \t\r\n\f\v"):
                    yield number, url
    except UnicodeDecodeError as error:
        # The error's position is one in a piece of the body.
        decoded(body, error.encoding)
        raise


def _check_packing(body: bytes) -> None:
    """Refuse a file of another kind, which is not text in any encoding."""
    for magic, packing in PACKED.items():
        if body.startswith(magic):
            raise ValueError(f"is {packing}; unpack it, or use gzip")


def decoded(body: bytes, encoding: str) -> str:
    """Return a body as text.

    Raises:
        ValueError: it is not in its encoding; the message has the line, and continues a sentence with its name.

    """
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body[: error.start].decode(encoding, "ignore").count("\n") + 1
        found = f"line {line} has the byte 0x{body[error.start]:02x} ({error.reason})"
        raise ValueError(f"is not text in {error.encoding.upper()}: {found}; save it as UTF-8") from error


def _encoding(body: bytes) -> str:
    """Return the encoding of a list: its mark, the zeros around its first character, or UTF-8."""
    for mark, name in MARKS:
        if body.startswith(mark):
            return name
    zeros = "".join("x" if byte else "0" for byte in body[:4])
    return {"0x0x": "utf-16-be", "x0x0": "utf-16-le", "000x": "utf-32-be", "x000": "utf-32-le"}.get(zeros, "utf-8")


def _is_json_lines(text: str) -> bool:
    """Return whether the first line is a whole JSON object and another line follows it, or it has a URL."""
    first, _, rest = text.partition("\n")
    try:
        document = read_json(first)
    except RepeatedName:
        return bool(rest.strip())
    except ValueError:
        return False
    return isinstance(document, dict) and ("url" in document or ("url_list" not in document and bool(rest.strip())))


def _begins_with_json_string(text: str) -> bool:
    """Return whether the first line is a JSON string, as a list of quoted URLs has it."""
    try:
        return text[:1] == '"' and isinstance(read_json(text.partition("\n")[0]), str)
    except ValueError:
        return False


def _json_lines(text: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text, start=1):
        if not (bare := line.strip("\ufeff \t\r\n")):
            continue
        try:
            url = _url_of(read_json(bare))
        except RepeatedName as error:
            raise ValueError(f"is not JSON lines: line {number}: {error}") from error
        except ValueError as error:
            raise ValueError(f"is not JSON lines: line {number} is not JSON") from error
        if url is None:
            raise ValueError(f'is not JSON lines with URLs such as {{"url": "https://…"}}: see line {number}')
        yield number, url


def _url_of(entry: object) -> str | None:
    """Return an entry's URL: the entry itself, or its `url`."""
    url = entry.get("url") if isinstance(entry, dict) else entry
    return url if isinstance(url, str) else None


def _json(body: bytes, text: TextIO) -> Iterator[tuple[int, str]]:
    if len(body) > JSON_BYTES:
        raise ValueError(f"is JSON with more than {JSON_BYTES:,} bytes; use lines of text, or JSON lines")
    source = text.read().lstrip("\ufeff")
    try:
        document = read_json(source)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from error
    except RepeatedName as error:
        raise ValueError(f"is not one list: {error}") from error
    listed = document.get("url_list") if isinstance(document, dict) else document
    entries = listed if isinstance(listed, list) else [None]
    urls: list[str] = []
    for entry in entries:
        if (url := _url_of(entry)) is None:
            where = f"; see entry {len(urls) + 1}" if entries is listed else ""
            expected = '["https://…"] or {"url_list": ["https://…"]}'
            raise ValueError(f"is not a JSON list of URLs such as {expected}{where}")
        urls.append(url)
    yield from enumerate(urls, start=1)


def _names(text: str) -> Iterator[tuple[int, str]]:
    for number, name in enumerate(text.split("\0"), start=1):
        if name:
            yield number, "".join(NAME_CHARACTERS.get(sign, sign) for sign in name)
