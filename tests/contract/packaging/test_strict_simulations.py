"""The product's tests run against the strict simulation of CloudFront."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
# The simulation's own tests choose each switch, and the one place that makes strict simulations.
FREE = ("tests/integration/edge/", "tests/support/strict_edge.py")


def simulations_of_their_own(name: str, code: str) -> list[str]:
    """List the calls of SimulatedCloudFront in a test file that must use `strict_cloudfront`."""
    if name.startswith(FREE):
        return []
    return [
        f"{name}:{node.lineno}"
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
        == "SimulatedCloudFront"
    ]


def test_every_product_test_uses_the_strict_simulation() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        found += simulations_of_their_own(str(path.relative_to(ROOT)), path.read_text())
    assert found == []


def test_rule_finds_a_simulation_that_is_not_strict() -> None:
    assert simulations_of_their_own("tests/e2e/x.py", "with SimulatedCloudFront(config) as edge: pass") != []
    assert simulations_of_their_own("tests/e2e/x.py", "edge = process.SimulatedCloudFront({})") != []
    assert simulations_of_their_own("tests/e2e/x.py", "with strict_cloudfront(config) as edge: pass") == []
