"""The report: a ring that keeps its promises comes out even; each way of breaking one is seen; the numbers are those of the topics."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.actions import Contact, Content
from nextwave_contracts.decisions import Decision, RunStarted, WaveClosed
from nextwave_contracts.outcomes import Outcome
from nextwave_local.demo import summary
from nextwave_local.demo.evidence import Evidence
from nextwave_local.demo.recount import funnel, latency, quantile
from nextwave_local.demo.report import Given, Report, Seconds, report
from nextwave_local.demo.standing import Posted, Standing
from rich.console import Console

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
RUN: dict[str, Any] = {"customer_id": "c", "campaign": "retention", "version": 1, "run_id": "r"}
FIXED = (
    "accepted", "taken_in", "duplicates_dropped", "customers", "candidates", "sent", "deferred", "withheld",
    "actions_by_channel", "outcomes", "dispatched_twice", "lost",
)  # fmt: skip


def _decision(number: int, result: Any, reason: Any, caused_by: str) -> Decision:
    place: dict[str, Any] = {"wave": "tell", "segment": "*", "purpose": "marketing", "at": AT}
    return Decision(**RUN, **place, decision_id=f"d{number}", result=result, reason=reason, caused_by=caused_by)


def _contact(number: int) -> Contact:
    place: dict[str, Any] = {"wave": "tell", "segment": "*", "channel": "email", "purpose": "marketing", "address": "a@example.com"}
    return Contact(
        **RUN, **place, action_id=f"a{number}", decision_id=f"d{number}", content=Content(text="t"),
        subjects=(), permitted=(), decided_at=AT, not_after=AT,
    )  # fmt: skip


def _outcome(number: int, kind: Any) -> Outcome:
    return Outcome(**RUN, id=f"o{number}{kind}", action_id=f"a{number}", wave="tell", channel="email", kind=kind, at=AT)


def _evidence() -> Evidence:
    """Two posts of the shop (one repeated) and one deed of a person; one contact of three candidates, opened."""
    evidence = Evidence()
    for name, at in ((("shop", "t1"), 100.0), (("shop", "t1"), 900.0), (("shop", "t2"), 200.0), (("links", "t3"), 300.0)):
        evidence.touchpoint(name, at)
    for name in (("shop", "t1"), ("shop", "t2"), ("links", "t3")):
        evidence.customer("updated", name)
    evidence.customer("merged", None)
    evidence.add(RunStarted(**RUN, at=AT), 110.0)
    evidence.add(_decision(1, "act", "permitted", "t1"), 120.0)
    evidence.add(_decision(2, "defer", "hours", "t2"), 220.0)
    evidence.add(_decision(3, "withhold", "no_consent", "c/r"), 320.0)
    evidence.add(_contact(1), 130.0)
    evidence.add(_outcome(1, "accepted"), 140.0)
    evidence.add(_outcome(1, "delivered"), 150.0)
    evidence.add(WaveClosed(**RUN, wave="tell", at=AT, responded=True, channel="email", segment="*"), 160.0)
    evidence.answer("a1", "email.opened", refused=False)
    evidence.dispatch("a1", accepted=False)
    evidence.dispatch("a1", accepted=True)
    return evidence


def _given() -> Given:
    standing = Standing(
        taken_in=3,
        duplicates_dropped=1,
        customers=1,
        bands={"high": 1},
        stages={"decline": 1},
        sources={"shop": {"web": 2}, "links": {"message": 1}},
        candidates=3,
        results={"act": 1, "defer": 1, "withhold": 1},
        deliveries={"email": 1},
        outcomes={"accepted": 1, "delivered": 1},
        people_accepted=1,
    )
    posted = Posted(accepted={("shop", "t1"), ("shop", "t2")}, acknowledged=3)
    return Given(
        posted=posted, last=replace(standing, bands={"low": 1}), standing=standing, evidence=_evidence(), settled=True,
        seed=7, speed=1e5, seconds=Seconds(start=1, replay=2, drain=3, count=4),
    )  # fmt: skip


def _broken(made: Report) -> list[str]:
    return [check.name for check in made.reconciliation if not check.holds]


def test_a_ring_that_keeps_its_promises_comes_out_even() -> None:
    made = report(_given())
    assert made.holds
    assert _broken(made) == []
    assert (made.accepted, made.taken_in, made.duplicates_dropped, made.lost, made.dispatched_twice) == (3, 3, 1, 0, 0)
    assert (made.candidates, made.sent, made.deferred, made.withheld) == (3, 1, 1, 1)
    assert made.actions_by_channel == {"email": 1}
    assert made.outcomes == {"accepted": 1, "delivered": 1}


def test_bands_are_those_of_the_last_row_since_silence_goes_on_changing_them() -> None:
    assert report(_given()).bands == {"low": 1}


def test_the_json_has_the_fixed_names() -> None:
    written = msgspec.json.decode(msgspec.json.encode(report(_given())))
    assert set(FIXED) <= written.keys()
    assert {"p50", "p99"} <= written["latency_ms"].keys()


Breaking = Callable[[Given], Given]


def _with(change: Callable[[Evidence], object]) -> Breaking:
    def breaking(given: Given) -> Given:
        change(given.evidence)
        return given

    return breaking


def _standing(**changes: Any) -> Breaking:
    return lambda given: replace(given, standing=replace(given.standing, **changes))


@pytest.mark.parametrize(
    ("breaking", "check"),
    [
        (_with(lambda e: e.taken.pop(("shop", "t2"))), "no touchpoint lost"),
        (_with(lambda e: e.taken.pop(("links", "t3"))), "no touchpoint lost"),
        (_with(lambda e: e.customer("updated", ("shop", "t1"))), "no effect twice"),
        (_with(lambda e: e.add(_contact(1), 999.0)), "no effect twice"),
        (_with(lambda e: e.dispatch("a1", accepted=True)), "at most one dispatch per action"),
        (_with(lambda e: e.dispatch("unheard of", accepted=True)), "at most one dispatch per action"),
        (_with(lambda e: e.add(_contact(9), 999.0)), "sent = contacts = deliveries"),
        (_with(lambda e: e.add(_outcome(1, "failed"), 999.0)), "outcomes by both counts"),
        (_with(lambda e: e.decisions.pop("d3")), "candidates = sent + deferred + withheld"),
        (_standing(taken_in=2), "accepted = taken in"),
        (_standing(duplicates_dropped=0), "repetitions dropped"),
        (_standing(deliveries={"email": 2}), "sent = contacts = deliveries"),
        (_standing(results={"act": 1, "defer": 2, "withhold": 0}), "deferred by both counts"),
    ],
)
def test_every_broken_promise_is_seen(breaking: Breaking, check: str) -> None:
    made = report(breaking(_given()))
    assert not made.holds
    assert check in _broken(made)


def test_latency_is_from_the_first_time_the_cause_stood_on_its_topic_and_only_of_direct_contacts() -> None:
    evidence = _evidence()
    evidence.add(_decision(4, "act", "permitted", "c/r"), 5_000.0)
    evidence.add(_contact(4), 9_000.0)
    found = latency(evidence)
    assert (found.p50, found.p99, found.samples) == (30.0, 30.0, 1)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.5, 0.99]))
def test_at_least_the_share_lies_at_or_below_the_quantile(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = quantile(ordered, share)
    assert sum(value <= found for value in ordered) >= share * len(ordered)
    assert sum(value < found for value in ordered) < share * len(ordered)


def test_the_funnel_counts_a_contact_once_for_each_thing_that_became_of_it() -> None:
    evidence = _evidence()
    evidence.answer("a1", "email.opened", refused=False)
    evidence.answer("a1", "call.wrapped_up", refused=True)
    [row] = funnel(evidence)
    assert (row.wave, row.segment, row.channel, row.sent, row.responded) == ("tell", "*", "email", 1, 1)
    assert row.became == {"accepted": 1, "delivered": 1, "opened": 1, "refused": 1}


def test_the_printed_report_says_which_sum_does_not_come_out() -> None:
    text = StringIO()
    broken = report(_standing(taken_in=2)(_given()))
    summary.show(Console(file=text, width=120), broken)
    assert "3 accepted, 2 taken in" in text.getvalue()
    assert "NO" in text.getvalue()


def test_the_printed_funnel_tells_what_was_decided_from_what_a_provider_accepted() -> None:
    text = StringIO()
    summary.show(Console(file=text, width=120), report(_given()))
    assert re.search(r"channel +\S? *decided +accepted", text.getvalue().replace("┃", " "))
    assert "bands and stages were counted when the last row was in" in text.getvalue()
