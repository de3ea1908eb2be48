"""PostHog's library for pages through the cases, and in a visit with all that it does by itself, in the real Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from clients.cases import CASES, COUNTS, LARGE_BATCH_EVENT_BYTES, LARGE_EVENT_BYTES, UNICODE
from clients.collector import Collector
from node_tools import installed, run_node
from unit.ingest.fakes import WRITE_KEY

CLIENT = "posthog-js"
GIVEN_UP = frozenset({"all-at-once", "over-500-kb"})
"""After four troubles in a row its waits are longer than a test; a batch of it may have 3.1 MB."""
ASKED = {
    "posthog-js": {f"/array/{WRITE_KEY}/config.js", "/e/", "/flags/"},
    "posthog-js-1.280": {f"/array/{WRITE_KEY}/config.js", "/e/", "/flags/"},
    "posthog-js-1.200": {"/e/", "/decide/"},
}
"""By package, the routes that a page with it asks."""
GONE_THROUGH = {name: case for name, case in CASES.items() if name not in GIVEN_UP}
CALLED = {name: COUNTS[case.work] for name, case in GONE_THROUGH.items() if case.work in COUNTS}


@pytest.fixture(scope="module")
def seen(collector: Collector) -> dict[str, Any]:
    posts = {"unknown-key": 0, "methods": 1}
    cases = [[name, case.work, posts.get(case.work, 1)] for name, case in GONE_THROUGH.items()] + [["cookieless", "one", 1]]
    texts = {"unicode": UNICODE, "eventBytes": LARGE_EVENT_BYTES, "batchEventBytes": LARGE_BATCH_EVENT_BYTES}
    script = installed(Path(__file__).parent / "browser") / "posthog.mjs"
    told = run_node(script, collector.url, collector.direct, WRITE_KEY, json.dumps(cases), json.dumps(texts), timeout_seconds=150)
    found: dict[str, Any] = json.loads(told)
    return found


def tracks(collector: Collector, name: str, client: str = CLIENT) -> int:
    return len([t for t in collector.arrived(client, name) if t.type == "Called"])


def test_each_call_of_a_page_is_one_touchpoint_whatever_happens_on_the_way(seen: dict[str, Any], collector: Collector) -> None:
    assert {name: tracks(collector, name) for name in CALLED} == CALLED, seen["gaveUp"]
    for name, case in GONE_THROUGH.items():
        planned = [step for step in case.plan.split(" ") if step != "ok"]
        assert [step for step in collector.steps(CLIENT, name) if step != "ok"][: len(planned)] == planned, name


def test_all_methods_of_a_page_become_their_touchpoints(seen: dict[str, Any], collector: Collector) -> None:
    found = {t.type: t for t in collector.arrived(CLIENT, "methods")}
    assert set(found) == {"customer.identified", "page.viewed", "account.joined", "identities.linked", "Called"}, seen["gaveUp"]
    assert (found["customer.identified"].data["plan"], found["account.joined"].data["group_id"]) == ("gold", "acme")


def test_texts_come_through_as_they_are_packed_or_not(seen: dict[str, Any], collector: Collector) -> None:
    assert [t.data["text"] for t in collector.arrived(CLIENT, "unicode")] == [UNICODE], seen


def test_an_unknown_key_is_told_once_and_not_asked_again(seen: dict[str, Any], collector: Collector) -> None:
    assert (seen["gaveUp"]["401"], collector.steps(CLIENT, "401"), collector.arrived(CLIENT, "401")) == ([401], ["ok"], [])


@pytest.mark.parametrize("client", [CLIENT, f"{CLIENT}-plain"])
def test_a_page_that_is_left_loses_nothing(seen: dict[str, Any], collector: Collector, client: str) -> None:
    assert tracks(collector, "page-hide", client) == 3, collector.steps(client, "page-hide")


def test_what_is_said_without_a_network_comes_when_there_is_one_again(seen: dict[str, Any], collector: Collector) -> None:
    assert tracks(collector, "offline") == 3, seen


def test_visitors_without_cookies_are_taken_for_nobody(seen: dict[str, Any], collector: Collector) -> None:
    assert collector.steps(CLIENT, "cookieless") == ["ok"], seen
    assert not [t for t in collector.committer.touchpoints if any("cookieless" in name for name in t.identifiers)]


@pytest.mark.parametrize("package", ASKED)
def test_each_call_of_a_visit_is_one_touchpoint_and_joins_whom_it_names(seen: dict[str, Any], collector: Collector, package: str) -> None:
    by_id = {t.id: t for t in collector.committer.touchpoints}
    visit = [(event, by_id[uuid]) for event, uuid in seen["visits"][package]["captured"] if event != "$pageleave"]
    browser = next(t.identifiers for event, t in visit if event == "$pageview")
    joined = ("customer_id:42", *browser, "email:ann@example.com")
    assert all(name.startswith("anonymous_id:") for name in browser)
    assert {
        ("$pageview", "page.viewed", browser),
        ("$set", "customer.identified", browser),
        ("Order Completed", "order.placed", browser),
        ("$identify", "customer.identified", joined),
        ("$groupidentify", "account.joined", ("customer_id:42",)),
        ("at once", "at once", ("customer_id:42",)),
    } <= {(event, t.type, t.identifiers) for event, t in visit}
    alias, last = (next(t for event, t in visit if event == name) for name in ("$create_alias", "last"))
    assert {"customer_id:42", "customer_id:ann"} <= set(alias.identifiers)
    assert last.identifiers[0].startswith("anonymous_id:")
    assert last.identifiers != browser
    assert "$pageleave" in {t.type for t in collector.committer.touchpoints if t.identifiers == last.identifiers}


@pytest.mark.parametrize("package", ASKED)
def test_a_visit_shows_no_fault_in_the_console_and_asks_for_nothing_that_is_not_there(seen: dict[str, Any], package: str) -> None:
    assert seen["visits"][package]["faults"] == []
    assert set(seen["visits"][package]["asked"]) == ASKED[package]
