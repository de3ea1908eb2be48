"""Each contact counts once for the response rate of its segment, channel and hour, when its wave is over; against a slow recount."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import GoalReached, WaveClosed
from nextwave_orchestrator.responses.counting import WEEK, counted, week_of
from nextwave_orchestrator.responses.rates import Cell, Seen
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, wave
from unit.orchestrator.reports.lives import Life, lived, lives
from unit.orchestrator.two_customers import HOUR, WINTER, absorbed, as_other, told

BERLIN = ZoneInfo("Europe/Berlin")
NOON_IN_BERLIN = Cell("*", "email", 14)


def answers(house: House) -> dict[Cell, Seen]:
    """What was counted, over all weeks."""
    found: dict[Cell, Seen] = {}
    for (_, cell), seen in house.unit.books.answers.items():
        found[cell] = found.get(cell, Seen()).plus(seen)
    return found


def recounted(life: Life) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]]]:
    """Contacts sent and answered by segment, channel and hour: of each wave that closed all its contacts, answered the last of them."""
    sent: Counter[tuple[Any, ...]] = Counter()
    answered: Counter[tuple[Any, ...]] = Counter()
    closed_before: dict[tuple[str, str], int] = {}
    for n, message in enumerate(life.house.said):
        if not isinstance(message, WaveClosed) or message.campaign == "quiet" or message.reach in {"", "failed"}:
            continue
        so_far = life.house.said[closed_before.get((message.run_id, message.wave), 0) : n]
        contacts = [c for c in so_far if isinstance(c, Contact) and (c.run_id, c.wave) == (message.run_id, message.wave)]
        cells = [(message.segment, c.channel, c.decided_at.astimezone(BERLIN).hour) for c in contacts]
        sent.update(cells)
        answered.update(cells[-1:] if message.responded else [])
    return sent, answered


@settings(max_examples=60)
@given(lives)
def test_contacts_and_answers_are_those_of_a_recount(written: list[Any]) -> None:
    for life in lived(written):
        sent, answered = recounted(life)
        found = answers(life.house)
        assert {tuple(cell): seen.sent for cell, seen in found.items()} == dict(sent)
        assert {tuple(cell): seen.answered for cell, seen in found.items() if seen.answered} == dict(answered)


def test_a_contact_counts_when_its_window_is_over_and_not_while_it_may_still_be_answered() -> None:
    house = House(WINTER)
    house.touch("cart.updated")
    house.wait(house.now + 47 * HOUR)
    assert answers(house) == {}
    house.wait(house.now + 2 * HOUR)
    assert answers(house) == {NOON_IN_BERLIN: Seen(1, 0)}


def test_an_answer_counts_once_however_often_it_comes_and_none_that_comes_too_late() -> None:
    house = House(WINTER)
    house.touch("cart.updated")
    house.touch("page.viewed", path="/renew")
    house.touch("page.viewed", path="/renew")
    assert answers(house) == {NOON_IN_BERLIN: Seen(1, 1)}
    late = House(WINTER)
    late.touch("cart.updated")
    late.wait(late.now + 97 * HOUR)
    late.touch("page.viewed", path="/renew")
    assert sum(seen.answered for seen in answers(late).values()) == 0


def test_what_was_never_sent_says_nothing() -> None:
    house = House(WINTER)
    house.touch("cart.updated")
    (contact,) = house.all(Contact)
    house.outcome("failed", contact)
    house.wait(house.now + 49 * HOUR)
    assert NOON_IN_BERLIN not in answers(house)


def test_the_silence_after_a_wave_that_asks_for_nothing_says_nothing() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email", response={}))))
    house.touch("cart.updated")
    house.wait(house.now + 49 * HOUR)
    assert len(house.all(WaveClosed)) == 1
    assert answers(house) == {}


def test_of_two_customers_who_become_one_each_contact_counts_once() -> None:
    house = House(WINTER)
    as_other(house, "cart.updated")
    house.wait(house.now + HOUR)
    absorbed(house)
    told(house)
    house.wait(house.now)
    house.touch("page.viewed", path="/renew")
    house.wait(house.now + 200 * HOUR)
    closed = [m for m in house.all(WaveClosed) if m.contact_hours]
    assert sum(seen.sent for seen in answers(house).values()) == sum(m.reach not in {"", "failed"} for m in closed) == len(closed)


def test_of_several_attempts_each_counts_at_its_hour_and_the_last_is_the_one_answered() -> None:
    closed = WaveClosed(
        customer_id="c", campaign="w", version=1, wave="call", run_id="r", at=MONDAY_NOON, responded=True, reach="reached", channel="call",
        segment="top", contact_hours=(9, 13, 16),
    )  # fmt: skip
    assert list(counted(closed)) == [(Cell("top", "call", hour), Seen(1, int(hour == 16))) for hour in (9, 13, 16)]


def test_counts_are_kept_by_week() -> None:
    assert week_of(MONDAY_NOON + timedelta(days=7)) == week_of(MONDAY_NOON) + 1
    since = MONDAY_NOON - datetime(1970, 1, 1, tzinfo=UTC)
    assert week_of(MONDAY_NOON) * WEEK <= since < (week_of(MONDAY_NOON) + 1) * WEEK


def test_who_became_one_with_another_brings_the_contacts_that_share_in_what_comes() -> None:
    life = Life(House(WINTER))
    as_other(life.house, "cart.updated")
    life.report(life.contacts[0], "delivered")
    life.house.wait(life.house.now + HOUR)
    absorbed(life.house)
    told(life.house)
    life.house.wait(life.house.now)
    life.house.touch("contract.renewed")
    assert len(life.house.all(GoalReached)) == 1
    shares = {e.campaign: sums for e, sums in life.house.unit.books.entries.items() if e.fact == "benefit"}
    assert shares["winter"].amount == 12_000
    assert {e.code for e in life.house.unit.books.entries if e.fact == "benefit"} == {"shared"}
