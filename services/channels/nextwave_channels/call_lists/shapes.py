"""What is said and asked of call lists over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nextwave_channels.api import mask
from nextwave_channels.call_lists import predictive
from nextwave_channels.call_lists.entry import Recorded, Result
from nextwave_channels.call_lists.predictive import AGENTS_MAX, Capacity, Seen
from nextwave_channels.call_lists.table import Open
from nextwave_channels.call_lists.work import HandedOut
from nextwave_channels.delivery import Delivery

Name = Annotated[str, Path(pattern=r"^[\w.\-]{1,100}$", description="the list, as campaigns name it")]
LEASE_SECONDS_MAX = 3600.0


class Strict(BaseModel):
    """Unknown fields are refused, so that a misspelt one is not overlooked."""

    model_config = ConfigDict(extra="forbid")


class Pull(Strict):
    """How many calls, and for how long they are held."""

    limit: int = Field(default=1, ge=1, le=100)
    lease_seconds: float = Field(default=300.0, ge=10, le=LEASE_SECONDS_MAX)


class Entry(BaseModel):
    """A call to make. `attempt` goes with every report; `nth_try` of `tries` is the campaign's own count; `value` is minor units."""

    entry_id: str
    attempt: int
    number: str
    script: str
    customer_id: str
    campaign: str
    purpose: str
    nth_try: int
    tries: int
    value: float
    currency: str
    not_after: datetime
    call_before: datetime
    lease_seconds: float


class Entries(BaseModel):
    """Calls to make, the most urgent first."""

    entries: list[Entry]


class Reported(Strict):
    """What came of one entry. See the documentation for each `result`."""

    entry_id: str = Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")
    attempt: int = Field(ge=1, le=1_000_000)
    result: Result
    talk_seconds: float | None = Field(default=None, ge=0, le=36_000)
    callback_at: AwareDatetime | None = None
    stop: bool = False


class Reports(Strict):
    """Several at once; each is recorded by itself."""

    reports: list[Reported] = Field(min_length=1, max_length=100)


class RecordedRow(BaseModel):
    """The delivery's state after the report, why it changed nothing, and the entry that keeps a promised call."""

    entry_id: str
    state: str
    detail: str
    callback: str


class RecordedRows(BaseModel):
    """In the order of the reports."""

    recorded: list[RecordedRow]


class Held(Strict):
    """An entry as it was handed out."""

    entry_id: str = Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")
    attempt: int = Field(ge=1, le=1_000_000)


class Extension(Strict):
    """Entries to keep for so long from now."""

    entries: list[Held] = Field(min_length=1, max_length=100)
    lease_seconds: float = Field(default=300.0, ge=10, le=LEASE_SECONDS_MAX)


class Extended(BaseModel):
    """Those that may be kept, and those that must not be called any more."""

    kept: list[Entry]
    over: list[str]


class Retraction(BaseModel):
    """An entry that must not be called any more. Report it `not_called`, or what came of it if it was called already."""

    entry_id: str
    attempt: int
    reason: str


class Retractions(BaseModel):
    """All of them, until they are reported."""

    retractions: list[Retraction]


class Row(BaseModel):
    """An entry in a list of them; the number is open to its holder and the privacy role. `lease_seconds`: left, null while it waits."""

    entry_id: str
    attempt: int
    number: str
    customer_id: str
    campaign: str
    purpose: str
    value: float
    due_at: datetime
    not_after: datetime
    lease_seconds: float | None
    retracted: str


class Rows(BaseModel):
    """A page by `entry_id`."""

    entries: list[Row]


class Said(Strict):
    """Agents on a list and, until enough was reported, what their calls are like. See the documentation for the formula."""

    agents: int = Field(ge=0, le=AGENTS_MAX)
    handling_seconds: float = Field(default=180.0, ge=5, le=7200)
    answer_rate: float = Field(default=0.3, gt=0, le=1)
    abandon_target: float = Field(default=0.03, ge=0, le=0.2)
    ring_seconds: float = Field(default=10.0, ge=1, le=45)


class Learned(BaseModel):
    """What holds now: `answer_rate` and `abandon_target` as they are counted with, and how many of the last calls they come from."""

    handling_seconds: float
    answer_rate: float
    abandon_target: float
    calls: int
    picked_up: int
    abandoned: int


class CapacityNow(BaseModel):
    """What was said, what was learned, and what that allows: `lines` at once, of which `released` may leave now."""

    list: str
    said: Said
    learned: Learned
    ringing: int
    talking: int
    lines: int
    released: int


class Overview(BaseModel):
    """A list: how its calls leave, and how many are in each state (`queued` now, all others of the last 24 hours)."""

    list: str
    way: str
    states: dict[str, int]
    capacity: CapacityNow | None


def entry(one: HandedOut, lease_seconds: float) -> Entry:
    """A call to make."""
    contact = one.contact
    return Entry(
        entry_id=contact.action_id,
        attempt=one.delivery.attempt,
        number=contact.address if one.opened else mask(contact.address),
        script=contact.content.text,
        customer_id=contact.customer_id,
        campaign=contact.campaign,
        purpose=contact.purpose,
        nth_try=contact.attempt,
        tries=contact.attempts,
        value=contact.value,
        currency=contact.currency,
        not_after=contact.not_after,
        call_before=one.call_before,
        lease_seconds=lease_seconds,
    )


def recorded(one: Recorded) -> RecordedRow:
    """What a report did."""
    return RecordedRow(entry_id=one.entry_id, state=one.state, detail=one.detail, callback=one.callback)


def row(one: Delivery, *, opened: bool) -> Row:
    """An entry in a page."""
    contact = one.contact
    return Row(
        entry_id=contact.action_id,
        attempt=one.attempt,
        number=contact.address if opened else mask(contact.address),
        customer_id=contact.customer_id,
        campaign=contact.campaign,
        purpose=contact.purpose,
        value=contact.value,
        due_at=one.due_at,
        not_after=contact.not_after,
        lease_seconds=one.held_seconds,
        retracted=one.withdrawn_reason,
    )


def capacity_now(name: str, said: Capacity, seen: Seen, under_way: Open) -> CapacityNow:
    """What a capacity allows."""
    learned = predictive.learned(said, seen)
    return CapacityNow(
        list=name,
        said=Said(**{field: getattr(said, field) for field in Said.model_fields}),
        learned=Learned(
            handling_seconds=learned.handling_seconds,
            answer_rate=learned.answer_rate,
            abandon_target=learned.abandon_target,
            calls=seen.ended,
            picked_up=seen.picked_up,
            abandoned=seen.abandoned,
        ),
        ringing=under_way.ringing,
        talking=under_way.talking,
        lines=predictive.lines(learned, under_way.talking),
        released=predictive.released(said, seen, talking=under_way.talking, ringing=under_way.ringing),
    )
