"""What a run took from its sources and what it left out, with reasons and examples. Pure."""

from dataclasses import dataclass, field
from typing import Any

from prewarm.planning.source_documents import SourceDocuments
from prewarm.urls import redacted

# Examples kept of each reason: enough to find the entries, few enough for a plan that every poll reads.
EXAMPLES_SHOWN = 3
EXAMPLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Entries of one source that the run does not warm: a reason, their number, the first of them.

    `skipped`: they cannot be warmed; otherwise the request chose so, or warming does not need them.
    """

    reason: str
    count: int
    examples: tuple[str, ...] = ()
    skipped: bool = True


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source (`sitemap[0]`): its address, the URLs that it gives to the run, and what it left out.

    `parts`: the files of an index, the playlists or Representations of a manifest; `parts_skipped`: those that
    cannot be read; `documents`: what was read, with X-Cache and Age.
    """

    source: str
    address: str
    urls: int
    left_out: tuple[LeftOut, ...] = ()
    parts: int = 0
    parts_skipped: int = 0
    documents: SourceDocuments = field(default_factory=SourceDocuments)

    @property
    def skipped(self) -> int:
        """Return the number of entries that cannot be warmed."""
        return sum(each.count for each in self.left_out if each.skipped)

    @property
    def mostly_skipped(self) -> bool:
        """Return whether more than half of the entries to warm, or of the parts that list them, were skipped."""
        return self.skipped > self.urls or 2 * self.parts_skipped > self.parts

    def as_json(self) -> dict[str, Any]:
        """Return the report in the form of status, dry run and report, without secrets."""
        return {
            "source": self.source,
            "address": redacted(self.address),
            "urls": self.urls,
            "skipped": self.skipped,
            "parts": self.parts,
            "partsSkipped": self.parts_skipped,
            "leftOut": [
                {
                    "reason": each.reason,
                    "count": each.count,
                    "skipped": each.skipped,
                    "examples": [redacted(text) for text in each.examples],
                }
                for each in self.left_out
            ],
            "documentsRead": self.documents.read,
            "documentsFromCache": self.documents.cached,
            "documents": [each.as_json() for each in self.documents.listed],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "SourceReport":
        """Read a stored report."""
        left_out = tuple(LeftOut(**each | {"examples": tuple(each["examples"])}) for each in document["left_out"])
        documents = SourceDocuments.from_json(document.get("documents"))
        return cls(**document | {"left_out": left_out, "documents": documents})

    def lines(self) -> list[str]:
        """Return a warning for each reason for which entries were skipped."""
        return [f"{self.source}: {left_out_line(each)}" for each in self.left_out if each.skipped]


def left_out_line(each: LeftOut) -> str:
    """Return one reason as a line: number, reason, examples."""
    entries = "1 entry" if each.count == 1 else f"{each.count:,} entries"
    examples = ", ".join(redacted(text) for text in each.examples)
    return f"{entries} {'skipped' if each.skipped else 'left out'}: {each.reason}" + (
        f" (such as {examples})" if examples else ""
    )


def mostly_skipped(reports: tuple[SourceReport, ...]) -> str:
    """Return the first line of every output of a run whose sources were mostly skipped, else an empty text."""
    found = [
        f"{each.source}: {each.skipped:,} of {each.skipped + each.urls:,} entries cannot be warmed and were skipped"
        + (f", including {each.parts_skipped:,} of its {each.parts:,} parts" if each.parts_skipped else "")
        for each in reports
        if each.mostly_skipped
    ]
    return f"{'; '.join(found)}; repair the source, or accept it with strict_sources: false" if found else ""
