"""`python -m tools.refresh_catalogue`: POP ids found by DNS, and CloudFront's networks from AWS's list."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.handlers import DOMAIN, SYDNEY
from tests.support.strict_edge import strict_cloudfront
from tools.pop_scan import candidates
from tools.refresh_catalogue import app

RUNNER = CliRunner()


def run(*arguments: str, code: int = 0) -> str:
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result.output


def refresh(edge: SimulatedCloudFront, output: Path, *more: str, code: int = 0) -> str:
    nameserver = edge.settings()["PREWARM_NAMESERVERS"]
    options = ["--distribution", DOMAIN, "--nameserver", nameserver, "--output", str(output), "--rate", "5000"]
    return run("pops", *options, *more, code=code)


def test_refresh_reports_new_and_vanished_pops_and_keeps_all_rows(edge: SimulatedCloudFront, tmp_path: Path) -> None:
    output = tmp_path / "deep" / "pops.csv"
    output_text = refresh(edge, output, "--location", "BNE", "--location", "SYD", "--highest", "3")
    rows = {row["pop_id"]: row for row in csv.DictReader(output.read_text().splitlines())}
    assert set(catalogue().pops) <= set(rows)
    assert "vanished: BNE50-" in output_text
    assert "dns" in rows[SYDNEY[0]]["evidence"]
    assert rows[SYDNEY[0]]["newest_seen"] > "2026"
    assert "dns" not in rows["BNE50-P1"]["evidence"]
    # The temporary file is gone.
    assert [name.name for name in output.parent.iterdir()] == ["pops.csv"]


def test_refresh_adds_a_new_pop_id(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "distributions": [{"domain": DOMAIN}],
        "pops": ["DOH50-C1", SYDNEY[0]],
        "default_object": {"size": 1},
    }
    with strict_cloudfront(config) as edge:
        output_text = refresh(edge, tmp_path / "pops.csv", "--location", "DOH", "--highest", "2")
    assert "1 appeared: DOH50-C1" in output_text
    (row,) = [
        r for r in csv.DictReader((tmp_path / "pops.csv").read_text().splitlines()) if r["pop_id"] == "DOH50-C1"
    ]
    assert (row["city"], row["country"], row["evidence"], row["n_sources"]) == ("Doha", "QA", "dns", "1")


def test_refresh_rejects_an_unknown_distribution(edge: SimulatedCloudFront, tmp_path: Path) -> None:
    nameserver = edge.settings()["PREWARM_NAMESERVERS"]
    options = ["--nameserver", nameserver, "--output", str(tmp_path / "x")]
    assert "is not a distribution's domain" in run("pops", "--distribution", "www.example.com", *options, code=2)
    assert "does not resolve" in run("pops", "--distribution", "d9.cloudfront.net", *options, code=2)
    assert not (tmp_path / "x").exists()


def test_candidates_start_with_the_catalogues_ids() -> None:
    names = candidates(catalogue(), ["SYD"], 3, known_only=False)
    listed = [pop for pop in catalogue().pops if pop.startswith("SYD")]
    assert names[: len(listed)] == listed
    assert len(set(names)) == len(names)
    assert {"SYD1-C3", "SYD50-P1"} <= set(names)
    assert candidates(catalogue(), [], 9, known_only=True) == list(catalogue().pops)


def test_networks_are_collapsed_and_written_from_awss_list(tmp_path: Path) -> None:
    listed = {
        "createDate": "2026-11-01-00-00-00",
        "prefixes": [
            {"ip_prefix": "192.0.2.0/25", "service": "CLOUDFRONT"},
            {"ip_prefix": "192.0.2.128/25", "service": "CLOUDFRONT"},
            {"ip_prefix": "198.51.100.0/24", "service": "EC2"},
        ],
        "ipv6_prefixes": [{"ipv6_prefix": "2001:db8::/32", "service": "CLOUDFRONT"}],
    }
    source, output = tmp_path / "ip-ranges.json", tmp_path / "networks.json"
    source.write_text(json.dumps(listed))
    assert "2 networks of 2026-11-01 written" in run("networks", "--from", str(source), "--output", str(output))
    written = json.loads(output.read_text())
    assert (written["ipv4"], written["ipv6"]) == (["192.0.2.0/24"], ["2001:db8::/32"])


@pytest.mark.parametrize("text", ["{}", "no json", '{"createDate": "x", "prefixes": [], "ipv6_prefixes": []}'])
def test_an_invalid_list_writes_no_file(tmp_path: Path, text: str) -> None:
    source, output = tmp_path / "ip-ranges.json", tmp_path / "networks.json"
    source.write_text(text)
    run("networks", "--from", str(source), "--output", str(output), code=2)
    assert not output.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["pops", "--distribution", DOMAIN, "--nameserver", "foo"],
        ["pops", "--distribution", "www.example.com"],
        ["networks", "--from", "no-such-file"],
    ],
)
def test_an_error_is_a_line_and_with_json_a_document(arguments: list[str]) -> None:
    result = RUNNER.invoke(app, [*arguments, "--json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "BadInput"
    assert result.stderr.startswith("prewarm: ")


def test_an_invalid_nameserver_is_reported_by_its_option() -> None:
    result = RUNNER.invoke(app, ["pops", "--distribution", DOMAIN, "--nameserver", "foo"])
    assert result.stderr.startswith("prewarm: --nameserver: 'foo' ")
    assert len(result.stderr.splitlines()) == 1
