"""Reviews on the real PostgreSQL: a verdict counts for all names by which the words were said, and what is over and old is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from channel_contacts import DAY, NOON, a_contact
from channels_place import PARTITIONS, Place
from nextwave_channels import forgetting
from nextwave_channels.forgetting import KEPT, forget
from nextwave_channels.intake import Intake
from nextwave_contracts.holds import Hold
from nextwave_contracts.topics import ACTIONS, HOLDS
from nextwave_runtime.application import Taken, Work

ANN, FAMILY, BOB = "hash-ann-id", "hash-family", "hash-bob"


def a_hold(kind: Any, *subjects: str, reference: str = "email-1", channel: str = "") -> Hold:
    return Hold(id=f"{kind}/{reference}", source="s", kind=kind, subjects=subjects, at=NOON, reference=reference, channel=channel)


def said(*subjects: str, reference: str = "email-1", channel: str = "email") -> Hold:
    return a_hold("review", *subjects, reference=reference, channel=channel)


def over(*subjects: str, reference: str = "email-1") -> Hold:
    return a_hold("review_lifted", *subjects, reference=reference)


async def hear(place: Place, *holds: Hold, at: datetime = NOON) -> list[tuple[str, str]]:
    """What is withdrawn when these are read, each in a batch of its own and a second after the one before."""
    told = []
    for number, hold in enumerate(holds):
        intake = Intake(frozenset({"email"}), lambda _channel: None)
        taken = [Taken(HOLDS, 0, 0, at + timedelta(seconds=number), hold)]
        async with place.database.transaction() as connection:
            unit = await intake.load(connection, Work(ACTIONS, 0, PARTITIONS, at, taken, ()))
            told += [(out.message.action_id, out.message.detail) for out in intake.fold(unit, taken[0], at)]
            await intake.save(connection, unit)
    return told


async def kept(place: Place) -> list[tuple[str, str, bool]]:
    rows = await place.ask("select subject, reference, stopped from stops where kind = 'review' order by 1, 2, 3")
    return [(subject, reference, stopped) for subject, reference, stopped in rows]


async def test_a_verdict_counts_for_all_names_by_which_the_words_were_said(place: Place) -> None:
    await place.put(a_contact(action_id="mother", subjects=("hash-mother", FAMILY)))
    assert await hear(place, said(ANN, FAMILY)) == [("mother", "hold")]
    await hear(place, over(ANN))
    await place.put(a_contact(action_id="again", subjects=("hash-mother", FAMILY)))
    assert await hear(place, over(BOB, reference="email-9"), said(BOB)) == [], "the family's contact waits untouched"
    await hear(place, said(ANN, FAMILY, reference="email-2"))
    await place.put(a_contact(action_id="third", subjects=("hash-mother", FAMILY)))
    assert await hear(place, a_hold("opt_out", ANN, reference="email-2", channel="email")) == [("third", "suppressed")]


@pytest.mark.parametrize(
    "holds", [(said(ANN, FAMILY), over(ANN)), (over(ANN), said(ANN)), (said(ANN, channel=""), over(ANN)), (over(ANN),)]
)
async def test_what_is_over_is_forgotten_when_nothing_of_it_can_still_come(place: Place, holds: tuple[Hold, ...]) -> None:
    await hear(place, *holds)
    before = await kept(place)
    assert before
    place.clock.instant = NOON + KEPT
    assert (await forget(place.desk), await kept(place)) == (0, before)
    place.clock.instant = NOON + KEPT + DAY
    assert (await forget(place.desk), await kept(place)) == (len(before), [])


async def test_what_is_open_or_was_said_lately_stays(place: Place) -> None:
    await hear(place, said(ANN), over(BOB), said(ANN, reference="email-2"))
    await hear(place, said(ANN, reference="email-3"), over(ANN, reference="email-3"), a_hold("opt_out", ANN))
    await hear(place, said(ANN, reference="email-4"), said(ANN, reference="email-5"), over(ANN, reference="email-5"))
    place.clock.instant = NOON + 2 * KEPT
    await hear(place, over(ANN, reference="email-4"), said(ANN, reference="email-5"), at=NOON + 2 * KEPT - DAY)
    assert await forget(place.desk) == 2
    assert {reference for _, reference, _ in await kept(place)} == {"email-1", "email-2", "email-4", "email-5"}
    assert await place.ask("select count(*) from stops where kind = 'opt'") == [(1,)]


async def test_words_told_again_after_that_hold_anew(place: Place) -> None:
    await hear(place, said(ANN), over(ANN))
    place.clock.instant = NOON + KEPT + DAY
    await forget(place.desk)
    await place.put(a_contact())
    assert await hear(place, said(ANN), at=place.clock.instant) == [("action-1", "hold")]


async def test_many_are_forgotten_in_turns(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "REVIEWS_MAX", 2)
    for number in range(5):
        await hear(place, said(ANN, reference=f"email-{number}"), over(ANN, reference=f"email-{number}"))
    place.clock.instant = NOON + KEPT + DAY
    assert [await forget(place.desk) for _ in range(4)] == [4, 4, 2, 0]
