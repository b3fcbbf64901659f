import pytest

from bench.comparison import BARE, CURL_Z, OURS, Figure, Run, rows_of, runs_of, section_of, targets_of
from bench.page import load
from bench.peers import CLIENTS
from bench.warm import NAMES
from tests.support.definitions import ROOT


def runs(client: str, *figures: Figure | str, case: str = "1k", form: str = "") -> list[Run]:
    return [
        Run(case, client, form, number, failed=each)
        if isinstance(each, str)
        else Run(case, client, form, number, each)
        for number, each in enumerate(figures, start=1)
    ]


def of(cpu: float, seconds: float = 1.0, peak_mb: float | None = 90.0) -> Figure:
    return Figure(1000, seconds, cpu, peak_mb)


# The second round ran on a busy machine, so both took twice the time; the third was busy for this worker only.
MINE = runs(OURS, of(1.0, 1.0), of(2.0, 2.0), of(3.0, 3.0))
CURL = runs(CURL_Z, of(2.0, 2.0, 12.4), of(4.0, 4.0, 12.6), of(2.0, 2.0, 12.2), form="HTTP/2, `--parallel-max 300`")


def test_a_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_medians() -> None:
    row = rows_of([*MINE, *CURL], NAMES)[1]
    assert row[:2] == ("1 KB", f"{CURL_Z}: HTTP/2, `--parallel-max 300`")
    assert row[6] == "2"  # 2, 2 and 0.67; the medians are 2.0 and 2.0
    by_name = {each.name: each for each in targets_of([*MINE, *CURL], NAMES)}
    assert by_name[f"1 KB: CPU, this worker / {CURL_Z}"].measured == 0.5
    assert by_name[f"1 KB: fetches/s, this worker / {CURL_Z}"].measured == 2


def test_a_row_has_medians_and_the_spread_of_its_runs() -> None:
    assert rows_of(MINE, NAMES) == (("1 KB", OURS, "500", "133 %", "2.000", "100 %", "1", "90"),)
    assert rows_of([*MINE, *CURL], NAMES)[1][7] == "12"
    without = rows_of([*MINE, *runs("curl processes", of(1.0, peak_mb=None))], NAMES)[1]
    assert without[7] == "-"


def test_a_client_that_failed_in_any_round_has_the_reason_and_no_figures() -> None:
    failed = runs(CURL_Z, of(2.0), "no end after 90 s (6,400 fetches)", of(2.0))
    row = rows_of([*MINE, *failed], NAMES)[1]
    assert row[2] == "**did not finish** in 1 of 3 rounds: no end after 90 s (6,400 fetches)"
    assert set(row[3:]) == {"-"}
    for target in targets_of([*MINE, *failed], NAMES)[1:]:
        assert not target.met
        assert target.verdict == f"not measured: {CURL_Z}: no end after 90 s (6,400 fetches)"


def test_targets_compare_with_the_bare_loop_and_with_curl_at_each_size() -> None:
    found = [
        run
        for case, (mine, bare, curl) in {
            "1k": (1.5, 1.0, 1.6),
            "100k": (1.4, 1.0, 1.0),
            "10m": (1.05, 1.0, 1.1),
            "slow": (1.3, 1.0, 9.0),
        }.items()
        for client, cpu in ((OURS, mine), (BARE, bare), (CURL_Z, curl))
        for run in runs(client, of(cpu, cpu), case=case)
    ]
    met = {each.name: each.met for each in targets_of(found, NAMES)}
    assert met == {
        f"1 KB: CPU, this worker / {BARE}": True,
        f"1 KB: CPU, this worker / {CURL_Z}": True,
        f"1 KB: fetches/s, this worker / {CURL_Z}": True,
        f"100 KB: CPU, this worker / {BARE}": False,
        f"100 KB: CPU, this worker / {CURL_Z}": False,
        f"100 KB: fetches/s, this worker / {CURL_Z}": False,
        f"10 MB: CPU, this worker / {BARE}": True,
        f"10 MB: CPU, this worker / {CURL_Z}": True,
        f"10 MB: fetches/s, this worker / {CURL_Z}": True,
        f"150 ms to first byte: fetches/s, this worker / {BARE}": False,
        f"150 ms to first byte: CPU, this worker / {CURL_Z}": True,
        f"150 ms to first byte: fetches/s, this worker / {CURL_Z}": True,
    }


def test_a_client_that_did_not_run_leaves_its_targets_not_measured() -> None:
    assert [each.verdict for each in targets_of(MINE, NAMES)][:1] == [f"not measured: {BARE}: it did not run"]


def test_runs_are_the_same_after_they_were_stored() -> None:
    found = [*MINE, *runs("h2load", "h2load is not installed (Debian: nghttp2-client)")]
    assert runs_of(section_of(found, NAMES, ()).raw) == found


def test_the_projects_table_is_the_one_of_its_runs() -> None:
    stored = load(ROOT / "docs/performance.json")["warm"].section
    assert stored is not None
    again = section_of(runs_of(stored.raw), NAMES, stored.notes, stored.versions)
    assert (again.columns, again.rows, again.targets) == (stored.columns, stored.rows, stored.targets)


@pytest.mark.parametrize("name", [OURS, BARE, CURL_Z])
def test_the_clients_of_the_targets_take_part(name: str) -> None:
    assert name in CLIENTS
