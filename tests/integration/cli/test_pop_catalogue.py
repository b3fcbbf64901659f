"""`prewarm pops` lists and shows the catalogue, and GET /pops returns it."""

import csv
import json

from typer.testing import CliRunner

from prewarm.catalogue import catalogue
from prewarm_cli.main import app
from tests.support.handlers import SYDNEY, Machine
from tests.support.rest import call

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
    assert "--location: not in the catalogue: QQQ" in pops("list", "--location", "qqq", code=2)
    assert "is not in the catalogue" in pops("show", "SYD99-C1", code=2)


def test_pop_is_shown_with_its_location_and_assumed_regional_cache() -> None:
    output = pops("show", "akl50-c1")
    assert "Auckland" in output
    assert "SYD (2" in output


def test_get_pops_returns_the_catalogue(machine: Machine) -> None:
    status, response = call("GET", "/pops")
    assert status == 200
    assert [pop["id"] for pop in response["pops"]] == list(catalogue().pops)
    assert response["countries"]["jp"] == response["countries"]["japan"] == response["regions"]["jp"] > 0
    assert response["regions"]["all"] == len(response["pops"])
    assert "DOH" in response["locationsWithoutPops"]
    assert len(json.dumps(response)) < 1_000_000
