"""A STOP by text, from the door to the provider: it is confirmed once, to the number that said it, and nothing else gets through."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from channel_contacts import DAY, HOUR, NOON, a_contact
from channels_place import PARTITIONS, PATIENT_SECONDS, Place, Recorder
from nextwave_channels.answers import Accepted, Answer, Refused
from nextwave_channels.gate import Fact
from nextwave_channels.intake import Intake
from nextwave_channels.outlets import Outlet
from nextwave_channels.pacing import Pace
from nextwave_channels.stopping import record_facts
from nextwave_contracts.actions import Contact
from nextwave_contracts.holds import Hold
from nextwave_contracts.topics import ACTIONS, HOLDS
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.admission import Admitted, Report, admit
from nextwave_ingest.occurrence import Occurrence
from nextwave_runtime.application import Taken, Work

WORDS = "You are unsubscribed."
PHONE, OTHER = "+447700900001", "+447700900002"


def blind(name: str) -> str:
    return f"hash-{name}"


def a_text(action_id: str = "offer", number: str = PHONE, **changes: Any) -> Contact:
    """A marketing text to one of Ann's numbers."""
    subjects = (blind("customer_id:7"), blind(f"phone:{PHONE}"), blind(f"phone:{OTHER}"))
    known = {"channel": "sms", "address": number, "address_subject": blind(f"phone:{number}"), "subjects": subjects}
    return a_contact(action_id=action_id, **{**known, **changes})


def said(body: str, at: datetime = NOON, *, id: str = "t1", names: tuple[str, ...] = (f"phone:{PHONE}",), **data: Any) -> Hold:  # noqa: A002
    """The hold that the door raises for a text from the customer, as it comes over the wire."""
    told = {"body": body, **data}
    when = Occurrence(at, suspect=False)
    report = Report(id=id, source="gateway", type="sms.received", identifiers=names, occurrence=when, data=told)
    admitted = admit(report, at, blind)
    assert isinstance(admitted, Admitted)
    hold: Hold = decode(encode(admitted.holds[0]), Hold)
    return hold


class Phones:
    """The intake and the dispatcher of texts over one database, and what people's phones got."""

    def __init__(self, place: Place) -> None:
        self.got: list[tuple[str, str]] = []
        self.told: list[str] = []
        self.answer: Answer = Accepted(provider_id="")
        self.words = WORDS
        self.place = place
        pace = Pace(concurrency=8, fresh_seconds=PATIENT_SECONDS)
        self.dispatcher = place.dispatcher_over(Outlet(provider="twilio", adapter=Recorder(answer=self._take), pace=pace), channel="sms")

    async def hear(self, *holds: Hold, partition: int = 0) -> None:
        """One batch, as the processor does it, at the place's time; then whatever is due is sent."""
        now = self.place.clock.instant
        intake = Intake(frozenset({"sms"}), lambda _channel: None, self.words)
        taken = [Taken(HOLDS, partition, n, now, hold) for n, hold in enumerate(holds)]
        async with self.place.database.transaction() as connection:
            unit = await intake.load(connection, Work(ACTIONS, partition, PARTITIONS, now, taken, ()))
            for item in taken:
                self.told += [out.message.action_id for out in list(intake.fold(unit, item, now))]
            await intake.save(connection, unit)
        await self.send()

    async def send(self) -> None:
        for claimed in await self.dispatcher.claim(8) or []:
            await self.dispatcher.send(claimed)

    def _take(self, contact: Contact) -> Answer:
        self.got.append((contact.address, contact.content.text))
        return self.answer


CONFIRMED = (PHONE, WORDS)


@pytest.fixture
async def phones(place: Place) -> Phones:
    """Ann was texted on both of her numbers, on this one first."""
    phones = Phones(place)
    for contact in (a_text(), a_text("offer-2", OTHER)):
        await place.put(contact)
        await phones.send()
        place.clock.instant += timedelta(minutes=1)
    phones.got.clear()
    return phones


async def test_a_stop_is_confirmed_to_its_number_and_everything_else_stays_stopped(phones: Phones) -> None:
    await phones.place.put(a_text("offer-3"), a_text("receipt", purpose="transactional"), due_at=NOON + HOUR)
    await phones.hear(said("STOP", phones.place.clock.instant))
    assert phones.got == [CONFIRMED]
    assert sorted((await phones.place.states()).values()) == ["accepted"] * 3 + ["withdrawn"] * 2
    await phones.place.put(a_text("offer-4"), a_text("receipt-2", purpose="transactional"))
    await phones.send()
    assert phones.got == [CONFIRMED]
    told = {*phones.told, *(outcome.action_id for outcome in await phones.place.outcomes())}
    assert told == {"offer", "offer-2", "offer-3", "offer-4", "receipt", "receipt-2"}, "the confirmation is reported to nobody"


async def test_the_same_stop_again_and_a_second_one_confirm_nothing_more(phones: Phones) -> None:
    now = phones.place.clock.instant
    await phones.hear(said("STOP", now), said("stop", now, id="t2"))
    await phones.hear(said("STOP", now))
    await phones.hear(said("Stop all", now + HOUR, id="t3"), partition=1)
    assert phones.got == [CONFIRMED]


async def test_a_stop_after_a_start_is_confirmed_again(phones: Phones) -> None:
    for minute, body in enumerate(("STOP", "START", "STOP")):
        phones.place.clock.instant += timedelta(minutes=1)
        await phones.hear(said(body, phones.place.clock.instant, id=f"t{minute}"))
    assert phones.got == [CONFIRMED] * 2


async def test_an_old_stop_that_comes_after_a_start_confirms_nothing(phones: Phones) -> None:
    now = phones.place.clock.instant
    start = said("START", now + timedelta(minutes=2), id="t2")
    phones.place.clock.instant += timedelta(minutes=2)
    await phones.hear(start)
    phones.place.clock.instant = now
    await phones.hear(said("STOP", now))
    assert phones.got == []


@pytest.mark.parametrize(
    "hold",
    [
        said("STOP", NOON + timedelta(minutes=2), OptOutType="STOP"),
        said("STOP", NOON + timedelta(minutes=2), names=("phone:+447700900099",)),
        said("STOP", NOON + timedelta(minutes=2), names=("customer_id:7",)),
        said("STOP", NOON - timedelta(minutes=4)),
    ],
    ids=["Twilio confirms by itself", "a number that we never texted", "a text without its number", "more than five minutes ago"],
)
async def test_nothing_is_sent_where_nobody_needs_it(phones: Phones, hold: Hold) -> None:
    await phones.hear(hold)
    assert phones.got == []
    assert (await phones.place.ask("select count(*) from deliveries"))[0][0] == 2


async def test_without_words_nothing_is_confirmed(phones: Phones) -> None:
    phones.words = ""
    await phones.hear(said("STOP", phones.place.clock.instant))
    assert phones.got == []


async def test_what_was_queued_and_never_sent_is_no_text_that_we_sent(place: Place) -> None:
    phones = Phones(place)
    await place.put(a_text())
    await phones.hear(said("STOP"))
    assert (phones.got, list((await place.states()).values())) == ([], ["withdrawn"])


async def test_a_number_that_takes_nothing_gets_no_confirmation(phones: Phones) -> None:
    dead = Fact(subject=blind(f"phone:{PHONE}"), kind="address", channel="sms", stopped=True, at=NOON)
    async with phones.place.database.transaction() as connection:
        await record_facts(connection, [dead], NOON, PARTITIONS)
    await phones.hear(said("STOP", phones.place.clock.instant))
    assert phones.got == []
    assert "withdrawn" in (await phones.place.states()).values()


async def test_a_confirmation_is_sent_at_night_and_tried_again_but_never_later_than_five_minutes(phones: Phones) -> None:
    phones.place.clock.instant = night = NOON + DAY / 2
    phones.answer = Refused(detail="503", permanent=False)
    await phones.hear(said("STOP", night))
    await phones.place.ask("update deliveries set held_until = '-infinity'")
    await phones.send()
    assert phones.got == [CONFIRMED] * 2
    phones.place.clock.instant = night + timedelta(minutes=5)
    await phones.place.ask("update deliveries set held_until = '-infinity'")
    await phones.send()
    assert phones.got == [CONFIRMED] * 2
    assert sorted((await phones.place.states()).values()) == ["accepted", "accepted", "expired"]
