"""Every client through every case: whatever happens on the way, each of its calls is one touchpoint, or it is known why not."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clients.cases import CASES, COUNTS, LARGE_BATCH_EVENT_BYTES, LARGE_EVENT_BYTES, UNICODE
from clients.collector import Collector
from clients.python_matrix import Took, through
from node_tools import installed, run_node
from unit.ingest.fakes import WRITE_KEY

NODE = Path(__file__).parent / "node"
NODE_CLIENTS = ("analytics-node", "rudder-sdk-node", "jitsu", "jitsu-retrying", "posthog-node", "posthog-node-v1")
PYTHON_CLIENTS = ("segment-analytics-python", "posthog-python", "posthog-python-v1")
CLIENTS = (*NODE_CLIENTS, *PYTHON_CLIENTS)
SIDE_BY_SIDE = 4
"""Clients at once: with all of them a busy machine takes longer to answer than they wait."""
TEXTS = {"unicode": UNICODE, "eventBytes": LARGE_EVENT_BYTES, "batchEventBytes": LARGE_BATCH_EVENT_BYTES}
LOST: dict[str, frozenset[str]] = {
    "jitsu": frozenset({"429", "503", "500", "timeout-before", "all-at-once"}),
    "rudder-sdk-node": frozenset({"timeout-before"}),
}
"""Where a client itself gives calls up: Jitsu's sends each once (`send` in jitsu.es.js), RudderStack's does not repeat after its own
time-out (`isNetworkError` of axios-retry leaves ECONNABORTED out). docs/doors.md says so."""
TOLD: dict[str, frozenset[str]] = {"jitsu": frozenset(CASES), "rudder-sdk-node": frozenset({"timeout-after", "all-at-once"})}
"""Where a client calls a call given up, which has arrived: it has not heard the answer, and does not ask again."""
METHODS = {"customer.identified", "Called", "page.viewed", "account.joined"}
"""Types of what all clients can say; Jitsu's has no alias."""


@pytest.fixture(scope="module")
def journeys(collector: Collector) -> dict[str, Took]:
    """All clients through all cases."""
    cases, texts = json.dumps([[name, case.work] for name, case in CASES.items()]), json.dumps(TEXTS)
    script = installed(NODE) / "matrix.mjs"

    def go(client: str) -> Took:
        if client in PYTHON_CLIENTS:
            return through(client, collector.url, CASES)
        told: Took = json.loads(run_node(script, client, collector.url, WRITE_KEY, cases, texts, timeout_seconds=120))
        return told

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(CLIENTS, pool.map(go, CLIENTS), strict=True))


@pytest.fixture(params=CLIENTS)
def gone_through(request: pytest.FixtureRequest, journeys: dict[str, Took]) -> tuple[str, Took]:
    client: str = request.param
    return client, journeys[client]


def test_each_call_is_one_touchpoint_whatever_happens_on_the_way(gone_through: tuple[str, Took], collector: Collector) -> None:
    client, gave_up = gone_through
    kept = {name: case for name, case in CASES.items() if case.work in COUNTS and name not in LOST.get(client, ())}
    arrived = {name: len([t for t in collector.arrived(client, name) if t.type == "Called"]) for name in kept}
    assert arrived == {name: COUNTS[case.work] for name, case in kept.items()}, gave_up
    silent = [name for name in kept if name not in {"401", "32-kb", *TOLD.get(client, ())}]
    assert {name: gave_up[name] for name in silent} == {name: [] for name in silent}


def test_what_was_planned_has_happened(gone_through: tuple[str, Took], collector: Collector) -> None:
    client, _ = gone_through
    planned = {name: [step for step in case.plan.split(" ") if step != "ok"] for name, case in CASES.items()}
    if client == "jitsu":
        planned = {name: steps[:3] for name, steps in planned.items()}  # it sends each of its three calls once
    happened = {name: [step for step in collector.steps(client, name) if step != "ok"] for name in CASES}
    assert {name: steps[: len(planned[name])] for name, steps in happened.items()} == planned
    for name in ("twice", "cut-after", "nameless"):
        assert client == "jitsu" or collector.records(client, name) > COUNTS["three"], name


def test_what_a_client_gives_up_is_what_the_guide_says(gone_through: tuple[str, Took], collector: Collector) -> None:
    client, gave_up = gone_through
    for name in LOST.get(client, ()):
        assert len(collector.arrived(client, name)) < COUNTS[CASES[name].work], name
        assert gave_up[name], name


def test_all_methods_become_their_touchpoints(gone_through: tuple[str, Took], collector: Collector) -> None:
    client, gave_up = gone_through
    seen = collector.arrived(client, "methods")
    wanted = METHODS if client.startswith("jitsu") else METHODS | {"identities.linked"}
    assert {t.type for t in seen} == wanted, gave_up
    assert {t.data.get("plan") for t in seen if t.type == "customer.identified"} == {"gold"}
    assert {t.data["group_id"] for t in seen if t.type == "account.joined"} == {"acme"}


def test_texts_come_through_as_they_are(gone_through: tuple[str, Took], collector: Collector) -> None:
    client, _ = gone_through
    assert [t.data["text"] for t in collector.arrived(client, "unicode")] == [UNICODE]


@pytest.mark.parametrize("case", ["clock-ahead", "clock-behind"])
def test_a_wrong_clock_is_set_right(gone_through: tuple[str, Took], collector: Collector, case: str) -> None:
    client, _ = gone_through
    seen = collector.arrived(client, case)
    assert len(seen) == COUNTS["three"]
    assert all(abs(t.occurred_at - datetime.now(UTC)) < timedelta(minutes=5) for t in seen)
    assert all(t.time_suspect for t in seen)  # three days are more than is believed


def test_an_unknown_key_is_told_once_and_not_asked_again(gone_through: tuple[str, Took], collector: Collector) -> None:
    client, gave_up = gone_through
    assert (collector.arrived(client, "401"), len(collector.steps(client, "401"))) == ([], 1)
    assert gave_up["401"]


def test_a_large_event_harms_no_other_and_is_told(gone_through: tuple[str, Took], collector: Collector) -> None:
    client, gave_up = gone_through
    assert {t.data["n"] for t in collector.arrived(client, "32-kb")} == {0, 2}
    refused = [r for r in collector.committer.rejected if r.reason == "too_large" and f"{client}/32-kb".encode() in r.payload]
    assert refused or gave_up["32-kb"]


def test_a_client_that_sends_too_large_a_batch_hears_so_and_does_not_repeat_it(journeys: dict[str, Took], collector: Collector) -> None:
    """Only Segment's for Node does: it counts a call's letters i instead of its bytes (`calculateSize` of its context-batch.js)."""
    client, case = "analytics-node", "over-500-kb"
    assert (collector.arrived(client, case), len(collector.steps(client, case))) == ([], 1)
    assert journeys[client][case] == ["[400] Bad Request"] * 20
