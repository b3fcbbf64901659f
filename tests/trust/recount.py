"""Recount a run from what it stored, without the service's code, and compare every place that reports it.

The records in S3 are the ground; the ledger, the summary, the report in two forms and the status have to agree with
them, and the simulated edge has to hold each copy that a record calls warm.
"""

import csv
import gzip
import io
import json
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.trust.drive import Run

WARM = {"warmed", "already_warm"}
Target = tuple[str, str, str]  # path, POP, variant


@dataclass
class Recount:
    """The results of one run; `problems` is empty where everything agrees."""

    run: Run
    problems: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    failed_pops: set[str] = field(default_factory=set)
    claimed: int = 0
    orphans: int = 0
    parts: int = 0

    def expect(self, what: str, found: object, counted: object) -> None:
        if found != counted:
            self.problems.append(f"{what}: {str(found)[:300]}, recounted {str(counted)[:300]}")


def unpacked(value: dict[str, Any]) -> Any:
    """Return a value of DynamoDB's typed JSON."""
    ((kind, inner),) = value.items()
    if kind == "M":
        return {name: unpacked(each) for name, each in inner.items()}
    if kind == "L":
        return [unpacked(each) for each in inner]
    return int(inner) if kind == "N" else inner


def ledger(run: Run, partition: str) -> list[dict[str, Any]]:
    """Return the items of a partition."""
    pages = run.world.dynamodb.get_paginator("query").paginate(
        TableName=run.world.stack.table,
        KeyConditionExpression="#run = :run",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={":run": {"S": partition}},
    )
    return [{name: unpacked(each) for name, each in item.items()} for page in pages for item in page["Items"]]


def recount(run: Run, *, leftovers: bool, copies: dict[str, set[tuple[str, str]]]) -> Recount:
    """Return the recount of an ended run.

    `leftovers`: a killed worker or a failed deletion may have left records that no part names. `copies`: what the
    edge holds (SimulatedCloudFront.copies).
    """
    count = Recount(run, run.poll_problems())
    last = run.polls[-1].document
    plan_document = run.document("plan/plan.json")
    if run.polls[-1].http != 200:
        count.problems.append(f"the last status is HTTP {run.polls[-1].http}")
        return count
    described = run.world.states.describe_execution(executionArn=run.arn)["status"]
    if described == "RUNNING":
        count.problems.append("the execution is still running")
    if plan_document is None:
        # Rejected, or ended before it was planned: nothing is warm.
        count.expect("failed URLs without a plan", sorted(last["failedUrl"]), sorted(run.urls))
        return count
    plan = json.loads(plan_document)
    parts = _parts(count)
    records, dark = _records(count, parts, leftovers=leftovers)
    _check_edge(count, records, copies)
    _check_totals(count, plan, parts, records, dark, last)
    _check_urls(count, plan, records, dark, last)
    if run.cancelled is not None:
        for name in ("total", "completed", "failedUrl", "successUrl", "targets"):
            count.expect(f"the answer of DELETE, {name}", run.cancelled[name], last[name])
    if not leftovers and ledger(run, f"{run.name}#open"):
        count.problems.append("an attempt is still listed as working")
    return count


def _parts(count: Recount) -> list[dict[str, Any]]:
    """Return the ledger's parts, which have to be one chain of attempts for each batch."""
    items = [item for item in ledger(count.run, count.run.name) if "batch" in item]
    batches: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for item in items:
        batches[item["batch"]][item["part"]] = item
    for batch, parts in batches.items():
        previous = ""
        for number in range(len(parts)):
            part = parts.get(number)
            if part is None or part["previous"] != previous or not part["attempt"]:
                count.problems.append(f"batch {batch}: part {number} does not continue the part before")
                break
            previous = part["attempt"]
            if part["finished"] and number != len(parts) - 1:
                count.problems.append(f"batch {batch}: parts after the last one")
    count.parts = len(items)
    return items


def _records(
    count: Recount, parts: list[dict[str, Any]], *, leftovers: bool
) -> tuple[dict[Target, dict[str, Any]], set[Target]]:
    """Return the record of each target that a part accounts for, and the targets at POPs that went dark."""
    run = count.run
    prefix = f"runs/{run.name}/records/"
    listed = run.world.s3.list_objects_v2(Bucket=run.world.stack.bucket, Prefix=prefix).get("Contents", [])
    stored = {entry["Key"].removeprefix(f"runs/{run.name}/") for entry in listed}
    records: dict[Target, dict[str, Any]] = {}
    dark: set[Target] = set()
    for part in parts:
        key = f"records/{part['batch']}/{part['part']}-{part['attempt']}.jsonl.gz"
        stored.discard(key)
        body = run.document(key)
        if body is None:
            count.problems.append(f"{key} is missing")
            continue
        lines = [json.loads(line) for line in gzip.decompress(body).splitlines()]
        count.expect(f"{key}: targets", part["done"], len(lines))
        lost_pops = {entry[0] for entry in part["dark"]}
        outcomes: Counter[str] = Counter()
        for record in lines:
            target = ("/" + record["url"].split("/", 3)[3], record["pop"], record["variant"])
            if target in records:
                count.problems.append(f"{target} has two outcomes")
            records[target] = record
            if record["pop"] in lost_pops:
                dark.add(target)
            else:
                outcomes[record["outcome"]] += 1
        count.expect(f"{key}: outcomes", dict(part["outcomes"]), dict(outcomes))
        count.expect(f"{key}: failures", _failures(part), sum(n for name, n in outcomes.items() if name not in WARM))
    count.orphans = len(stored)
    if stored and not leftovers:
        count.problems.append(f"records that no part names: {sorted(stored)}")
    return records, dark


def _failures(part: dict[str, Any]) -> int:
    failed: dict[str, dict[str, int]] = json.loads(zlib.decompress(part["failed"]))
    return sum(sum(counts.values()) for counts in failed.values())


def _check_edge(
    count: Recount, records: dict[Target, dict[str, Any]], copies: dict[str, set[tuple[str, str]]]
) -> None:
    """Check that each POP holds each copy that a record calls warm."""
    cold = []
    for (path, pop, variant), record in records.items():
        if record["outcome"] not in WARM:
            count.failed_pops.add(pop)
            continue
        count.claimed += 1
        encoding = "br,gzip" if variant == "br, gzip" else ""
        if (path, encoding) not in copies.get(pop, set()):
            cold.append((path, pop, variant, record["outcome"], record["verified"]))
    if cold:
        count.problems.append(f"GREEN AND COLD: {len(cold)} targets, such as {cold[0]}")


def _check_totals(
    count: Recount,
    plan: dict[str, Any],
    parts: list[dict[str, Any]],
    records: dict[Target, dict[str, Any]],
    dark: set[Target],
    last: dict[str, Any],
) -> None:
    """Compare the sums of summary and status with the records."""
    variants = len(plan["variants"])
    targets = sum((group["url_to"] - group["url_from"]) * len(group["pops"]) * variants for group in plan["groups"])
    count.expect("the plan's targets", plan["targets"], targets)
    outcomes = Counter(record["outcome"] for target, record in records.items() if target not in dark)
    summary_document = count.run.document("summary.json")
    if summary_document is None:
        count.problems.append("the run has no summary")
        return
    summary = json.loads(summary_document)
    if missing := targets - len(records):
        outcomes[summary["unfinishedAs"]] += missing
    count.outcomes = outcomes
    count.expect("summary: outcomes", summary["outcomes"], dict(sorted(outcomes.items())))
    count.expect("summary: each target has one outcome", sum(summary["outcomes"].values()) + len(dark), targets)
    count.expect("summary: targets done", summary["targetsDone"], len(records))
    count.expect("summary: verified", summary["verified"], sum(part["verified"] for part in parts))
    count.expect("summary: bytes", summary["bytes"], sum(part["bytes"] for part in parts))
    count.expect("status: targets", last["targets"]["total"], targets)
    count.expect("status: targets done", last["targets"]["done"], len(records))
    count.expect("status: outcomes", last["targets"]["outcomes"], dict(outcomes))
    ended = count.run.world.states.describe_execution(executionArn=count.run.arn)["status"]
    count.expect("summary: execution status", summary["executionStatus"], ended)


def _check_urls(
    count: Recount,
    plan: dict[str, Any],
    records: dict[Target, dict[str, Any]],
    dark: set[Target],
    last: dict[str, Any],
) -> None:
    """Compare each URL's verdict in status, summary and report with the records."""
    pops = {pop for group in plan["groups"] for pop in group["pops"]}
    expected = len(pops) * len(plan["variants"])
    warm: Counter[str] = Counter()
    unreachable: Counter[str] = Counter(path for path, _, _ in dark)
    for (path, _, _), record in records.items():
        warm[path] += record["outcome"] in WARM
    verdicts = {}
    for path, url in zip(count.run.paths, count.run.urls, strict=True):
        mostly_dark = 2 * unreachable[path] > expected
        reachable = expected if mostly_dark else expected - unreachable[path]
        success = (
            warm[path] > 0 and not mostly_dark and 100 * warm[path] >= round(plan["percent_needed"] * reachable, 6)
        )
        verdicts[url] = ("success" if success else "failed", warm[path], reachable)
    success = {url for url, (verdict, _, _) in verdicts.items() if verdict == "success"}
    count.expect("status: successUrl", sorted(last["successUrl"]), sorted(success))
    summary = json.loads(count.run.document("summary.json") or b"{}")
    if not summary:
        return
    count.expect("summary: success", (summary["success"], summary["total"]), (len(success), len(verdicts)))
    count.expect("summary: failed URLs", {each["url"] for each in summary["failures"]}, set(verdicts) - success)
    report = json.loads(count.run.document("report.json") or b'{"urls": []}')
    reported = {line["url"]: (line["verdict"], line["warm"], line["reachable"]) for line in report["urls"]}
    count.expect("report.json: URLs", sorted(reported.items()), sorted(verdicts.items()))
    rows = csv.DictReader(io.StringIO((count.run.document("report.csv") or b"").decode()))
    sheet = {row["url"]: (row["verdict"], int(row["warm"]), int(row["reachable"])) for row in rows}
    count.expect("report.csv: URLs", sorted(sheet.items()), sorted(verdicts.items()))
    if last["status"] == "COMPLETED" and plan["fail_on"] != "none" and len(success) != len(verdicts):
        count.problems.append("GREEN AND COLD: the run is COMPLETED with failed URLs")
