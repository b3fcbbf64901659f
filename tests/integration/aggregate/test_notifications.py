"""Notifications about ended runs: when they are published, subject and text."""

import json
from typing import Any

import pytest
from moto.sns.models import sns_backends

import aggregate.run_ended_handler
from aggregate.notification import SUBJECT_LIMIT, compose
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import ACCOUNT, REGION, SYDNEY, TOKYO, Context, Machine, client

API = "https://abc.execute-api.eu-central-1.amazonaws.com/v1"


def detail(name: str, status: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:states:{REGION}:123456789012:execution:prewarm:{name}"
    return {"executionArn": arn, "name": name, "status": status, "redriveCount": 0} | more


@pytest.fixture
def topic(account: object, monkeypatch: pytest.MonkeyPatch) -> str:
    arn: str = client("sns").create_topic(Name="notifications")["TopicArn"]
    monkeypatch.setenv("PREWARM_NOTIFICATION_TOPIC", arn)
    monkeypatch.setenv("PREWARM_API_URL", API)
    return arn


def sent(topic: str) -> list[tuple[str, str]]:
    """Return the published notifications: subject and message."""
    backend = sns_backends[ACCOUNT][REGION]
    notifications = backend.topics[topic].sent_notifications
    return [(str(subject), str(message)) for _, message, subject, *_ in notifications]


def end(name: str, status: str, **more: Any) -> None:
    aggregate.run_ended_handler.handler({"detail": detail(name, status, **more)}, Context())


def test_notification_of_a_failed_run_has_counts_failures_and_links(
    machine: Machine, edge: SimulatedCloudFront, topic: str
) -> None:
    good, bad = fresh(2)
    edge.fault(path_of(bad), "waf_block", pops=[TOKYO])
    ran = machine.run({"url_list": [good, bad], "region_type": "pop", "region": [SYDNEY[0], TOKYO]})
    end(ran.name, "FAILED", error=ran.output["error"], cause=ran.output["cause"])
    ((subject, message),) = sent(topic)
    assert subject == f"Prewarm NOT WARM: 1 of 2 URLs are warm ({ran.name})"
    assert "1 of 2 URLs are warm, 1 failed." in message
    assert f"{bad}: 403 Forbidden (the edge or the origin refused it)" in message
    assert f"at 1 POP, such as {TOKYO} (x-amz-cf-id " in message
    assert f"What to do:\n{bad}: allow the service in the web ACL by a secret header" in message
    assert "/retry" not in message
    assert f"{API}/#/run/{ran.name}" in message
    assert f"#/v2/executions/details/arn:aws:states:{REGION}" in message
    assert good not in message


@pytest.mark.parametrize(("status", "words"), [("TIMED_OUT", "timed out"), ("ABORTED", "cancelled")])
def test_stopped_run_is_finished_before_its_notification(
    machine: Machine, topic: str, status: str, words: str
) -> None:
    ran = machine.resolve({"url_list": fresh(2), "region_type": "pop", "region": [SYDNEY[0]]})
    end(ran.name, status)
    ((subject, message),) = sent(topic)
    assert subject.startswith(f"Prewarm {words}: 0 of 2 URLs are warm")
    assert "2 not warm." in message


def test_notification_of_a_rejected_run_has_its_cause(topic: str) -> None:
    end("refused", "FAILED", error="Prewarm.InvalidRequest", cause="region[0]: unknown region 'apca'")
    ((subject, message),) = sent(topic)
    assert "nothing was warmed" in subject
    assert "region[0]: unknown region 'apca'" in message
    assert "start a new run" in message


@pytest.mark.parametrize(("setting", "count"), [("failures", 0), ("all", 1)])
def test_warm_run_is_notified_for_all_only(
    machine: Machine, topic: str, monkeypatch: pytest.MonkeyPatch, setting: str, count: int
) -> None:
    monkeypatch.setenv("PREWARM_NOTIFICATIONS", setting)
    ran = machine.run({"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]]})
    end(ran.name, "SUCCEEDED")
    assert len(sent(topic)) == count


def test_without_a_topic_nothing_is_published(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREWARM_NOTIFICATION_TOPIC", raising=False)
    ran = machine.run({"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]]})
    end(ran.name, "FAILED", error="Prewarm.NotWarm")


@pytest.mark.parametrize("name", ["x" * 80, "läuft-nicht", "run"])
def test_subject_is_valid_for_sns(name: str) -> None:
    subject = compose(detail(name, "FAILED", cause="why"), None, API).subject
    assert len(subject) <= SUBJECT_LIMIT
    assert subject.isascii()
    assert "\n" not in subject


def test_notification_is_composed_from_a_stored_summary(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]]})
    summary = json.loads(json.dumps(machine.storage.get_summary(ran.name)))
    assert "1 of 1 URLs are warm, 0 failed." in compose(detail(ran.name, "SUCCEEDED"), summary, "").message
