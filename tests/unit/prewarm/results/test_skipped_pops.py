"""Which POPs were skipped, how many of the selected ones they are, and each reason in words."""

import pytest

from prewarm.planning.plan import Group, Skipped
from prewarm.results.outcome import SILENT, Outcome
from prewarm.results.skipped_pops import SKIP_TEXTS, names_are_cut, skip_lines, skip_text, skipped_of_run

RETIRED = Skipped("AKL1-C1", "unresolved_pop")
LATE = Skipped("FRA2-C1", "timeout")


def entries(**counts: int) -> list[dict[str, str]]:
    return [{"pop": f"FRA{n}-C1", "reason": reason} for reason, count in counts.items() for n in range(1, count + 1)]


def group(pops: tuple[str, ...], skipped: tuple[Skipped, ...] = (), areas: tuple[tuple[str, ...], ...] = ()) -> Group:
    return Group("d111.cloudfront.net", "E1", 0, 1, pops, len(pops), skipped, areas=areas)


def test_pops_are_named_by_reason_the_most_first() -> None:
    skipped = entries(dns_silent=1, outside_price_class=1_205)
    assert skip_lines(skipped) == [
        (
            "1,205 POPs: outside the distribution's price class, so CloudFront sends no viewers there "
            "(FRA1-C1, FRA2-C1, FRA3-C1, FRA4-C1, FRA5-C1 and 1,200 more)"
        ),
        "1 POP: no nameserver responded for the POP's name (FRA1-C1)",
    ]
    assert skip_lines([]) == []
    assert [names_are_cut(entries(timeout=count)) for count in (0, 5, 6)] == [False, False, True]


@pytest.mark.parametrize(
    ("groups", "late", "text"),
    [
        ([group(("FRA2-C1", "NRT57-P3"))], [], ""),
        (
            [group(("FRA2-C1", "NRT57-P3"), (RETIRED,))],
            [],
            "1 of the 3 selected POPs was skipped, which does not count as a failure; the run uses the other 2",
        ),
        (
            [group(("FRA2-C1", "NRT57-P3"))],
            [LATE],
            "1 of the 2 used POPs stopped responding during the run; targets that are not warm there do not count",
        ),
        (
            [group(("FRA2-C1",), (RETIRED,)), group(("FRA2-C1", "AKL1-C1"))],
            [],
            "1 of the 2 used POPs was skipped for some of the URLs only",
        ),
        (
            [group(("FRA2-C1",), (RETIRED, Skipped("AKL2-C1", "timeout")), areas=(("FRA2-C1", "FRA6-C1"),))],
            [LATE],
            "3 selected POPs were skipped, which does not count as a failure",
        ),
    ],
)
def test_text_says_how_many_of_the_selected_pops_were_skipped(
    groups: list[Group], late: list[Skipped], text: str
) -> None:
    planned = [entry for each in groups for entry in each.skipped]
    assert skipped_of_run(groups, [*planned, *late]) == text


def test_every_reason_is_written_in_words() -> None:
    reasons = {*SKIP_TEXTS, *(outcome.value for outcome in SILENT), Outcome.UNRESOLVED_POP.value}
    assert {reason for reason in reasons if reason in skip_text(reason)} == set()
    assert skip_text("a_new_one") == "a new one"
