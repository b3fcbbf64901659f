"""Faults of the simulated CloudFront: their text form, and which request they affect."""

import pytest

from prewarm_local.edge.faults import FaultBook, UnknownFault, parse_fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("explode", "unknown fault 'explode'; valid faults: refused"),
        ("stall:3", "stall takes no argument"),
        ("status", "status takes a number"),
        ("goaway:soon", "goaway takes a number"),
    ],
)
def test_invalid_fault_is_rejected(text: str, message: str) -> None:
    with pytest.raises(UnknownFault, match=message):
        parse_fault(text)


def test_fault_applies_to_its_pops_as_often_as_set() -> None:
    book = FaultBook()
    book.add("/a", parse_fault("waf_block", ["NRT57-P3"], times=1))
    assert book.at_viewer("/a", "DFW55-C1") is None
    assert book.at_viewer("/b", "NRT57-P3") is None
    first, second = (book.at_viewer("/a", "NRT57-P3") for _ in range(2))
    assert (first.name if first else None, second) == ("waf_block", None)


def test_newest_fault_applies_until_cleared() -> None:
    book = FaultBook()
    book.add("*", parse_fault("status:500"))
    book.add("*", parse_fault("status:503"))
    newest = book.at_origin("/a", "NRT57-P3", local=False)
    assert newest is not None
    assert newest.argument == "503"
    book.clear("*")
    assert book.at_origin("/a", "NRT57-P3", local=False) is None
