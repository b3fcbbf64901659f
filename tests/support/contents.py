"""Plain copies, found from all parts of a run at once."""

from collections.abc import Sequence

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.encodings import CompressedCopies, copies_of, plain_pops
from prewarm.results.part_cells import PartCells


def uncompressed_pops(plan: Plan, parts: Sequence[BatchResult]) -> dict[int, tuple[str, ...]]:
    """Return by URL index the POPs that gave a plain copy where others gave, or the settings expect, another one."""
    cells, variants = PartCells(plan), len(plan.variants)
    compressed = CompressedCopies(plan.url_count * variants)
    for part in parts:
        compressed.add(part.encodings, copies_of(cells, part, variants))
    return plain_pops(parts, compressed, cells, variants)
