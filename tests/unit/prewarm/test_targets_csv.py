"""The CSV of targets: what is written is read again, and every damage is named with line and column."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.targets_csv import Pair, TargetsError, Traffic, write_targets
from prewarm.targets_reader import TargetsReader

TRAFFIC = Traffic(1000, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", {50: 3, 95: 41, 99.5: 90})
POPS = st.from_regex(r"[A-Z]{3}[1-9][0-9]?-[CP][1-9]", fullmatch=True)
URLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40).map(
    lambda text: f"https://www.example.com/{text}".strip()
)
COUNTS = st.integers(0, 2**53)
PAIRS = st.lists(st.builds(Pair, URLS, POPS, COUNTS, COUNTS), max_size=20)


def read(text: str, *, needs_end: bool = False) -> tuple[list[Pair], TargetsReader]:
    reader = TargetsReader(io.StringIO(text, newline=""), needs_end=needs_end)
    return [pair for _, pair in reader], reader


@given(PAIRS, st.sampled_from([None, TRAFFIC, Traffic(0)]))
def test_written_targets_are_read_again(pairs: list[Pair], traffic: Traffic | None) -> None:
    file = io.StringIO()
    assert write_targets(pairs, file, traffic) == len(pairs)
    found, reader = read(file.getvalue(), needs_end=True)
    assert (found, reader.traffic, reader.ended) == (pairs, traffic, True)
    assert (reader.pairs, reader.requests) == (len(pairs), sum(pair.requests for pair in pairs))


@given(st.lists(st.builds(Pair, URLS, POPS, COUNTS, COUNTS), min_size=1, max_size=9), st.data())
def test_a_stream_that_is_cut_anywhere_is_refused(pairs: list[Pair], data: st.DataObject) -> None:
    file = io.StringIO()
    write_targets(pairs, file, TRAFFIC)
    whole = file.getvalue()
    cut = whole[: data.draw(st.integers(0, len(whole) - len(",requests=0") - 17))]
    with pytest.raises(TargetsError):
        read(cut, needs_end=True)


def test_columns_in_another_order_and_without_counts_are_read() -> None:
    assert read("\ufeffPOP,URL\r\nnrt57-p3,https://a.example/\r\n\r\n")[0] == [Pair("https://a.example/", "NRT57-P3")]


def test_a_quoted_url_keeps_commas_quotes_and_lines_are_counted() -> None:
    text = 'url,pop,requests,bytes\n"https://a.example/x,""y""",NRT57-P3,1,2\n'
    reader = TargetsReader(io.StringIO(text, newline=""))
    assert list(reader) == [(2, Pair('https://a.example/x,"y"', "NRT57-P3", 1, 2))]


HEADER = "url,pop,requests,bytes\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; it needs the header url,pop,requests,bytes"),
        ("#traffic,requests=5\n", "is empty; it needs the header"),
        ("https://a.example/\n", "line 1, column url: is missing; expected the header"),
        ("url,requests\n", "line 1, column pop: is missing"),
        ("url,pop,url\n", "line 1: the header names a column twice"),
        ("url;pop;requests\n", "line 1: semicolons separate the cells; save the list with commas"),
        ("URL\tpop\n", "line 1: tabs separate the cells; save the list with commas"),
        ("#traffic;requests=5\n", "line 1: semicolons separate the cells; save the list with commas"),
        (HEADER + ",NRT57-P3,1,1\n", "line 2, column url: is empty"),
        (HEADER + "\nhttps://a.example/,tokyo,1,1\n", "line 3, column pop: 'TOKYO' is not a POP id"),
        (HEADER + "https://a.example/\n", "line 2, column pop: '' is not a POP id"),
        (HEADER + "https://a.example/,NRT57-P3,-1,1\n", "line 2, column requests: '-1' is not a whole number"),
        (HEADER + "https://a.example/,NRT57-P3,1\n", "line 2, column bytes: '' is not a whole number"),
        (HEADER + "https://a.example/,NRT57-P3,1,1e3\n", "line 2, column bytes: '1e3' is not a whole number"),
        (HEADER + "https://a.example/,NRT57-P3,9007199254740993,1\n", "line 2, column requests: '9007199254740993'"),
        ("pop,url\nNRT57-P3,https://a.example/a,b.jpg\n", "line 2: has 3 cells, the header has 2; quote the URL"),
        (HEADER + "https://a.example/,NRT57-P3,1,1,\n", "line 2: has 5 cells, the header has 4"),
        (HEADER + 'https://a.example/,"NRT57-P3,1,1\n', "line 2: is not CSV"),
        (HEADER + "# a note\n", "line 2: '# a note' has no meaning here"),
        (HEADER + "#traffic,requests=5\n", "line 2: '#traffic' has no meaning here"),
        (HEADER + "#end,pairs=1,requests=0\n", "line 2, column pairs: #end says 1, but there are 0"),
        (HEADER + "https://a.example/,NRT57-P3,4,1\n#end,pairs=1,requests=5\n", "column requests: #end says 5"),
        (HEADER + "#end,pairs=1,requests=5\n", "cut, or edited; make it again, or remove the line if you edited it"),
        (HEADER + "#end,pairs=0,requests=0\nhttps://a.example/,NRT57-P3,4,1\n", "line 3: has a line after #end"),
        (HEADER + "#end,pairs,requests=0\n", "line 2: 'pairs' of #end is not a name=value"),
        ("#traffic,from=x\n" + HEADER, "line 1, column requests: '' is not a whole number"),
        ("#traffic,requests=5,curve=95\n" + HEADER, "line 1, column curve: '95' is not a percentage"),
    ],
)
def test_damage_is_named_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(TargetsError) as raised:
        read(text)
    assert message in str(raised.value)


def test_a_file_without_end_is_read_and_a_stream_is_refused() -> None:
    text = HEADER + "https://a.example/,NRT57-P3,4,1\n"
    assert len(read(text)[0]) == 1
    with pytest.raises(TargetsError, match="ends after line 2 without #end, so it was cut"):
        read(text, needs_end=True)


CELLS = st.sampled_from(
    ["", " ", "https://a.example/x", " https://a.example/x ", "https://a.example/x,y#", "#x", "nrt57-p3", "NRT57-P3",
     "0", "12", "-1", 'a"', ",", "\u3000"]
)  # fmt: skip
COUNT_CELLS = st.sampled_from(["", "0", " 7", "007", "9" * 15, "9" * 16, "9" * 25, "\u0665", "\u00b2", "1e3", "12"])


QUOTED = st.tuples(*[st.booleans()] * 4)


@given(st.lists(st.tuples(st.tuples(CELLS, CELLS, COUNT_CELLS, COUNT_CELLS), QUOTED), min_size=1, max_size=8))
def test_short_way_for_usual_rows_gives_what_the_whole_one_gives(
    rows: list[tuple[tuple[str, ...], tuple[bool, ...]]],
) -> None:
    def outcome(column_names: tuple[str, ...], order: tuple[int, ...]) -> list[Pair] | str:
        table = io.StringIO()
        minimal, all_quoted = (
            csv.writer(table, lineterminator="", quoting=each) for each in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
        )
        minimal.writerow(column_names)
        for row, quoted in rows:
            table.write("\n")
            for place, i in enumerate(order):
                table.write("," if place else "")
                (all_quoted if quoted[i] else minimal).writerow([row[i]])
        try:
            return [pair for _, pair in TargetsReader(table.getvalue().splitlines(keepends=True))]
        except TargetsError as error:
            return str(error)

    usual = outcome(("url", "pop", "requests", "bytes"), (0, 1, 2, 3))
    # Columns in another order are read one by one.
    assert usual == outcome(("url", "pop", "bytes", "requests"), (0, 1, 3, 2))
