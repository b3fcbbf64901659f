"""Decode documents: gzip up to a size limit, and XML without a document type."""

import xml.etree.ElementTree as ET
import zlib
from typing import Any
from xml.parsers import expat

GZIP_MAGIC = b"\x1f\x8b"
# zlib: expect a gzip header and trailer.
GZIP_WINDOW = 16 + zlib.MAX_WBITS


def decompressed(body: bytes, most_bytes: int) -> bytes:
    """Return a body, decompressed if it is gzip; several members, as `cat a.gz b.gz` makes them, are joined.

    Raises:
        ValueError: the gzip is broken, or larger than `most_bytes` decompressed.

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
            raise ValueError(f"is larger than {most_bytes:,} bytes decompressed")
        if not member.eof:
            raise ValueError("is broken gzip: it ends too early")
        body = member.unused_data.lstrip(b"\0")
    return bytes(whole)


def read_xml(body: bytes) -> ET.Element:
    """Return an XML document's root, its elements named without their namespaces.

    A document type is rejected: it can define entities that expand without limit, or name files to include.

    Raises:
        ValueError: the body is not XML, or has a document type.

    """
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def reject(*_: Any) -> None:  # noqa: ANN401 - expat's own
        raise ValueError("has a document type (<!DOCTYPE>), which is not allowed; remove it")

    parser.StartDoctypeDeclHandler = reject
    parser.StartElementHandler = lambda name, attributes: builder.start(
        local_name(name), {local_name(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: builder.end(local_name(name))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ValueError(f"is not XML: {error}") from error
    return builder.close()


def local_name(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition(" ")[2]
