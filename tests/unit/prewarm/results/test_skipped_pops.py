"""Why POPs were skipped: each reason in words, with its number of POPs."""

from prewarm.results.outcome import SILENT, Outcome
from prewarm.results.skipped_pops import SKIP_TEXTS, skip_counts, skip_text


def entries(**counts: int) -> list[dict[str, str]]:
    return [{"pop": "FRA2-C1", "reason": reason} for reason, count in counts.items() for _ in range(count)]


def test_pops_are_counted_by_reason_the_most_first() -> None:
    assert skip_counts(entries(dns_silent=1, outside_price_class=1_200)) == [
        "1,200 POPs: outside the distribution's price class, so CloudFront sends no viewers there",
        "1 POP: no nameserver responded for the POP's name",
    ]
    assert skip_counts([]) == []


def test_every_reason_is_written_in_words() -> None:
    reasons = {*SKIP_TEXTS, *(outcome.value for outcome in SILENT), Outcome.UNRESOLVED_POP.value}
    assert {reason for reason in reasons if reason in skip_text(reason)} == set()
    assert skip_text("a_new_one") == "a new one"
