"""`prewarm pops`: list the catalogue and refresh it through DNS; and GET /pops, which serves it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from prewarm.catalogue import catalogue
from prewarm_cli.main import app
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.handlers import DOMAIN, SYDNEY, Machine
from tests.support.rest import call
from tools.pop_scan import candidates

RUNNER = CliRunner()


def pops(*arguments: str, code: int = 0) -> str:
    result = RUNNER.invoke(app, ["pops", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_pops_are_listed_by_region_country_and_location() -> None:
    listed = json.loads(pops("list", "--country", "au", "--location", "syd", "--json"))
    assert set(SYDNEY) <= {row["id"] for row in listed}
    assert {row["city"] for row in listed} == {"Sydney"}
    rows = list(csv.DictReader(pops("list", "--region", "au", "--csv").splitlines()))
    assert {row["country"] for row in rows} == {"AU", "NZ"}
    assert f"{len(catalogue().pops)} POPs" in pops("list")


def test_unknown_names_are_rejected_with_similar_names() -> None:
    assert "did you mean" in pops("list", "--country", "japn", code=2)
    assert "no location QQQ" in pops("list", "--location", "qqq", code=2)
    assert "is not in the catalogue" in pops("show", "SYD99-C1", code=2)


def test_pop_is_shown_with_its_location_and_assumed_regional_cache() -> None:
    output = pops("show", "akl50-c1")
    assert "Auckland" in output
    assert "SYD (2" in output


def refresh(edge: SimulatedCloudFront, output: Path, *more: str, code: int = 0) -> str:
    nameserver = edge.settings()["PREWARM_NAMESERVERS"]
    given = ["--distribution", DOMAIN, "--nameserver", nameserver, "--output", str(output), "--rate", "5000"]
    return pops("refresh", *given, *more, code=code)


def test_refresh_reports_new_and_vanished_pops_and_keeps_all_rows(edge: SimulatedCloudFront, tmp_path: Path) -> None:
    output = tmp_path / "deep" / "pops.csv"
    output_text = refresh(edge, output, "--location", "BNE", "--location", "SYD", "--highest", "3")
    rows = {row["pop_id"]: row for row in csv.DictReader(output.read_text().splitlines())}
    assert set(catalogue().pops) <= set(rows)
    assert "vanished: BNE50-" in output_text
    assert "dns" in rows[SYDNEY[0]]["evidence"]
    assert rows[SYDNEY[0]]["newest_seen"] > "2026"
    assert "dns" not in rows["BNE50-P1"]["evidence"]
    # No temporary file is left.
    assert [name.name for name in output.parent.iterdir()] == ["pops.csv"]


def test_refresh_adds_a_new_pop_id(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "distributions": [{"domain": DOMAIN}],
        "pops": ["DOH50-C1", SYDNEY[0]],
        "default_object": {"size": 1},
    }
    with SimulatedCloudFront(config) as edge:
        output_text = refresh(edge, tmp_path / "pops.csv", "--location", "DOH", "--highest", "2")
    assert "1 appeared: DOH50-C1" in output_text
    (row,) = [
        r for r in csv.DictReader((tmp_path / "pops.csv").read_text().splitlines()) if r["pop_id"] == "DOH50-C1"
    ]
    assert (row["city"], row["country"], row["evidence"], row["n_sources"]) == ("Doha", "QA", "dns", "1")


def test_refresh_rejects_an_unknown_distribution(edge: SimulatedCloudFront, tmp_path: Path) -> None:
    nameserver = edge.settings()["PREWARM_NAMESERVERS"]
    given = ["--nameserver", nameserver, "--output", str(tmp_path / "x")]
    assert "is no distribution's domain" in pops("refresh", "--distribution", "www.example.com", *given, code=2)
    assert "does not resolve" in pops("refresh", "--distribution", "d9.cloudfront.net", *given, code=2)
    assert not (tmp_path / "x").exists()


def test_candidates_start_with_the_known_ids() -> None:
    names = candidates(catalogue(), ["SYD"], 3, known_only=False)
    known = [pop for pop in catalogue().pops if pop.startswith("SYD")]
    assert names[: len(known)] == known
    assert len(set(names)) == len(names)
    assert {"SYD1-C3", "SYD50-P1"} <= set(names)
    assert candidates(catalogue(), [], 9, known_only=True) == list(catalogue().pops)


def test_networks_are_read_from_aws_ip_ranges(tmp_path: Path) -> None:
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
    assert "2 networks of 2026-11-01 written" in pops("networks", "--from", str(source), "--output", str(output))
    written = json.loads(output.read_text())
    assert (written["ipv4"], written["ipv6"]) == (["192.0.2.0/24"], ["2001:db8::/32"])


@pytest.mark.parametrize("text", ["{}", "no json", '{"createDate": "x", "prefixes": [], "ipv6_prefixes": []}'])
def test_invalid_ip_ranges_write_no_file(tmp_path: Path, text: str) -> None:
    source, output = tmp_path / "ip-ranges.json", tmp_path / "networks.json"
    source.write_text(text)
    pops("networks", "--from", str(source), "--output", str(output), code=2)
    assert not output.exists()


def test_get_pops_returns_the_catalogue(machine: Machine) -> None:
    status, response = call("GET", "/pops")
    assert status == 200
    assert [pop["id"] for pop in response["pops"]] == list(catalogue().pops)
    assert response["countries"]["jp"] == response["countries"]["japan"] == response["regions"]["jp"] > 0
    assert response["regions"]["all"] == len(response["pops"])
    assert "DOH" in response["locationsWithoutPops"]
    assert len(json.dumps(response)) < 1_000_000
