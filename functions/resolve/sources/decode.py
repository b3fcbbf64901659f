"""Unpacks documents: gzip where they are packed, never more than a limit; XML without a document type."""

import xml.etree.ElementTree as ET
import zlib
from typing import Any
from xml.parsers import expat

GZIP_MAGIC = b"\x1f\x8b"
# zlib: take a gzip header and trailer.
GZIP_WINDOW = 16 + zlib.MAX_WBITS


def unpacked(body: bytes, most_bytes: int) -> bytes:
    """Return a body, unpacked if it is gzip (members one after the other, as `cat a.gz b.gz` makes them, too).

    Raises:
        ValueError: it is broken, or larger than `most_bytes` unpacked.

    """
    if not body.startswith(GZIP_MAGIC):
        return body
    whole = bytearray()
    while body:
        member = zlib.decompressobj(GZIP_WINDOW)
        try:
            whole += member.decompress(body, most_bytes + 1 - len(whole))
        except zlib.error as error:
            raise ValueError(f"is broken gzip: {error}") from error
        if len(whole) > most_bytes:
            raise ValueError(f"is larger than {most_bytes:,} bytes unpacked")
        if not member.eof:
            raise ValueError("is broken gzip: it ends too early")
        body = member.unused_data.lstrip(b"\0")
    return bytes(whole)


def read_xml(body: bytes) -> ET.Element:
    """Return an XML document's root, its elements named without their namespaces.

    A document type is refused: it can define entities that grow without end, or name files to be read in.

    Raises:
        ValueError: it is no XML, or has a document type.

    """
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: Any) -> None:  # noqa: ANN401 - expat's own
        raise ValueError("has a document type (<!DOCTYPE>), which is not read")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, given: builder.start(
        local(name), {local(k): v for k, v in given.items()}
    )
    parser.EndElementHandler = lambda name: builder.end(local(name))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ValueError(f"is no XML: {error}") from error
    return builder.close()


def local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition(" ")[2]
