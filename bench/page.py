"""Write a command's figures into a documentation page, between the two markers of its part."""

from pathlib import Path


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
