"""What the orchestrator remembers of one customer between messages; one bounded value, stored as one msgpack field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import msgspec
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.decisions import HoldoutOf
from nextwave_contracts.outcomes import Reach

from nextwave_orchestrator.catalogue import Happening
from nextwave_orchestrator.rules.compile import value_at
from nextwave_orchestrator.rules.events import REMEMBERED

HISTORY_MAX = REMEMBERED
"""Happenings kept for rules, newest last."""
FIELDS_MAX = 16
"""Data fields kept of a happening, beyond which it is cut."""
TEXT_MAX = 120
"""Characters of a text, or of a field's name, that is small."""
BYTES_MAX = FIELDS_MAX * TEXT_MAX
"""Stored bytes kept of a happening that is cut."""
RUNS_MAX = 64
"""Runs open at once; beyond it nobody enters."""
GOALS_MAX = RUNS_MAX + 64
"""Goals that may still be reached; beyond it the oldest of runs that have ended are forgotten."""
ENTRIES_MAX = 256
"""Entries remembered for re-entry; beyond it some are forgotten, but none without a key of a campaign that goes on."""
RESERVATIONS_MAX = 128
RESERVED_FOR = timedelta(days=90)
"""How long a contact can count for a cap."""
TRIES_KEPT = 8
"""Of each channel and purpose so many of the newest tries are kept beside those, also attempts at one call: limits by law count each."""
WISHES_MAX = RUNS_MAX
"""Entries put off while a merge is under way; beyond it nobody enters."""
DECLINED_MAX = 64
"""Campaigns of which it is remembered that their offer was declined; beyond it the oldest are forgotten."""
TOUCHES_MAX = 32
"""Contacts remembered that may share in a benefit, newest last."""
JOINED_MAX = 32
"""Customers who became part of one that are remembered, newest last."""
TOLD, ESTATE, LAST_WORD = 1, 2, 4
"""Parts of a merge, in any order: our profile speaks for both; what the other had is here; nothing more can be heard of the other."""
BINDING, WHOLE = TOLD | ESTATE, TOLD | ESTATE | LAST_WORD
"""What must be here before somebody is contacted or enters, and before a wave closes."""


class Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every stored value is: immutable, and tolerant of fields that it does not know."""


class Run(Stored, frozen=True, kw_only=True):
    """One customer's way through one version of a campaign, at one open wave."""

    run_id: str
    campaign: str
    version: int
    entry_key: str = ""
    entered_at: datetime
    caused_by: str = ""
    segment: str = ""
    wave: str = ""
    branch: str = ""
    """How the contact before ended, where that let the customer into this wave."""
    opened_at: datetime
    closes_at: datetime
    """What is received before this instant counts for the wave."""
    due_at: datetime
    """The instant of the one close timer that is valid."""
    retry_at: datetime | None = None
    """The instant of the one retry timer that is valid."""
    tries: int = 0
    """Candidates made so far, over all waves."""
    action_id: str = ""
    """The contact of this wave."""
    channel: str = ""
    reach: Reach | None = None
    responded_at: datetime | None = None
    contact_hours: tuple[int, ...] = ()
    """The local hours of the contacts of this wave."""
    actions: tuple[str, ...] = ()
    """All contacts of the run, so that an answer to one of them finds it."""
    withdrawn: bool = False
    """Whether the contact was taken back already, at a merge."""
    step: int = 0
    """Which channel of its mix the contact went by."""
    attempt: int = 0
    """Attempts made in this wave."""
    yields_to: tuple[str, ...] = ()
    """Runs whose contact is to come first, for which this one's was put off."""


class OpenGoal(Stored, frozen=True, kw_only=True):
    """A goal that may still be reached, also after its run has ended."""

    run_id: str
    campaign: str
    version: int
    entry_key: str = ""
    until: datetime
    segment: str = ""
    held_by: HoldoutOf = ""
    again: bool = False
    """Whether the customer had entered the campaign before."""


class Touch(msgspec.Struct, frozen=True, array_like=True):
    """A contact that a provider took, for which its campaign may be credited with what comes of it."""

    at: datetime
    campaign: str
    version: int
    wave: str
    segment: str
    channel: str


def attempt_id(first: str, attempt: int) -> str:
    """The action id of an attempt at a contact: that of the first, and from the second on its number. So nothing is dispatched twice."""
    return first if attempt == 1 else f"{first}-{attempt}"


def contact_of(action_id: str) -> str:
    """The action id of the first attempt at the same contact."""
    first, _, number = action_id.rpartition("-")
    return first if first and number.isdigit() else action_id


class Reservation(msgspec.Struct, frozen=True, array_like=True):
    """One contact that counts for caps from `at` on. An empty purpose (a contact from before a merge) counts for every purpose.

    `unsent`: it was said to have failed; `made`: it is proved. Both are remembered, since word of them comes in any order.
    """

    action_id: str
    campaign: str
    channel: str
    purpose: str
    at: datetime
    unsent: bool = False
    made: bool = False
    cost: int | None = None
    """What it takes from its campaign's budget, minor units; None where nothing was reserved for it here."""
    place: str = ""
    """The list or team whose capacity it uses."""
    latest: datetime | None = None
    """Until when it may be dispatched; None where that is not known."""
    tried_at: datetime | None = None
    """When it was last said to have reached for the customer."""

    def try_at(self, now: datetime) -> datetime:
        """When the customer was tried. What may still be dispatched counts as tried at `now`, since it is not known to have been yet."""
        if self.tried_at is not None or self.latest is None:
            return max(self.at, self.tried_at or self.at)
        return max(self.at, min(now, self.latest))

    @property
    def counts(self) -> bool:
        """Whether it was made, as far as is known: only a failure that nothing contradicts gives back what it uses up."""
        return self.made or not self.unsent


class Wish(msgspec.Struct, frozen=True, array_like=True):
    """An entry that a merge under way puts off: the campaign's key, its matter, and what let the customer in and when."""

    campaign: str
    entry_key: str
    at: datetime
    caused_by: str


class Joining(msgspec.Struct, frozen=True, array_like=True):
    """How far another customer has become part of this one: the parts of the merge that are here; the rest is waited for until then."""

    parts: int
    until: datetime


class CustomerState(Stored, frozen=True, kw_only=True):
    """All of it. Every sequence is bounded."""

    customer_id: str
    absorbed_into: str = ""
    """Whom this customer became part of; whatever else is heard of it is handed over to them."""
    handed_over: int = 0
    """How many times that was done."""
    profile: Snapshot | None = None
    updated_at: datetime | None = None
    history: tuple[Happening, ...] = ()
    runs: tuple[Run, ...] = ()
    goals: tuple[OpenGoal, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    touches: tuple[Touch, ...] = ()
    """The newest contacts made, oldest first."""
    entries: dict[str, datetime] = {}
    """By campaign and entry key, when the customer last entered; oldest first."""
    wishes: tuple[Wish, ...] = ()
    joined: dict[str, Joining] = {}
    """By id, the customers who became part of this one."""
    dates: dict[str, datetime] = {}
    """By campaign that waits for a day of the profile, the instant of the one date timer that is valid."""
    crosses_at: datetime | None = None
    """The instant of the one timer that is valid of those for segments which time alone makes somebody enter or leave."""
    served: dict[str, datetime] = {}
    """By campaign with a date or a schedule, the last occurrence that was this customer's turn: local time, naive."""
    declined: dict[str, datetime] = {}
    """By campaign, when the customer last declined its offer; oldest first."""
    came_at: datetime | None = None
    """When the customer last came to us by themselves."""

    def waits(self, now: datetime) -> bool:
        """Whether nobody may be contacted or enter yet: what binds both customers of a merge is not all here."""
        return bool(self.absorbed_into) or self.profile is None or self._lacks(BINDING, now)

    def awaits_word(self, now: datetime) -> bool:
        """Whether no wave may close yet: an answer to it may still be on its way from somebody who became part of this customer."""
        return bool(self.absorbed_into) or self._lacks(WHOLE, now)

    def _lacks(self, parts: int, now: datetime) -> bool:
        return any(one.parts & parts != parts and now < one.until for one in self.joined.values())

    def run(self, run_id: str) -> Run | None:
        """The open run of that id."""
        return next((run for run in self.runs if run.run_id == run_id), None)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CustomerState)


def to_bytes(state: CustomerState) -> bytes:
    """The stored form."""
    return _encoder.encode(state)


def from_bytes(raw: bytes) -> CustomerState:
    """From the stored form. Raises `msgspec.DecodeError`."""
    return _decoder.decode(raw)


def small(data: Mapping[str, Any], asked: Sequence[str]) -> tuple[dict[str, Any], bool]:
    """What history keeps of `data`, and whether that is less than all of it. No value is kept in part: half a text would answer wrongly.

    Where not all of it is small, what rules ask for goes first, under the path by which they do (None: it is not there), of any kind
    and length that has room; then other small values in their order.
    """
    if len(data) <= FIELDS_MAX and all(_is_small(name) and _is_small(value) for name, value in data.items()):
        return dict(data), False
    found = {path: value_at(data, path, tuple(path.split("."))) for path in asked}
    first = sorted(found.items(), key=lambda one: one[1] is None)
    others = ((name, value) for name, value in data.items() if name not in found and _is_small(value))
    kept: dict[str, Any] = {}
    room = BYTES_MAX
    for name, value in chain(first, others):
        if len(kept) == FIELDS_MAX:
            break
        size = _size(name, value)
        if size <= room:
            kept[name] = value
            room -= size
    return kept, True


def _is_small(value: Any) -> bool:
    """Plain and short; integers only as far as 64 bits hold them."""
    if isinstance(value, str):
        return len(value) <= TEXT_MAX
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and -(2**63) <= value < 2**63)


def _size(name: str, value: Any) -> int:
    """Bytes in the stored form; more than there is room for where that has no form for it."""
    try:
        return len(_encoder.encode((name, value)))
    except OverflowError:
        return BYTES_MAX + 1


def touched(known: Iterable[Touch], more: Iterable[Touch]) -> tuple[Touch, ...]:
    """All of these contacts, oldest first, the newest where they are too many."""
    return tuple(sorted((*known, *more), key=lambda touch: touch.at)[-TOUCHES_MAX:])


def latest(*instants: datetime | None) -> datetime | None:
    """The last of those that are known."""
    return max((at for at in instants if at is not None), default=None)


def remember(history: tuple[Happening, ...], new: Happening) -> tuple[Happening, ...]:
    """The history with `new` at its place in time, newest last; equal instants keep the order of arrival."""
    place = len(history)
    while place and history[place - 1].at > new.at:
        place -= 1
    return (*history[:place], new, *history[place:])[-HISTORY_MAX:]
