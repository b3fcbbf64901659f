"""Answers that the simulated edge makes itself."""

from __future__ import annotations

import pytest

from prewarm_local.edge.process import EdgeFailed, SimulatedCloudFront
from tests.support.edge_client import CONFIG, Client, both_protocols


# AWS WAF Developer Guide, "How the AWS WAF CAPTCHA and Challenge rule actions behave": a challenge answers 202 with
# `x-amzn-waf-action: challenge`, a CAPTCHA 405 with `x-amzn-waf-action: captcha`.
@both_protocols
@pytest.mark.parametrize(("action", "status"), [("challenge", 202), ("captcha", 405)])
def test_waf_action_answers_instead_of_the_cache(
    client: Client, path: str, version: int, action: str, status: int
) -> None:
    path += f"?{action}{version}"
    client.request(path, version=version)
    client.edge.fault(path, f"waf_{action}", times=1)
    got = client.request(path, version=version)
    assert (got.status, got.headers["x-amzn-waf-action"]) == (status, action)
    assert client.request(path, version=version).x_cache == "Hit"


# Not documented: X-Cache of AWS WAF's answers.
def test_waf_answers_may_have_no_x_cache() -> None:
    with SimulatedCloudFront(CONFIG | {"waf_x_cache": ""}) as edge:
        edge.fault("/a", "waf_challenge")
        assert "x-cache" not in Client(edge).request("/a").headers


# Developer Guide, "Standard logging reference" (x-edge-result-type) and "Troubleshooting error responses".
@pytest.mark.parametrize(
    ("fault", "status", "x_cache"),
    [
        ("limit", 503, "LimitExceeded"),
        ("limit:429", 429, "LimitExceeded"),
        ("capacity", 503, "CapacityExceeded"),
        ("function_error", 503, "FunctionExecutionError"),
        ("function_error:FunctionThrottledError", 503, "FunctionThrottledError"),
        ("function_error:LambdaLimitExceeded", 503, "LambdaLimitExceeded"),
        ("function_error:LambdaValidationError", 502, "LambdaValidationError"),
    ],
)
def test_limits_and_functions_answer_without_the_origin(
    client: Client, path: str, fault: str, status: int, x_cache: str
) -> None:
    path += f"?{fault}"
    client.edge.fault(path, fault, times=1)
    got = client.request(path)
    assert (got.status, got.x_cache) == (status, x_cache)
    assert client.asked(path) == 0
    assert client.request(path).status == 200


@both_protocols
@pytest.mark.parametrize("status", [400, 413, 421])
def test_bare_answer_has_none_of_the_pops_headers(client: Client, path: str, version: int, status: int) -> None:
    path += f"?{status}{version}"
    client.edge.fault(path, f"bare:{status}", times=1)
    got = client.request(path, version=version)
    assert (got.status, got.headers["server"]) == (status, "CloudFront")
    assert not {"x-cache", "x-amz-cf-pop", "x-amz-cf-id", "via"} & got.headers.keys()


def test_unknown_function_error_is_rejected(client: Client) -> None:
    with pytest.raises(EdgeFailed, match="takes one of FunctionExecutionError"):
        client.edge.fault("/x", "function_error:Sunshine")
