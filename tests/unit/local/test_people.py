"""Simulated people: the same seed, the same life; within waking hours; each deed as likely as told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_local.simulator.people import Act, Behaviour, Habits, Received, reactions, waking

AT = datetime(2026, 3, 3, 10, tzinfo=UTC)


def _mail(action: str = "a1", address: str = "ann@example.com") -> Received:
    return Received("email", address, action, AT)


def _deeds(acts: tuple[Act, ...]) -> list[str]:
    return [act.deed if act.deed != "status" else str(act.detail["status"]) for act in acts]


def test_the_same_seed_gives_the_same_life_and_another_seed_another() -> None:
    lives = [
        [reactions(Behaviour(seed=seed, channels={"email": Habits(open=0.5, click=0.5, buy=0.5)}), _mail(f"a{n}")) for n in range(60)]
        for seed in (1, 1, 2)
    ]
    assert lives[0] == lives[1]
    assert lives[0] != lives[2]


def test_without_habits_a_mail_is_delivered_and_ignored() -> None:
    assert _deeds(reactions(Behaviour(), _mail())) == ["delivered"]


def test_who_opens_clicks_and_buys_does_it_in_this_order() -> None:
    behaviour = Behaviour(channels={"email": Habits(open=1, click=1, buy=1)})
    assert _deeds(reactions(behaviour, _mail())) == ["delivered", "open", "click", "buy"]


def test_who_unsubscribes_does_not_click() -> None:
    behaviour = Behaviour(channels={"email": Habits(open=1, refuse=1, click=1)})
    assert _deeds(reactions(behaviour, _mail())) == ["delivered", "open", "unsubscribe"]


def test_a_mail_to_a_wrong_address_bounces_and_nobody_reads_it() -> None:
    assert _deeds(reactions(Behaviour(channels={"email": Habits(bounce=1, open=1)}), _mail())) == ["bounce"]


def test_a_stop_is_the_last_that_is_heard_of_a_text() -> None:
    behaviour = Behaviour(channels={"sms": Habits(stop=1, click=1)})
    assert _deeds(reactions(behaviour, Received("sms", "+14155550111", "a1", AT))) == ["sent", "delivered", "stop"]


@pytest.mark.parametrize(
    ("habits", "last"),
    [
        (Habits(answer=1, accept=1), {"disposition": "accepted", "refusal": False}),
        (Habits(answer=1, refuse=1, accept=1), {"disposition": "refused", "refusal": True}),
        (Habits(answer=1), {"disposition": "callback", "refusal": False}),
    ],
)
def test_an_answered_call_ends_with_the_agents_wrap_up(habits: Habits, last: dict[str, object]) -> None:
    acts = reactions(Behaviour(channels={"call": habits}), Received("call", "+14155550111", "a1", AT))
    assert _deeds(acts) == ["initiated", "ringing", "in-progress", "completed", "wrap_up"]
    assert acts[-1].detail.items() >= last.items()
    assert 1 <= acts[-1].detail["satisfaction"] <= 5


@pytest.mark.parametrize(("habits", "status"), [(Habits(busy=1), "busy"), (Habits(), "no-answer"), (Habits(bounce=1), "failed")])
def test_a_call_that_is_not_answered_says_how_it_ended(habits: Habits, status: str) -> None:
    acts = reactions(Behaviour(channels={"call": habits}), Received("call", "+14155550111", "a1", AT))
    assert _deeds(acts) == ["initiated", "ringing", status]


def test_a_complaint_is_resolved_later() -> None:
    acts = reactions(Behaviour(channels={"email": Habits(complain=1)}, satisfied=0.0), _mail())
    opened, resolved = acts[1:]
    assert (opened.deed, resolved.deed) == ("complain", "resolve")
    assert resolved.at >= opened.at + timedelta(minutes=30)
    assert resolved.detail == {"reference": opened.detail["reference"], "satisfied": False}


def test_deeds_are_about_as_frequent_as_told() -> None:
    behaviour = Behaviour(channels={"email": Habits(open=0.4, click=0.25)})
    counts = Counter(deed for n in range(3000) for deed in _deeds(reactions(behaviour, _mail(f"a{n}"))))
    assert abs(counts["open"] / 3000 - 0.4) < 0.04
    assert abs(counts["click"] / counts["open"] - 0.25) < 0.05


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2090, 1, 1)))  # noqa: DTZ001  (Hypothesis adds the zone)
def test_people_act_only_when_they_are_awake_and_never_before_the_message(instant: datetime) -> None:
    assert 8 <= waking(instant).hour < 21
    assert instant <= waking(instant) < instant + timedelta(days=1)
