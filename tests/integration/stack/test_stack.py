"""The embedded stack with a small project: API, functions, state machine, CloudFront, storage."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from prewarm_local.stack.stack import EmbeddedStack
from tests.support.embedded_project import DOMAIN, write_project


@pytest.fixture(scope="module")
def purged() -> list[tuple[str, list[str]]]:
    return []


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, purged: list[Any]) -> Iterator[EmbeddedStack]:
    folder = tmp_path_factory.mktemp("project")
    with EmbeddedStack(
        write_project(folder),
        distributions=[f"{DOMAIN}=www.example.com,*.img.example.com", "d222xyz.cloudfront.net"],
        on_invalidation=lambda domain, paths: purged.append((domain, paths)),
        log_dir=folder / "logs",
        environment={"PREWARM_HTTPS_PORT": "8443"},
    ) as running:
        yield running


@pytest.fixture(scope="module")
def http(stack: EmbeddedStack) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["x-api-key"] = stack.api_key
    return session


def invoke(stack: EmbeddedStack, name: str, event: object) -> tuple[str | None, Any]:
    response = stack.client("lambda").invoke(FunctionName=f"cloudfront-prewarm-{name}", Payload=json.dumps(event))
    return response.get("FunctionError"), json.loads(response["Payload"].read())


def run(stack: EmbeddedStack, name: str, **fields: object) -> str:
    arn: str = stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.state_machine_arn, name=name, input=json.dumps(fields)
    )["executionArn"]
    return arn


def outcome(stack: EmbeddedStack, arn: str, seconds: float = 15) -> dict[str, Any]:
    client = stack.client("stepfunctions")
    end = time.monotonic() + seconds
    while (described := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < end, "the execution did not end"
        time.sleep(0.05)
    response: dict[str, Any] = described
    return response


# ---- the API ----


def test_event_has_the_format_of_api_gateway(stack: EmbeddedStack, http: requests.Session) -> None:
    response = http.get(f"{stack.api}/items/a%20b?q=1&q=2&e=", data='{"x": 1}', headers={"User-Agent": "me"})
    assert response.status_code == 201
    event = response.json()["event"]
    assert (event["httpMethod"], event["resource"], event["path"]) == ("GET", "/items/{id}", "/items/a b")
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"q": "2", "e": ""}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "e": [""]}
    assert (event["body"], event["isBase64Encoded"]) == ('{"x": 1}', False)
    assert event["headers"]["User-Agent"] == "me"
    assert event["multiValueHeaders"]["User-Agent"] == ["me"]
    context = event["requestContext"]
    assert (context["stage"], context["path"]) == ("live", "/live/items/a%20b")
    assert context["identity"]["apiKey"] == stack.api_key
    assert context["identity"]["userAgent"] == "me"
    assert context["requestId"] == response.headers["x-amzn-RequestId"]


def test_response_has_status_headers_and_body_of_the_result(stack: EmbeddedStack, http: requests.Session) -> None:
    response = http.post(f"{stack.api}/echo", data=b"\x00\xff", headers={"Content-Type": "image/png"})
    assert (response.status_code, response.headers["X-One"], response.headers["X-Many"]) == (201, "1", "a, b")
    event = response.json()["event"]
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, b"\x00\xff")
    assert http.post(f"{stack.api}/answers", data="binary").content == b"\x00\x01\xff"


def test_chunked_body_arrives_complete(stack: EmbeddedStack, http: requests.Session) -> None:
    response = http.post(f"{stack.api}/echo", data=iter([b"one ", b"two"]))
    assert response.json()["event"]["body"] == "one two"


@pytest.mark.parametrize("key", [None, "wrong", ""])
def test_wrong_or_missing_key_is_rejected(stack: EmbeddedStack, http: requests.Session, key: str | None) -> None:
    response = http.post(f"{stack.api}/echo", data="x", headers={"x-api-key": key})
    assert (response.status_code, response.json()) == (403, {"why": "Forbidden"})
    # The route /open requires no key.
    assert http.get(f"{stack.api}/open", headers={"x-api-key": key}).status_code == 201


def test_unknown_route_gets_the_built_in_response(stack: EmbeddedStack, http: requests.Session) -> None:
    outside = stack.api.removesuffix("/live") + "/other/echo"
    for response in (http.get(f"{stack.api}/nowhere"), http.get(f"{stack.api}/echo"), http.post(outside)):
        assert (response.status_code, response.json()) == (403, {"message": "Missing Authentication Token"})


def test_large_body_is_rejected_without_hanging(stack: EmbeddedStack, http: requests.Session) -> None:
    response = http.post(f"{stack.api}/echo", data=b"x" * 11_000_000, timeout=5)
    assert response.status_code == 413
    # Within API Gateway's limit, but above Lambda's.
    assert http.post(f"{stack.api}/echo", data=b"x" * 7_000_000, timeout=5).status_code == 413
    assert http.post(f"{stack.api}/echo", data="small", timeout=5).status_code == 201


@pytest.mark.parametrize("body", ["raise", "malformed"])
def test_failing_function_returns_502(stack: EmbeddedStack, http: requests.Session, body: str) -> None:
    response = http.post(f"{stack.api}/answers", data=body)
    assert (response.status_code, response.json()) == (502, {"broken": "Internal server error"})


def test_slow_function_returns_504(stack: EmbeddedStack, http: requests.Session) -> None:
    began = time.monotonic()
    assert http.post(f"{stack.api}/answers", data="slow").status_code == 504
    assert time.monotonic() - began < 9


# ---- the functions ----


def test_environment_is_that_of_lambda(
    stack: EmbeddedStack, http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = http.post(f"{stack.api}/echo").json()
    environment = response["environment"]
    assert environment["STORE"] == stack.bucket
    assert environment["WHERE"] == f"us-east-1/arn:aws:s3:::{stack.bucket}"
    assert environment["AWS_ENDPOINT_URL"] == stack.endpoint
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "cloudfront-prewarm-Echo"
    assert environment["PREWARM_HTTPS_PORT"] == "8443"
    assert "HOME" not in environment
    assert response["arn"].endswith(":function:cloudfront-prewarm-Echo")


def test_worker_is_reused(stack: EmbeddedStack) -> None:
    first, second = (invoke(stack, "Acts", {"act": "pid"})[1] for _ in range(2))
    assert first["pid"] == second["pid"]
    assert 0 < first["left"] <= 1000


def test_exception_has_the_format_of_lambda(stack: EmbeddedStack) -> None:
    error, payload = invoke(stack, "Acts", {"act": "raise"})
    assert (error, payload["errorType"], payload["errorMessage"]) == ("Unhandled", "LookupError", "lost")
    assert "handlers.py" in payload["stackTrace"][-1]


def test_timeout_kills_the_worker(stack: EmbeddedStack) -> None:
    before = invoke(stack, "Acts", {"act": "pid"})[1]["pid"]
    error, payload = invoke(stack, "Acts", {"act": "hang"})
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert invoke(stack, "Acts", {"act": "pid"})[1]["pid"] != before


def test_crash_returns_an_exit_error(stack: EmbeddedStack) -> None:
    error, payload = invoke(stack, "Acts", {"act": "exit"})
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert payload["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert invoke(stack, "Acts", {"act": "pid"})[0] is None


def test_failing_import_is_reported_and_logged(stack: EmbeddedStack) -> None:
    for _ in range(2):
        error, payload = invoke(stack, "Broken", {})
        assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    assert "nowhere" in (stack.log_dir / "Broken.log").read_text()


def test_payload_above_the_limit_is_rejected(stack: EmbeddedStack) -> None:
    with pytest.raises(ClientError, match="RequestEntityTooLargeException"):
        invoke(stack, "Acts", {"act": "pid", "ballast": "x" * 6_300_000})
    assert invoke(stack, "Acts", {"act": "big"})[1]["errorType"] == "Function.ResponseSizeTooLarge"


def test_unknown_function_is_rejected(stack: EmbeddedStack) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        invoke(stack, "Unknown", {})


def test_concurrent_invocations_use_separate_workers(stack: EmbeddedStack) -> None:
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: invoke(stack, "Acts", {"act": "wait"}), range(3)))
    assert [error for error, _ in results] == [None] * 3
    assert len({payload["pid"] for _, payload in results}) == 3


# ---- the state machine ----


def test_distributed_map_invokes_functions(stack: EmbeddedStack) -> None:
    s3 = stack.client("s3")
    s3.put_object(Bucket=stack.bucket, Key="items.json", Body=json.dumps([{"id": f"i{n}"} for n in range(20)]))
    # Two concurrent executions, each with its own items.
    arns = [run(stack, name, items="items.json") for name in ("map-1", "map-2")]
    for arn, name in zip(arns, ("map-1", "map-2"), strict=True):
        assert outcome(stack, arn)["status"] == "SUCCEEDED"
        keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket=stack.bucket, Prefix=f"{name}/")["Contents"]}
        assert keys == {f"{name}/i{n}" for n in range(20)}


def test_map_can_have_more_items_than_the_recursion_limit(stack: EmbeddedStack) -> None:
    stack.client("s3").put_object(Bucket=stack.bucket, Key="big.json", Body=json.dumps(list(range(1050))))
    end = outcome(stack, run(stack, "big", big=True, items="big.json"))
    assert (end["status"], json.loads(end["output"])) == ("SUCCEEDED", list(range(1050)))


def test_timeout_is_retried_by_its_error_name(stack: EmbeddedStack) -> None:
    end = outcome(stack, run(stack, "retried", act="hang once"))
    assert (end["status"], json.loads(end["output"])) == ("SUCCEEDED", {"second": True})


def test_function_error_fails_the_execution(stack: EmbeddedStack) -> None:
    end = outcome(stack, run(stack, "failed", act="raise"))
    assert (end["status"], end["error"]) == ("FAILED", "LookupError")
    assert json.loads(end["cause"])["errorMessage"] == "lost"


def test_stop_ends_an_execution_at_once(stack: EmbeddedStack) -> None:
    arn = run(stack, "stopped", act="wait")
    stack.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="enough")
    described = outcome(stack, arn, seconds=0.5)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Test", "enough")
    time.sleep(1.2)  # the later end of its task has no effect
    later = outcome(stack, arn)
    assert [later[key] for key in ("status", "error", "stopDate")] == ["ABORTED", "Test", described["stopDate"]]


def test_definition_is_stored_unchanged(stack: EmbeddedStack) -> None:
    described = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.state_machine_arn)
    percentage = json.loads(described["definition"])["States"]["Items"]["ToleratedFailurePercentage"]
    # The patch for moto's parser must not leave its 100.0 in the definition.
    assert (percentage, type(percentage)) == (100, int)


# ---- CloudFront and storage ----


def test_distributions_are_listed_with_their_aliases(stack: EmbeddedStack) -> None:
    listed = stack.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    by_domain = {entry["DomainName"]: entry for entry in listed}
    assert set(by_domain) == {DOMAIN, "d222xyz.cloudfront.net"}
    assert set(by_domain[DOMAIN]["Aliases"]["Items"]) == {"www.example.com", "*.img.example.com"}
    assert by_domain["d222xyz.cloudfront.net"]["Aliases"]["Quantity"] == 0
    assert all(entry["Enabled"] and entry["Status"] == "Deployed" for entry in listed)


def test_invalidation_completes_and_calls_back(stack: EmbeddedStack, purged: list[Any]) -> None:
    client = stack.client("cloudfront")
    listed = client.list_distributions()["DistributionList"]["Items"]
    distribution = next(entry["Id"] for entry in listed if entry["DomainName"] == DOMAIN)

    def invalidate(*paths: str) -> str:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": "once"}
        created = client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
        response: str = created["Invalidation"]["Id"]
        return response

    first = invalidate("/a", "/b?c=d")
    assert purged == [(DOMAIN, ["/a", "/b?c=d"])]
    end = outcome(stack, run(stack, "invalidated", distribution=distribution, invalidation=first))
    assert json.loads(end["output"]) == {"status": "Completed"}
    # The same CallerReference returns the same invalidation, or an error if the paths differ.
    assert invalidate("/a", "/b?c=d") == first
    with pytest.raises(ClientError, match="InvalidationBatchAlreadyExists"):
        invalidate("/other")
    assert len(purged) == 1


def test_table_has_the_ttl_of_the_template(stack: EmbeddedStack) -> None:
    ttl = stack.client("dynamodb").describe_time_to_live(TableName=stack.table)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


def test_second_stack_in_a_process_is_rejected(stack: EmbeddedStack) -> None:
    with pytest.raises(RuntimeError, match="one account per process"):
        EmbeddedStack(stack.template.path)
    assert stack.client("s3").list_buckets()["Buckets"]
