"""Versions of a campaign: what was published, what changed, who is under way in which, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_orchestrator.live import LiveCatalogue
from unit.orchestrator.api.caller import Caller
from unit.orchestrator.api.fake_store import FakeStore
from unit.orchestrator.campaigns.winter import put, written

KEY = "/v1/campaigns/plan"
FREE: dict[str, Any] = {
    "owner": "care",
    "purpose": "care",
    "goal": {"event": "order.placed", "within": "30d"},
    "entry": {"on": {"event": "customer.registered"}},
    "waves": [{"key": "tell", "window": "48h", "mixes": [{"segment": "*", "channels": [{"channel": "email", "template": "hello"}]}]}],
}


@pytest.fixture
async def published(call: Caller) -> Caller:
    """A campaign in two versions."""
    await call("editor", "PUT", "/v1/templates/hello", {"subject": "About you", "text": "Hello"})
    for document in (FREE, put(FREE, "/waves/0/window", "24h")):
        await call("editor", "PUT", KEY, document)
        assert (await call("editor", "POST", f"{KEY}:publish")).status_code == 200
    return call


async def live_keys(store: FakeStore) -> list[str]:
    live = LiveCatalogue(store, b"secret")
    await live.load()
    return [campaign.key for campaign in live.current().live]


async def test_every_version_is_listed_with_who_published_it_and_how_many_people_are_in_it(published: Caller, store: FakeStore) -> None:
    store.committed.people = {("plan", 1): 7, ("other", 2): 3}
    first = (await published("viewer", "GET", f"{KEY}/versions?limit=1")).json()
    rest = (await published("viewer", "GET", f"{KEY}/versions?cursor={first['next']}")).json()
    (one,), (two,) = first["items"], rest["items"]
    assert (one["version"], one["published_by"], one["in_flight"]) == (1, "editor", 7)
    assert (two["version"], two["in_flight"], rest["next"]) == (2, 0, None)
    assert (await published("viewer", "GET", KEY)).json()["in_flight"] == {"1": 7}


async def test_a_version_is_shown_as_it_was_published(published: Caller) -> None:
    await published("editor", "PUT", KEY, put(FREE, "/waves/0/window", "12h"))
    shown = [(await published("viewer", "GET", f"{KEY}/versions/{n}")).json()["definition"]["waves"][0]["window"] for n in (1, 2)]
    assert shown == ["48h", "24h"]
    assert (await published("viewer", "GET", f"{KEY}/versions/3")).status_code == 404


@pytest.mark.parametrize(
    ("query", "against", "removed"), [("", "version 1", "48h"), ("?against=1", "version 1", "48h"), ("?against=draft", "draft", "")]
)
async def test_what_a_version_changed_is_a_diff(published: Caller, query: str, against: str, removed: str) -> None:
    told = (await published("viewer", "GET", f"{KEY}/versions/2:diff{query}")).json()
    assert told["against"] == against
    gone = [line[1:].strip() for line in told["diff"].splitlines() if line.startswith("-") and not line.startswith("---")]
    assert gone == ([f"window: {removed}"] if removed else [])


async def test_the_first_version_changed_everything_and_no_version_itself(published: Caller) -> None:
    told = (await published("viewer", "GET", f"{KEY}/versions/1:diff")).json()
    assert (told["against"], all(line[0] in "+@-" for line in told["diff"].splitlines())) == ("nothing", True)
    assert (await published("viewer", "GET", f"{KEY}/versions/2:diff?against=2")).status_code == 422
    assert (await published("viewer", "GET", f"{KEY}/versions/2:diff?against=9")).status_code == 404


@pytest.mark.parametrize("query", ["versions/1:diff?against=x1", "versions/1:diff?against=1x", "versions?cursor=x1", "versions?cursor=1x"])
async def test_what_is_no_version_is_refused(published: Caller, query: str) -> None:
    refused = await published("viewer", "GET", f"{KEY}/{query}")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/" + query.partition("?")[2].partition("=")[0])


async def test_a_version_is_compiled_once_however_often_the_catalogue_changes(published: Caller, store: FakeStore) -> None:
    live = LiveCatalogue(store, b"secret")
    await live.load()
    before = dict(live.current().campaigns)
    store.committed.published = [version._replace(body=b"is not read again") for version in store.committed.published]
    await published("operator", "POST", f"{KEY}:pause")
    await live.load()
    after = live.current().campaigns
    assert [(campaign.state, campaign.waves is before[name].waves) for name, campaign in after.items()] == [("paused", True)] * 2


async def test_a_campaign_that_drains_lets_nobody_in_until_it_is_resumed_or_published(published: Caller, store: FakeStore) -> None:
    assert await live_keys(store) == ["plan"]
    announced = len(store.committed.announced)
    for _ in range(2):
        drained = (await published("operator", "POST", f"{KEY}:drain")).json()
        assert (drained["state"], drained["drains"]) == ("published", True)
    assert (await live_keys(store), len(store.committed.announced)) == ([], announced)
    assert (await published("editor", "POST", f"{KEY}:resume")).json()["drains"] is False
    assert await live_keys(store) == ["plan"]
    await published("editor", "POST", f"{KEY}:drain")
    assert (await published("editor", "POST", f"{KEY}:publish")).json()["drains"] is False


async def test_resuming_after_a_pause_leaves_a_drain_as_it_was(published: Caller, store: FakeStore) -> None:
    for verb in ("drain", "pause", "resume"):
        turned = (await published("editor", "POST", f"{KEY}:{verb}")).json()
    assert (turned["state"], turned["drains"], await live_keys(store)) == ("published", True, [])


async def test_people_in_flight_are_migrated_to_the_version_that_is_newest_then(published: Caller, store: FakeStore) -> None:
    assert (await published("editor", "POST", f"{KEY}:migrate")).json()["migrates_to"] == 2
    await published("editor", "PUT", KEY, FREE)
    assert (await published("editor", "POST", f"{KEY}:publish")).json()["migrates_to"] == 2
    live = LiveCatalogue(store, b"secret")
    await live.load()
    assert live.current().migrations == {"plan": 2}


@pytest.mark.parametrize("verb", ["migrate", "drain"])
async def test_what_was_never_published_or_has_ended_has_nobody_to_drain_or_migrate(call: Caller, verb: str) -> None:
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())
    refused = await call("editor", "POST", f"/v1/campaigns/winter-renewal:{verb}")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:nextwave:problem:wrong-state")
