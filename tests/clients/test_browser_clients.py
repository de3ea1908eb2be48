"""The clients of pages through the cases, in the real Chromium, on pages of another origin than the door's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from clients.cases import CASES, COUNTS, LARGE_BATCH_EVENT_BYTES, LARGE_EVENT_BYTES, UNICODE, Case
from clients.collector import Collector
from node_tools import installed, run_node
from unit.ingest.fakes import WRITE_KEY

CLIENTS = Path(__file__).parent
NEXT = ("analytics-next", "analytics-next-batching")
OF_JITSU = ("methods", "429", "503")
CALLED = {name: case for name, case in CASES.items() if case.work in COUNTS}


def answers(client: str, case: Case) -> int:
    """How many posts are answered with a success until all is told."""
    if case.work == "unknown-key":
        return 0
    if case.work == "methods":
        return {"jitsu-browser": 4, "analytics-next": 6}.get(client, 1)
    return COUNTS.get(case.work, 1) if client != "analytics-next-batching" else 2 if case.work == "large-batch" else 1


@pytest.fixture(scope="module")
def seen(collector: Collector) -> dict[str, Any]:
    cases = [[client, name, case.work, answers(client, case)] for client in NEXT for name, case in CASES.items()]
    cases += [["jitsu-browser", name, CASES[name].work, answers("jitsu-browser", CASES[name])] for name in OF_JITSU]
    texts = {"unicode": UNICODE, "eventBytes": LARGE_EVENT_BYTES, "batchEventBytes": LARGE_BATCH_EVENT_BYTES}
    script = installed(CLIENTS / "browser") / "analytics.mjs"
    told = run_node(script, collector.url, WRITE_KEY, json.dumps(cases), json.dumps(texts), f"{CLIENTS / 'node'}/", timeout_seconds=120)
    found: dict[str, Any] = json.loads(told)
    return found


def tracks(collector: Collector, client: str, name: str) -> int:
    return len([t for t in collector.arrived(client, name) if t.type == "Called"])


@pytest.mark.parametrize("client", NEXT)
def test_each_call_of_a_page_is_one_touchpoint_whatever_happens_on_the_way(seen: dict[str, Any], collector: Collector, client: str) -> None:
    arrived = {name: tracks(collector, client, name) for name in CALLED}
    assert arrived == {name: COUNTS[case.work] for name, case in CALLED.items()}, seen[client]
    for name, case in CASES.items():
        planned = [step for step in case.plan.split(" ") if step != "ok"]
        assert [step for step in collector.steps(client, name) if step != "ok"][: len(planned)] == planned, name


@pytest.mark.parametrize("client", NEXT)
def test_all_methods_of_a_page_become_their_touchpoints(seen: dict[str, Any], collector: Collector, client: str) -> None:
    found = {t.type: t for t in collector.arrived(client, "methods")}
    assert set(found) == {"customer.identified", "page.viewed", "account.joined", "identities.linked", "Called"}, seen[client]
    assert found["customer.identified"].data["plan"] == "gold"
    assert {"timezone", "locale"} <= set(found["customer.identified"].data)


def test_a_page_is_told_what_was_refused(seen: dict[str, Any]) -> None:
    assert seen["analytics-next"]["32-kb"] == ["NonRetryableError: Non-retryable error: 400"]


@pytest.mark.parametrize("client", NEXT)
def test_a_page_with_an_unknown_key_gets_no_settings_and_posts_nothing(seen: dict[str, Any], collector: Collector, client: str) -> None:
    assert (collector.arrived(client, "401"), collector.steps(client, "401")) == ([], []), seen


def test_pages_with_jitsus_client_ask_before_they_post_and_come_again(seen: dict[str, Any], collector: Collector) -> None:
    assert {t.type for t in collector.arrived("jitsu-browser", "methods")} >= {"customer.identified", "account.joined", "Called"}
    assert [tracks(collector, "jitsu-browser", name) for name in ("429", "503")] == [3, 3], seen


@pytest.mark.parametrize(("client", "count"), [("analytics-next-batching", 3), ("analytics-next", 4)])
def test_a_page_that_is_left_loses_nothing(seen: dict[str, Any], collector: Collector, client: str, count: int) -> None:
    assert tracks(collector, client, "page-hide") == count, seen


@pytest.mark.parametrize("client", NEXT)
def test_what_is_said_without_a_network_comes_when_there_is_one_again(seen: dict[str, Any], collector: Collector, client: str) -> None:
    assert tracks(collector, client, "offline") == 4, seen


def test_pages_send_nothing_to_anybody_else(seen: dict[str, Any], collector: Collector) -> None:
    shop, *others = sorted(seen["hosts"], key=lambda host: host == urlsplit(collector.url).netloc)
    assert others == [urlsplit(collector.url).netloc]
    assert shop.startswith("127.0.0.1")
