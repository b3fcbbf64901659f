"""The URLs of a planned run in a status: each is made when a page shows it. Pure."""

from collections.abc import Mapping, Sequence
from typing import overload

from api.http.pagination import UrlStatus
from prewarm.planning.plan import Plan
from prewarm.results.judging import cannot_succeed, failed_everywhere
from prewarm.results.url_results import CHUNK, UrlResult, UrlResults, Verdict


class ResultUrls(Sequence[UrlStatus]):
    """The URLs of a run in order of index; `urls`: as given; `fetched`: by index, other forms that are fetched."""

    def __init__(self, results: UrlResults, urls: Sequence[str], fetched: Mapping[int, str], plan: Plan) -> None:
        self._results, self._urls, self._fetched, self._plan = results, urls, fetched, plan
        self._chunks: dict[int, list[UrlStatus]] = {}

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> UrlStatus: ...
    @overload
    def __getitem__(self, index: slice) -> list[UrlStatus]: ...
    def __getitem__(self, index: int | slice) -> UrlStatus | list[UrlStatus]:
        places = range(len(self))[index]
        if isinstance(places, int):
            return self._chunk(places // CHUNK)[places % CHUNK]
        return [self[place] for place in places]

    def _chunk(self, number: int) -> list[UrlStatus]:
        """Return the URLs of a chunk, which are remembered."""
        if number not in self._chunks:
            results = self._results[number * CHUNK : (number + 1) * CHUNK]
            self._chunks[number] = [self._entry(result) for result in results]
        return self._chunks[number]

    def _entry(self, result: UrlResult) -> UrlStatus:
        url, form, verdict = self._urls[result.index], self._fetched.get(result.index, ""), result.verdict
        if verdict is Verdict.FAILED:
            seen = result.kinds, result.example, len(self._plan.variants), failed_everywhere(result)
            return UrlStatus(url, verdict, result.failures, result.coverage, form, *seen)
        counts = (result.warm, result.reachable) if verdict is Verdict.SUCCESS else None
        failing = cannot_succeed(result, self._plan.percent_needed)
        return UrlStatus(url, verdict, fetched=form, counts=counts, failing=failing)
