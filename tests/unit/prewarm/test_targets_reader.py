"""The reader of the CSV of targets gives what reading it row by row gives, however its text comes in pieces."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prewarm.targets_blocks
from prewarm.targets_csv import MOST_COUNT, Pair
from prewarm.targets_reader import TargetsReader

Quoting = Literal[0, 1, 2, 3]
Result = tuple[list[tuple[int, Pair]], str]

HEADERS = st.sampled_from(
    ["url,pop,requests,bytes", "url,pop", "POP,note,URL", "requests,url,bytes,pop", '"url","pop","requests","bytes"']
)
URL_CELLS = st.sampled_from(
    ["https://a.example/x", "https://a.example/y,z", " https://a.example/x ", 'https://a.example/"q"', "", "#x",
     "\u3000", "https://a.example/\u00e9", "two\nlines", "two\r\nlines"]
)  # fmt: skip
POP_CELLS = st.sampled_from(["NRT57-P3", "SYD1-C1", "nrt57-p3", " SYD1-C1", "SYD", ""])
COUNT_CELLS = st.sampled_from(["0", "7", "007", "9" * 15, "9" * 16, "9" * 25, " 7", "-1", "1_0", "\u0665", "", "+3"])
USUAL_ROWS = st.tuples(
    st.sampled_from(["https://a.example/x", "https://a.example/y", "https://b.example/"]),
    st.sampled_from(["NRT57-P3", "SYD1-C1"]),
    st.integers(0, 2**49).map(str),
    st.integers(0, 2**49).map(str),
)
ROWS = st.one_of(USUAL_ROWS, USUAL_ROWS, USUAL_ROWS, st.tuples(URL_CELLS, POP_CELLS, COUNT_CELLS, COUNT_CELLS))
STYLES: st.SearchStrategy[Quoting] = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return a text that is mostly a list of targets, in one style, with a few odd rows and characters."""
    header, style, end = draw(HEADERS), draw(STYLES), draw(ENDS)
    names = [name.strip('"').lower() for name in header.split(",")]
    table = io.StringIO(newline="")
    table.write(draw(st.sampled_from(["", "\ufeff", "#traffic,requests=9\n", "\n"])) + header + end)
    writer = csv.writer(table, quoting=style, lineterminator=end)
    for row in draw(st.lists(ROWS, max_size=12)):
        cells = dict(zip(("url", "pop", "requests", "bytes"), row, strict=True))
        writer.writerow([cells.get(name, "note") for name in names])
        table.write(
            draw(st.sampled_from([""] * 30 + ["\n", ",,,\n", "a,b,c,d,e,f\n", '"', "#end,pairs=1,requests=7\n"]))
        )
    text = table.getvalue()
    return text.rstrip("\r\n") if draw(st.booleans()) else text


def by_rows(text: str) -> Result:
    """Return the pairs and the error of a text, read in the most simple way."""
    pairs: list[tuple[int, Pair]] = []
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    names: list[str] = []
    ended, line = False, 1
    try:
        for row in reader:
            first, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if ended or row[0].startswith("#"):
                if ended or not _is_mark(row, pairs, is_first=not names):
                    return pairs, f"line {first}"
                ended = bool(names)
            elif not names:
                names = [cell.strip().lower() for cell in row]
                if not {"url", "pop"} <= set(names):
                    return pairs, f"line {first}"
            else:
                if len(row) > len(names):
                    return pairs, f"line {first}"
                cells = {"requests": "1", "bytes": "0"} if len(row) == len(names) else {}
                cells |= {name: cell.strip() for name, cell in zip(names, row, strict=False)}
                if (pair := _pair_of(cells, names)) is None:
                    return pairs, f"line {first}"
                pairs.append((first, pair))
    except csv.Error:
        return pairs, f"line {reader.line_num}"
    return pairs, "" if names else "is empty"


def _is_mark(row: Sequence[str], pairs: Sequence[tuple[int, Pair]], *, is_first: bool) -> bool:
    if is_first:
        return row[0] == "#traffic"
    return list(row) == ["#end", f"pairs={len(pairs)}", f"requests={sum(pair.requests for _, pair in pairs)}"]


def _pair_of(cells: dict[str, str], names: Sequence[str]) -> Pair | None:
    cells = {"requests": "" if "requests" in names else "1", "bytes": "" if "bytes" in names else "0"} | cells
    counts = [cells[name] for name in ("requests", "bytes")]
    pop = cells.get("pop", "").upper()
    if not cells.get("url") or not re.fullmatch(r"[A-Z]{3}[0-9]{1,3}-[A-Z][0-9]{1,3}", pop):
        return None
    if not all(re.fullmatch("[0-9]{1,24}", count) and int(count) <= MOST_COUNT for count in counts):
        return None
    return Pair(cells["url"], pop, int(counts[0]), int(counts[1]))


def by_reader(pieces: Sequence[str], longest_line: int | None = None) -> Result:
    """Return the pairs that the reader yields, and the begin of its error's message."""
    found: list[tuple[int, Pair]] = []
    reader = TargetsReader(pieces, longest_line=longest_line)
    message = ""
    try:
        found.extend(reader)
    except ValueError as error:
        message = " ".join(re.split("[,: ]", str(error))[:2])
    else:
        assert (reader.pairs, reader.requests) == (len(found), sum(pair.requests for _, pair in found))
    return found, message


def pieces_of(text: str, cuts: Sequence[int]) -> list[str]:
    ends = sorted(min(cut, len(text)) for cut in cuts)
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


@given(texts(), st.lists(st.integers(0, 400), max_size=6), st.sampled_from([1, 20, 60, 200, 65_536]))
def test_rows_that_are_read_together_are_those_that_are_read_one_by_one(
    text: str, cuts: list[int], block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prewarm.targets_blocks, "BLOCK", block)
        assert by_reader(pieces_of(text, cuts)) == by_rows(text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_thousands_of_rows_are_read_with_their_lines(quoting: Quoting, end: str) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table, quoting=quoting, lineterminator=end)
    pairs = [Pair(f"https://a.example/{n % 70},x", f"NRT{n % 90 + 1}-P3", n, n + 1) for n in range(5_000)]
    writer.writerows([("url", "pop", "requests", "bytes"), *pairs])
    text = table.getvalue()
    found, message = by_reader([text[at : at + 1_000] for at in range(0, len(text), 1_000)], longest_line=65_536)
    assert (found, message) == (list(enumerate(pairs, start=2)), "")
    damaged = text + f'"https://a.example/""",NRT1-P3,1,1{end}x,y{end}'
    assert by_reader([damaged])[1] == "line 5003"


def test_lines_with_too_many_and_too_few_cells_are_refused_though_their_sum_is_right() -> None:
    usual = "https://a.example/,NRT57-P3,1,1\n"
    text = "url,pop,requests,bytes\n" + usual + usual[:-1] + ",b,NRT57-P3,1,1\na\nNRT57-P3\n5\n6\n" + usual
    assert by_reader([text]) == ([(2, Pair("https://a.example/", "NRT57-P3", 1, 1))], "line 3")
    quoted = '"url","pop"\n"a","NRT57-P3","b","NRT57-P3"\n"c"\n"NRT57-P3"\n'
    assert by_reader([quoted]) == ([], "line 2")


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_line_that_is_too_long_is_refused_after_the_lines_before_it(end: str) -> None:
    head = f"url,pop{end}https://a.example/,NRT57-P3{end}"
    for long in ("x" * 99 + end, "x" * 99, "x" * 5_000):
        pieces = [(head + long)[at : at + 7] for at in range(0, len(head + long), 7)]
        assert by_reader(pieces, longest_line=99) == ([(2, Pair("https://a.example/", "NRT57-P3"))], "line 3")
    fits = head + "https://a.example/," + "NRT57-P3".rjust(98 - 20) + end
    assert by_reader([fits], longest_line=99) == by_rows(fits)


def test_pairs_before_a_damaged_text_are_yielded() -> None:
    def damaged() -> Iterator[str]:
        yield "url,pop\nhttps://a.example/,NRT57-P3\nhttps://a.exam"
        raise ValueError("is damaged")

    reader = TargetsReader(damaged()).rows()
    assert list(next(reader).urls) == ["https://a.example/"]
    with pytest.raises(ValueError, match="is damaged"):
        next(reader)
