"""The documents that a run read its sources from, and whether each came from a cache. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prewarm.urls import redacted

# Documents that a run's plan lists in all, and at least of each source, since every poll reads the plan; the rest are
# counted.
DOCUMENTS_SHOWN, SHOWN_OF_EACH = 500, 5
# Documents that a warning names.
NAMED_IN_WARNING = 3
# Where a document came from: the origin, during this run; an edge, after the run invalidated it; a cache, so that it
# may be older than the site; S3.
ORIGIN, INVALIDATED, CACHE, S3 = "origin", "invalidated", "cache", "s3"


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """One document, or one redirect on the way to it: its address, X-Cache, Age in seconds, and where it came from.

    `reason`: why the run read it from a cache although it invalidates; empty if it does not.
    """

    address: str
    x_cache: str
    age: int | None
    origin: str
    reason: str = ""

    @property
    def cached(self) -> bool:
        """Return whether the document may be older than the site."""
        return self.origin == CACHE

    def as_json(self) -> dict[str, Any]:
        """Return the document in the form of status, dry run and report, without secrets."""
        return {"url": redacted(self.address), "xCache": self.x_cache, "age": self.age, "origin": self.origin}

    def line(self) -> str:
        """Return the document's address with its headers, without secrets."""
        age = "absent" if self.age is None else f"{self.age} s"
        return f"{redacted(self.address)} (X-Cache: {self.x_cache or 'absent'}, Age: {age})"


@dataclass(frozen=True, slots=True)
class SourceDocuments:
    """The documents of one source: `listed` ones, how many were read, how many of them came from a cache."""

    listed: tuple[ReadDocument, ...] = ()
    read: int = 0
    cached: int = 0

    @classmethod
    def of(cls, documents: Sequence[ReadDocument], sources: int) -> "SourceDocuments":
        """Return the documents of one of `sources` sources; where they are too many, those of a cache are listed."""
        most = max(SHOWN_OF_EACH, DOCUMENTS_SHOWN // max(1, sources))
        cached = sum(each.cached for each in documents)
        listed = documents if len(documents) <= most else sorted(documents, key=lambda each: not each.cached)[:most]
        return cls(tuple(listed), len(documents), cached)

    @classmethod
    def from_json(cls, document: dict[str, Any] | None) -> "SourceDocuments":
        """Read stored documents; a plan of an earlier version has none."""
        if document is None:
            return cls()
        return cls(**document | {"listed": tuple(ReadDocument(**each) for each in document["listed"])})

    def warnings(self, source: str, *, invalidates: bool, dry_run: bool) -> list[str]:
        """Return a warning for documents that came from a cache; `invalidates`: whether the request does."""
        found = [each for each in self.listed if each.cached]
        if not found:
            return []
        named = ", ".join(each.line() for each in found[:NAMED_IN_WARNING])
        count = f"{self.cached:,} of {self.read:,} documents" if self.read > 1 else "the document"
        what = f"{source}: {count} came from a cache, so the content may be older than the site: {named}"
        if invalidates and dry_run:
            return [f"{what}; the run invalidates and reads it again first, so its figures may differ"]
        if invalidates:
            reasons = "; ".join(dict.fromkeys(each.reason for each in found if each.reason))
            return [f"{what}; {reasons}"]
        return [f"{what}; set invalidate to read the newest version, or pass the sitemap as s3://bucket/key"]
