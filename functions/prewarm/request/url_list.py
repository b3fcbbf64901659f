"""Lists of URLs: text, CSV, JSON or JSON lines. The command and the service read them with this module.

Kept free of the parser of URLs, so that the base command can import it. Every format may be in UTF-8, or in UTF-16 or
UTF-32 (Excel's "Unicode text"), with or without a byte order mark.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import TextIO

COMMENT = re.compile(r"(?:^|\s)#.*")
# The characters at a list's beginning that decide on its format.
PEEK = 4_096
# A document in JSON is in memory as a whole, with up to 20 times its size; larger lists are lines.
JSON_BYTES = 32 * 1024 * 1024
# The rows that decide which character separates a CSV's columns if no header does.
ROWS_PEEKED = 20
SEPARATORS = "\t;,"
# `;name=value` belongs to a path (RFC 3986, section 3.3).
MATRIX_PARAMETER = re.compile(r";[\w.-]+=")
# In a name that a tool separates by NUL, these characters are not an URL's delimiters.
NAME_CHARACTERS = {"%": "%25", "#": "%23", "?": "%3F"}
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_url_list(body: bytes, name: str = "") -> Iterator[tuple[int, str]]:
    """Yield each URL of a list with its line (in a JSON list its position), counted from 1.

    Args:
        body: the list, not compressed.
        name: its file name; `.csv` and `.tsv` are tables.

    Text has one URL per line; a # at the start of a line or after a space begins a comment. Entries separated by NUL,
    as `git diff -z` writes them, are names: %, # and ? in them are percent-encoded. A table has its URLs in the
    column with the header `url`, else in the first. JSON is a list of strings, an object with `url_list`, or a string
    or an object with `url` per line.

    Raises:
        ValueError: the list is not in its format or encoding; the message continues a sentence with its name.

    """
    text = io.TextIOWrapper(io.BytesIO(body), encoding=_encoding(body), newline="")
    try:
        head = text.read(PEEK)
        text.seek(0)
        bare = head.lstrip("\ufeff \t\r\n")
        if bare[:1] == "[" or (bare[:1] == "{" and not _is_json_lines(bare)):
            yield from _json(body, text)
        elif bare[:1] == "{":
            yield from _json_lines(text)
        elif "\0" in head:
            yield from _names(text.read())
        elif name.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
            yield from _table(text)
        elif _begins_with_json_string(bare):
            yield from _json_lines(text)
        else:
            for number, line in enumerate(text, start=1):
                if url := COMMENT.sub("", line).strip("\ufeff \t\r\n\f\v"):
                    yield number, url
    except UnicodeDecodeError as error:
        raise ValueError(f"is not text in {error.encoding.upper()}: {error.reason}; save it as UTF-8") from error


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
        document = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and ("url" in document or ("url_list" not in document and bool(rest.strip())))


def _begins_with_json_string(text: str) -> bool:
    """Return whether the first line is a JSON string, as a list of quoted URLs has it."""
    try:
        return text[:1] == '"' and isinstance(json.loads(text.splitlines()[0]), str)
    except ValueError:
        return False


def _json_lines(text: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text, start=1):
        if not (bare := line.strip("\ufeff \t\r\n")):
            continue
        try:
            url = _url_of(json.loads(bare))
        except (ValueError, RecursionError) as error:
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
        raise ValueError(f"is JSON of more than {JSON_BYTES:,} bytes; use lines of text, or JSON lines")
    try:
        document = json.loads(text.read().lstrip("\ufeff"))
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from error
    listed = document.get("url_list") if isinstance(document, dict) else document
    urls = [_url_of(entry) for entry in listed] if isinstance(listed, list) else [None]
    if not all(url is not None for url in urls):
        raise ValueError('is not a JSON list of URLs such as ["https://…"] or {"url_list": ["https://…"]}')
    yield from ((number, url) for number, url in enumerate(urls, start=1) if url is not None)


def _names(text: str) -> Iterator[tuple[int, str]]:
    for number, name in enumerate(text.split("\0"), start=1):
        if name:
            yield number, "".join(NAME_CHARACTERS.get(sign, sign) for sign in name)


def _table(text: TextIO) -> Iterator[tuple[int, str]]:
    """Yield the column with the header `url`, else the first column."""
    first = list(islice(text, ROWS_PEEKED))
    skipped = 0
    separator = ""
    if first and (named := re.fullmatch(r"\ufeff?sep=(.)\s*", first[0])):
        # Excel's own way to name the separator.
        separator, skipped, first = named[1], 1, first[1:]
    rows = csv.reader(chain(first, text), delimiter=separator or _separator(first))
    column = None
    try:
        for row in rows:
            if not any(cell.strip("\ufeff \t") for cell in row) or row[0].startswith("#"):
                continue
            if column is None:
                names = [cell.strip("\ufeff \t").lower() for cell in row]
                column = names.index("url") if "url" in names else 0
                if "url" in names:
                    continue
            yield rows.line_num + skipped, row[column].strip("\ufeff \t") if column < len(row) else ""
    except csv.Error as error:
        raise ValueError(f"is not CSV: line {rows.line_num + skipped}: {error}") from error


def _separator(lines: list[str]) -> str:
    """Return the character that separates a table's columns.

    A header with `url` decides; else the first of tab, semicolon and comma that each of the first rows has equally
    often, a semicolon not as a parameter in a path; else it is the comma.
    """
    lines = [line for line in lines if line.strip("\ufeff \t\r\n") and not line.startswith("#")]
    for separator in SEPARATORS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        except csv.Error:
            continue
        if not rows or len(rows[0]) < 2:  # noqa: PLR2004 - one column
            continue
        if "url" in [cell.strip("\ufeff \t").lower() for cell in rows[0]]:
            return separator
    for separator in "\t;":
        counts = {line.count(separator) for line in lines}
        if len(counts) == 1 and counts != {0}:
            in_paths = separator == ";" and any(MATRIX_PARAMETER.search(line) for line in lines)
            if not in_paths:
                return separator
    return ","
