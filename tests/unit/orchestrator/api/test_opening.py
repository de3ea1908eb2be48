"""Who is let in by time is told to every partition's owner when the campaign begins to let people in, and only then."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_orchestrator.campaigns.definition import Rule
from unit.orchestrator.api.caller import Caller
from unit.orchestrator.api.fake_store import FakeStore
from unit.orchestrator.campaigns.winter import RULES, put, written

BY_DATE = {"date": {"of": "birthday"}}
KEY = "/v1/campaigns/winter-renewal"
AGAIN: Rule = {"event": "order.placed", "within": "30d"}


async def publish(call: Caller, on: dict[str, Any]) -> None:
    for key, rule in RULES.items():
        await call("editor", "PUT", f"/v1/segments/{key}", {"name": key, "owner": "sales", "rule": rule})
    for key in ("renew", "renew-top", "sorry"):
        await call("editor", "PUT", f"/v1/templates/{key}", {"subject": "About you", "text": "Hello"})
    await call("editor", "PUT", KEY, put(written(), "/entry/on", on))
    assert (await call("approver", "POST", f"{KEY}:publish")).status_code == 200


def opened(store: FakeStore) -> int:
    return sum(kind == "campaign_opened" for kind, _, _ in store.committed.announced)


@pytest.mark.parametrize(
    ("on", "times"),
    [
        ({"event": "order.placed"}, 0),
        ({"entered": {"churn.band": ["high"]}}, 0),
        (BY_DATE, 1),
        ({"schedule": {"at": "2026-12-01T09:00"}}, 1),
        ({"left": {"segment": ["top-value"]}}, 1),
    ],
)
async def test_publishing_tells_the_owners_where_time_may_let_somebody_in(call: Caller, store: FakeStore, on: Any, times: int) -> None:
    await publish(call, on)
    assert opened(store) == times


async def test_going_on_and_a_new_version_tell_them_again_and_nothing_else_does(call: Caller, store: FakeStore) -> None:
    await publish(call, BY_DATE)
    for verb, times in (("publish", 1), ("pause", 1), ("resume", 2), ("drain", 2), ("resume", 3), ("pause", 3), ("publish", 4)):
        await call("approver", "POST", f"{KEY}:{verb}")
        assert opened(store) == times, verb
    await call("editor", "PUT", KEY, put(put(written(), "/entry/on", BY_DATE), "/holdout", 0.2))
    await call("approver", "POST", f"{KEY}:publish")
    assert opened(store) == 5
    await call("approver", "POST", f"{KEY}:end")
    assert opened(store) == 5


async def test_another_rule_of_a_segment_that_somebody_waits_for_tells_them_too(call: Caller, store: FakeStore) -> None:
    await publish(call, {"left": {"segment": ["top-value"]}})
    for key, times in (("contract-holders", 1), ("top-value", 2)):
        for _ in range(2):
            await call("editor", "PUT", f"/v1/segments/{key}", {"name": key, "owner": "sales", "rule": AGAIN})
        assert opened(store) == times
