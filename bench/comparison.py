"""The arithmetic of the comparison: the runs of the clients in, the section of the page out."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from bench.section import Section, Target, figure, percent, spread

OURS, BARE, CURL_Z = "this worker", "bare pycurl loop", "one `curl -Z`"
COLUMNS = ("size", "client", "fetches/s", "spread", "CPU s per 1,000", "spread", "CPU, this worker = 1", "peak MB")
# Of issue 20: this worker's CPU as a multiple of the bare loop's, and its rate as a share where the server waits.
CPU_OF_BARE = {"1k": 1.6, "100k": 1.3, "10m": 1.1}
RATE_OF_BARE = {"slow": 0.9}
NO_PEAK = "-"


@dataclass(frozen=True)
class Figure:
    """One run of a client: whole fetches, seconds, CPU seconds of it and its children, peak memory in MB."""

    fetches: int
    seconds: float
    cpu: float
    peak_mb: float | None

    @property
    def rate(self) -> float:
        """Fetches per second."""
        return self.fetches / self.seconds

    @property
    def cpu_per_1000(self) -> float:
        """CPU seconds per 1,000 fetches."""
        return 1000 * self.cpu / self.fetches


@dataclass(frozen=True)
class Run:
    """What a client did in one round: its figure, or why it failed."""

    case: str
    client: str
    form: str
    round: int
    figure: Figure | None = None
    failed: str = ""


def by_client(runs: Iterable[Run]) -> dict[tuple[str, str], list[Run]]:
    """Return the runs by case and client."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        found.setdefault((run.case, run.client), []).append(run)
    return found


def rows_of(runs: Iterable[Run], names: dict[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return a row for each case and client, in the order of the runs. `names`: of the cases."""
    found = by_client(runs)
    rows = []
    for (case, client), of_client in found.items():
        form = of_client[-1].form
        name = f"{client}: {form}" if form else client
        failed = next((run.failed for run in of_client if run.failed), "")
        if failed:
            share = f"in {sum(bool(run.failed) for run in of_client)} of {len(of_client)} rounds"
            rows.append((names[case], name, f"**did not finish** {share}: {failed}", *["-"] * (len(COLUMNS) - 3)))
            continue
        figures = [run.figure for run in of_client if run.figure]
        rates, cpus = [each.rate for each in figures], [each.cpu_per_1000 for each in figures]
        rate, cpu = statistics.median(rates), statistics.median(cpus)
        ratio = ratio_of("cpu", (case, client), (case, OURS), found)
        peaks = [each.peak_mb for each in figures if each.peak_mb]
        peak = figure(round(statistics.median(peaks))) if peaks else NO_PEAK
        shares = percent(spread(rates, rate)), percent(spread(cpus, cpu))
        rows.append(
            (
                names[case],
                name,
                f"{rate:,.0f}",
                shares[0],
                f"{cpu:.3f}",
                shares[1],
                figure(ratio) if ratio else "-",
                peak,
            )
        )
    return tuple(rows)


def ratio_of(
    kind: str, one: tuple[str, str], other: tuple[str, str], found: dict[tuple[str, str], list[Run]]
) -> float | None:
    """Return the median of the rounds' ratios of one client to another, by "cpu" or "rate"; None if either failed.

    Both of a round ran within a minute, so the machine's load at that time affects both.
    """
    ratios = []
    others = {run.round: run.figure for run in found.get(other, [])}
    for run in found.get(one, []):
        against = others.get(run.round)
        if not run.figure or not against:
            return None
        if kind == "cpu":
            ratios.append(run.figure.cpu_per_1000 / against.cpu_per_1000)
        else:
            ratios.append(run.figure.rate / against.rate)
    return statistics.median(ratios) if ratios else None


def targets_of(runs: Iterable[Run], names: dict[str, str]) -> tuple[Target, ...]:
    """Return the targets of the cases that were measured."""
    found = by_client(runs)
    targets = []
    for case in dict.fromkeys(case for case, _ in found):
        for kind, client, bound in (
            ("cpu", BARE, CPU_OF_BARE.get(case)),
            ("rate", BARE, RATE_OF_BARE.get(case)),
            ("cpu", CURL_Z, 1.0),
            ("rate", CURL_Z, 1.0),
        ):
            if not bound:
                continue
            measured = ratio_of(kind, (case, OURS), (case, client), found)
            failed = next((run.failed for run in found.get((case, client), []) if run.failed), "it did not run")
            why = "" if measured is not None else f"{client}: {failed}"
            name = f"{names[case]}: {'CPU' if kind == 'cpu' else 'fetches/s'}, this worker / {client}"
            targets.append(Target(name, measured, bound, at_least=kind == "rate", why=why))
    return tuple(targets)


def section_of(
    runs: list[Run], names: dict[str, str], notes: Iterable[str], versions: dict[str, str] | None = None
) -> Section:
    """Return the section of these runs."""
    raw = [
        [run.case, run.client, run.form, run.round, run.failed]
        + ([run.figure.fetches, run.figure.seconds, run.figure.cpu, run.figure.peak_mb] if run.figure else [])
        for run in runs
    ]
    rows, targets = rows_of(runs, names), targets_of(runs, names)
    return Section("The worker and its peers", COLUMNS, rows, tuple(notes), targets, versions or {}, raw)


def runs_of(raw: list[list[object]]) -> list[Run]:
    """Return the runs that a section has stored."""
    runs = []
    for case, client, form, number, failed, *figures in raw:
        assert isinstance(number, int)
        figure_of = Figure(*figures) if figures else None  # type: ignore[arg-type]
        runs.append(Run(str(case), str(client), str(form), number, figure_of, str(failed)))
    return runs
