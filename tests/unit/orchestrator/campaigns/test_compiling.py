"""A compiled campaign asks exactly what its owner wrote, and the catalogue is put together from what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from nextwave_contracts.customers import Churn, Snapshot
from nextwave_contracts.documents import read_as
from nextwave_orchestrator.assembly import CampaignRow, Everything, Stored, Version, assemble
from nextwave_orchestrator.campaigns.compile import compile_campaign
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Template
from nextwave_orchestrator.catalogue import Facts, Happening, LiveCampaign
from nextwave_orchestrator.templates import UnrenderableError
from unit.orchestrator.campaigns.winter import put, winter, written
from unit.orchestrator.decision_world import snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def compiled(at: str = "/key", value: Any = "winter-renewal") -> LiveCampaign:
    return compile_campaign(read_as(put(written(), at, value), Campaign), 1, "published")


def seen(type_: str, **data: Any) -> Happening:
    return Happening(type_, NOW, data)


def test_waves_have_their_windows_ways_and_responses() -> None:
    tell, call, missed = compiled().waves
    assert (tell.window, tell.enter_after, tell.enter_unless_responded) == (timedelta(days=2), "", False)
    assert (call.enter_after, call.enter_unless_responded) == ("tell", True)
    assert [key for key, _ in tell.mixes] == ["top-value", "*"]
    assert {reach: step.channel for reach, step in missed.enter_on.items()} == {"missed": "sms", "refused": "email"}
    assert tell.is_response(seen("page.viewed", path="/renew"))
    assert not tell.is_response(seen("page.viewed", path="/"))
    assert call.is_response(seen("outcome.answered"))
    assert not missed.is_response(seen("outcome.answered"))


def test_a_customer_enters_on_crossing_into_a_band_and_not_on_staying() -> None:
    enters = compiled().enters
    assert enters(None, [("churn.band", "low", "elevated")])
    assert enters(None, [("stage", "formation", "decline"), ("churn.band", "elevated", "high")])
    assert not enters(None, [("churn.band", "high", "low")])
    assert not enters(None, [("churn.band", "high", "high")])
    assert not enters(seen("churn.band"), [])


def test_a_customer_enters_on_leaving_or_on_an_event() -> None:
    leaves = compiled("/entry/on", {"left": {"segment": ["top"]}}).enters
    assert leaves(None, [("segment", "top", "")])
    assert not leaves(None, [("segment", "", "top")])
    orders = compiled("/entry/on", {"event": "order.placed", "where": {"amount": {"op": "gte", "value": 100}}}).enters
    assert orders(seen("order.placed", amount=100), [])
    assert not orders(seen("order.placed", amount=99), [])
    assert not orders(None, [("segment", "top", "")])


def test_the_goal_has_its_conditions_and_times() -> None:
    campaign = compiled("/goal/where", {"plan": "gold"})
    assert campaign.is_goal(seen("contract.renewed", plan="gold"))
    assert not campaign.is_goal(seen("contract.renewed", plan="blue"))
    assert (campaign.goal_within, campaign.reentry, campaign.spacing("4h")) == (
        timedelta(days=30),
        timedelta(days=90),
        timedelta(hours=4),
    )


def everything(**changes: Any) -> Everything:
    def body(written: Any) -> bytes:
        return msgspec.json.encode(written)

    band = {"field": "churn.band", "op": "eq", "value": "high"}
    high = Segment(key="high", name="High", owner="x", rule=band, priority=20)
    top = Segment(key="top", name="Top", owner="x", rule={"field": "refusals", "op": "eq", "value": 0}, priority=10)
    stored = Everything(
        revision=7,
        segments=[Stored("high", 3, body(high)), Stored("top", 4, body(top))],
        templates=[Stored("hello", 2, body(Template(key="hello", text="Hello {{ traits.name }}")))],
        campaigns=[CampaignRow("winter-renewal", "published", 2)],
        versions=[Version("winter-renewal", n, body(winter())) for n in (1, 2)],
        ready={"payment": True},
        policy=Policy(),
    )
    return replace(stored, **changes)


def test_the_catalogue_holds_every_version_and_lives_by_the_newest() -> None:
    catalogue = assemble(everything(), b"secret")
    assert set(catalogue.campaigns) == {("winter-renewal", 1), ("winter-renewal", 2)}
    assert [(c.key, c.version) for c in catalogue.live] == [("winter-renewal", 2)]
    assert (catalogue.revision, catalogue.states, catalogue.ready) == (7, {"winter-renewal": "published"}, {"payment": True})


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_a_stopped_campaign_is_known_but_not_live(state: Any) -> None:
    catalogue = assemble(everything(campaigns=[CampaignRow("winter-renewal", state, 2)]), b"secret")
    assert catalogue.live == ()
    assert catalogue.campaigns["winter-renewal", 1].state == state
    assert catalogue.states == {"winter-renewal": state}


def test_what_another_release_stored_and_this_one_cannot_read_is_left_out_by_name_and_the_rest_lives() -> None:
    written = everything()
    strange = Stored("odd", 9, b'{"key": "odd", "name": "Odd", "owner": "x", "rule": {"field": "refusals", "op": "eq"}}')
    newer = Stored("bye", 9, b'{"key": "bye", "text": "Bye", "sounds": {"de": "bye.ogg"}}')
    older = Version("spring", 1, msgspec.json.encode(winter()).replace(b'"48h"', b'"a while"'))
    rows = [*written.campaigns, CampaignRow("spring", "published", 1)]
    catalogue = assemble(
        replace(
            written,
            segments=[*written.segments, strange],
            templates=[*written.templates, newer],
            versions=[*written.versions, older],
            campaigns=rows,
        ),
        b"secret",
    )
    assert catalogue.misfits.keys() == {"segments/odd", "templates/bye", "campaigns/spring/versions/1"}
    with pytest.raises(UnrenderableError):
        catalogue.render("bye", snapshot())
    assert "/rule/value: value is missing" in catalogue.misfits["segments/odd"]
    assert [s.key for s in catalogue.segments] == ["top", "high"]
    assert [(c.key, c.version) for c in catalogue.live] == [("winter-renewal", 2)]
    assert catalogue.states["spring"] == "published"


def test_a_customer_belongs_to_the_first_wanted_segment_by_priority() -> None:
    catalogue = assemble(everything(), b"secret")
    ann = Snapshot(customer_id="c", version=1, churn=Churn(risk=0.8, band="high", horizon_days=90, model="m"), traits={"name": "Ann"})
    facts = Facts(ann, (), NOW)
    assert catalogue.segment_of(facts, ["high", "top"]) == "top"
    assert catalogue.segment_of(facts, ["high", "*"]) == "high"
    assert catalogue.segment_of(facts, ["*"]) == "*"
    assert catalogue.render("hello", ann).text == "Hello Ann"
