"""What campaign owners count on, on the real Kafka and PostgreSQL: caps under a kill, who wins, versions, matters, how a call ended."""

from __future__ import annotations

import asyncio
import math
import signal
from collections import Counter, defaultdict
from typing import Any

from ring.ring import Ring, campaign, until

CROWD, EACH = 40, 25
"""Customers of the burst, and candidates of each at once."""


def of(ring: Ring, kind: str, key: str) -> list[dict[str, Any]]:
    """Decisions, runs, waves and goals of a campaign, by type."""
    return [m for m in ring.topic("decisions") if m["type"] == kind and m["campaign"] == key]


def contacts(ring: Ring, key: str) -> list[dict[str, Any]]:
    """What was ordered of the channels for a campaign."""
    return [a for a in ring.topic("actions") if a["type"] == "contact" and a["campaign"] == key]


def email(template: str) -> list[dict[str, Any]]:
    """A mix for everybody."""
    return [{"segment": "*", "channels": [{"channel": "email", "template": template}]}]


async def test_of_a_thousand_candidates_at_once_the_cap_lets_three_a_customer_through_though_a_replica_is_killed(ring: Ring) -> None:
    waves = [{"key": "tell", "window": "4h", "mixes": email("burst-tell")}]
    await ring.publish(campaign("burst", "burst.asked", entry={"on": {"event": "burst.asked"}, "key": "n"}, waves=waves))
    names = [f"burst{n}" for n in range(CROWD)]
    await asyncio.gather(*(ring.sign_up(name, number=200 + n, channels=("email",)) for n, name in enumerate(names)))

    async def post() -> None:
        for n in range(EACH):
            await asyncio.gather(*(ring.track(name, "burst.asked", {"n": f"{name}-{n}"}) for name in names))

    async def kill() -> None:
        await until(lambda: of(ring, "run_started", "burst"), "the first run", every=0.05)
        ring.send_signal("orchestrator-1", signal.SIGKILL)

    await asyncio.gather(post(), kill())
    await until(lambda: len(of(ring, "decision", "burst")) >= CROWD * EACH, "a decision for each candidate", 120, every=1)
    decisions = of(ring, "decision", "burst")
    assert len({d["run_id"] for d in decisions}) == CROWD * EACH
    acted = Counter(d["customer_id"] for d in decisions if d["result"] == "act")
    assert len(acted) == CROWD
    assert set(acted.values()) == {3}
    assert {d["reason"] for d in decisions if d["result"] != "act"} <= {"cap", "outranked"}
    assert Counter(a["customer_id"] for a in contacts(ring, "burst")) == acted


async def test_of_five_campaigns_that_want_a_customer_the_formula_names_the_winner_and_four_losers_with_their_numbers(ring: Ring) -> None:
    worth = {"plain": (5000, 1.0), "levered": (3000, 4.0), "small": (1000, 1.0), "middle": (2500, 2.0), "low": (9000, 0.1)}
    for key, (value, lever) in worth.items():
        goal = {"event": "contract.renewed", "within": "30d", "value": value}
        waves = [{"key": "tell", "window": "4h", "mixes": email(f"{key}-tell")}]
        await ring.publish(campaign(key, "care.asked", purpose="care", goal=goal, lever=lever, waves=waves))
    await ring.sign_up("wanted", number=10)
    await ring.track("wanted", "care.asked")

    def decided() -> dict[str, dict[str, Any]]:
        found = {key: of(ring, "decision", key) for key in worth}
        return {key: decisions[0] for key, decisions in found.items() if decisions}

    await until(lambda: len(decided()) == len(worth), "a decision of each campaign")
    first = decided()
    assert [key for key, decision in first.items() if decision["result"] == "act"] == ["levered"]
    for key in worth.keys() - {"levered"}:
        rivals = {rival["campaign"]: rival for rival in first[key]["rivals"]}
        assert (first[key]["result"], first[key]["reason"]) in {("withhold", "outranked"), ("defer", "outranked")}
        assert rivals["levered"].get("ahead") is True
        for name, rival in rivals.items():
            value, lever = worth[name]
            assert math.isclose(rival["score"], rival["response"] * value * rival["weight"] * lever - rival["cost"])
    await asyncio.sleep(2)
    assert [len(contacts(ring, key)) for key in worth] == [0, 1, 0, 0, 0]


async def test_a_version_published_in_mid_flight_is_for_those_who_enter_from_then_on(ring: Ring) -> None:
    await ring.publish(campaign("moves", "moves.asked"))
    await ring.sign_up("early", number=11)
    await ring.sign_up("after", number=12)
    await ring.track("early", "moves.asked")
    await until(lambda: of(ring, "run_started", "moves"), "the run of the first version")
    changed = campaign("moves", "moves.asked")
    changed["waves"][1]["mixes"] = email("moves-other")
    await ring.publish(changed)
    await ring.track("after", "moves.asked")
    await until(lambda: len([a for a in contacts(ring, "moves") if a["wave"] == "remind"]) == 2, "both reminders")
    ids = {(await ring.customer(name))["customer_id"]: name for name in ("early", "after")}
    assert {ids[run["customer_id"]]: run["version"] for run in of(ring, "run_started", "moves")} == {"early": 1, "after": 2}
    reminders = {ids[a["customer_id"]]: a["content"]["text"].splitlines()[0] for a in contacts(ring, "moves") if a["wave"] == "remind"}
    assert reminders == {"early": "This is moves-remind.", "after": "This is moves-other."}


async def test_paid_for_one_of_two_open_orders_moves_only_that_run(ring: Ring) -> None:
    goal = {"event": "invoice.paid", "within": "30d"}
    entry = {"on": {"event": "invoice.sent"}, "key": "order"}
    await ring.publish(campaign("invoices", "invoice.sent", purpose="service", entry=entry, goal=goal))
    await ring.sign_up("buyer", number=13)
    for order in ("o-1", "o-2"):
        await ring.track("buyer", "invoice.sent", {"order": order})
    await until(lambda: len(contacts(ring, "invoices")) == 2, "both first letters")
    await ring.track("buyer", "invoice.paid", {"order": "o-1"})
    await until(lambda: any(a["wave"] == "remind" for a in contacts(ring, "invoices")), "the reminder of the other")
    await asyncio.sleep(1)
    (reached,) = of(ring, "goal_reached", "invoices")
    waves: dict[str, list[str]] = defaultdict(list)
    for decision in of(ring, "decision", "invoices"):
        waves[decision["run_id"]].append(decision["wave"])
    assert waves.pop(reached["run_id"]) == ["tell"]
    assert list(waves.values()) == [["tell", "remind"]]


async def test_a_missed_call_goes_on_by_text_and_a_refused_one_by_mail_and_with_no_more_calls(ring: Ring) -> None:
    call = [{"segment": "*", "channels": [{"channel": "call", "list": "renewals", "script": "Offer the renewal."}]}]
    branches = {"missed": {"channel": "sms", "template": "calls-text"}, "refused": {"channel": "email", "template": "calls-mail"}}
    waves = [
        {"key": "call", "window": "20m", "mixes": call, "response": {"any": [{"outcome": "answered"}]}},
        {"key": "after", "enter": {"after": "call", "on": branches}, "window": "4h"},
    ]
    await ring.publish(campaign("calls", "calls.asked", purpose="service", waves=waves))
    await ring.publish(campaign("recalls", "recalls.asked", purpose="service", waves=[{"key": "call", "window": "2h", "mixes": call}]))
    await ring.sign_up("misser", number=14)
    await ring.sign_up("refuser", number=15)
    await ring.track("misser", "calls.asked")
    await until(lambda: any(a["channel"] == "sms" for a in contacts(ring, "calls")), "the text after the missed call")
    await ring.people({"call": {"answer": 1.0, "refuse": 1.0}})
    try:
        await ring.track("refuser", "calls.asked")
        await until(lambda: any(a["channel"] == "email" for a in contacts(ring, "calls")), "the mail after the refused call")
    finally:
        await ring.people({})
    await ring.track("refuser", "recalls.asked")
    (again,) = await until(lambda: of(ring, "decision", "recalls"), "the decision about another call")
    assert (again["result"], again["reason"]) == ("withhold", "no_consent")
    ids = {(await ring.customer(name))["customer_id"]: name for name in ("misser", "refuser")}
    sent = sorted((ids[a["customer_id"]], a["channel"]) for a in contacts(ring, "calls"))
    assert sent == [("misser", "call"), ("misser", "sms"), ("refuser", "call"), ("refuser", "email")]
    assert {w["reach"] for w in of(ring, "wave_closed", "calls") if w["wave"] == "call"} == {"missed", "refused"}
