"""Write figures into documentation pages: docs/performance.md from its sections, and parts between two markers."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.section import Result, Section, figure

HEAD = (
    "# Performance",
    "",
    "Made by `make bench` from [performance.json](performance.json), which has the figures of each run; do not edit.",
    "[bench/README.md](../bench/README.md) describes the measurements. Machines fluctuate: compare figures of one",
    "section only, and see its load average, the number of processes that wanted to run at the same time.",
)


def put_between(page: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->` of a page.

    Raises:
        ValueError: the page does not have the two markers.

    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{page} has no {begin} with {end}")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{found}{after}", encoding="utf-8")


def load(path: Path) -> dict[str, Result]:
    """Return the stored results by the name of their section; none where there is no file yet."""
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {name: Result.from_json(each) for name, each in stored.items()}


def save(path: Path, results: Mapping[str, Result]) -> None:
    """Store the results, and write the page of the same name with the suffix .md."""
    stored = {name: result.to_json() for name, result in results.items()}
    path.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(page(results), encoding="utf-8")


def page(results: Mapping[str, Result]) -> str:
    """Return the whole page: versions, all targets, and the sections in the order of the results."""
    versions = {
        name: version for each in results.values() if each.section for name, version in each.section.versions.items()
    }
    lines = list(HEAD)
    if versions:
        lines += ["", f"Versions: {', '.join(f'{name} {versions[name]}' for name in sorted(versions))}."]
    lines += ["", "## Targets", "", *_table(("target", "bound", "measured", "verdict", "section"), _targets(results))]
    for name, result in results.items():
        lines += ["", *_part(name, result)]
    return "\n".join(lines) + "\n"


def markdown(section: Section) -> str:
    """Return a section's notes, table and targets without its heading."""
    lines = [*section.notes, "", *_table(section.columns, section.rows)]
    if section.targets:
        lines += ["", *(f"- {each.name}: {each.verdict}" for each in section.targets)]
    return "\n".join(lines)


def _part(name: str, result: Result) -> list[str]:
    if result.section is None:
        return [f"## {name}", "", f"**Not measured**: {result.failed}"]
    section = result.section
    lines = [f"## {section.title}", "", *section.notes]
    if result.machine:
        lines.append(f"{result.machine} `make bench ARGS='--only {name}'` repeats it.")
    if result.failed:
        lines += ["", f"**The last try failed, and these are the figures before it**: {result.failed}"]
    return [*lines, "", *_table(section.columns, section.rows)]


def _targets(results: Mapping[str, Result]) -> Iterator[tuple[str, ...]]:
    for result in results.values():
        for each in result.section.targets if result.section else ():
            bound = f"{'at least' if each.at_least else 'at most'} {figure(each.bound)}{each.unit}"
            measured = "-" if each.measured is None else f"{figure(each.measured)}{each.unit}"
            verdict = each.verdict if each.met else f"**{each.verdict}**"
            assert result.section
            yield each.name, bound, measured, verdict, f"[{result.section.title}](#{_anchor(result.section.title)})"


def _anchor(title: str) -> str:
    """Return the fragment that GitHub gives to a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]] | tuple[tuple[str, ...], ...]) -> list[str]:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]
