"""URLs by distribution, and the rejection of requests without a distribution."""

from resolve.distributions.finder import FoundDistributions
from resolve.distributions.match import HOSTS_IN_WARNINGS, match
from resolve.stages import Collected
from tests.support.builders import DISTRIBUTION, parsed
from tests.support.planning import matched, rejected


def test_urls_are_grouped_by_distribution_in_the_order_of_the_request() -> None:
    texts = ["https://other.example.com/1", "https://www.example.com/2", "https://unserved.example/3"]
    texts += ["https://other.example.com/4", "https://www.example.com/5"]
    result = matched(url_list=texts)
    assert [each.distribution.id for each in result.groups] == ["E2", "E1"]
    assert [[url.fetch[-1] for url in each.urls] for each in result.groups] == [["1", "4"], ["2", "5"]]
    assert [url.host for url in result.unmatched] == ["unserved.example"]


def test_request_without_any_distribution_is_rejected_with_its_hosts() -> None:
    assert rejected(url_list=["https://a.example/1", "https://b.example/"]) == (
        "url_list: none of its hosts can be warmed: no distribution serves a.example; "
        "no distribution serves b.example"
    )


def test_rejection_counts_the_hosts_that_it_does_not_list() -> None:
    sentence = rejected(url_list=[f"https://h{number}.example/" for number in range(9)])
    assert sentence.endswith("no distribution serves h4.example; and 4 more hosts")


def test_unmatched_hosts_are_warnings_and_the_last_one_is_a_count() -> None:
    urls = parsed("https://www.example.com/1")
    reasons = {f"h{number:02}.example": f"reason {number:02}" for number in range(HOSTS_IN_WARNINGS + 3)}
    found = FoundDistributions({"www.example.com": DISTRIBUTION}, reasons)
    warnings = match(Collected(urls), found, invalidate=False).warnings
    assert len(warnings) == HOSTS_IN_WARNINGS + 1
    assert warnings[0] == "not warmed: reason 00"
    assert warnings[-1] == "not warmed: 3 more hosts without a distribution"
