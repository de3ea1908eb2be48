"""Triggers by time as their owner writes them: what a date or a schedule must fulfil, what would go wrong with it, and how it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from nextwave_contracts.faults import Fault

from nextwave_orchestrator.campaigns.definition import Campaign, DateOf, Entry, Schedule
from nextwave_orchestrator.durations import duration
from nextwave_orchestrator.triggers.dates import BIRTHDAY, CONTRACT_END, PRODUCT_BIRTHDAY, SHIFT_DAYS_MAX, TRAIT
from nextwave_orchestrator.triggers.local_time import GREENWICH, instant_of, known_zone
from nextwave_orchestrator.triggers.timetable import AHEAD, BEHIND

TRIGGERS = ("event", "entered", "left", "date", "schedule")
CUSTOMER = "customer"
PRODUCT = "product"
"""The entry key by which each registered product has a run of its own."""
PACE_MAX = 600_000
_DAYS_FIX = f"write whole days, for example 30d or 2w, at most {SHIFT_DAYS_MAX}d"
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_LOCAL = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_NAMES = {BIRTHDAY: "the customer's birthday", PRODUCT_BIRTHDAY: "the birthday of a product", CONTRACT_END: "the end of the contract"}


class Remark(NamedTuple):
    """One finding of lint."""

    level: Literal["error", "warning"]
    code: str
    pointer: str
    detail: str
    fix: str


def entry_faults(entry: Entry) -> Iterator[Fault]:
    """Every fault of the choice of the trigger, of a date and of a schedule."""
    given = [name for name in TRIGGERS if getattr(entry.on, name)]
    if len(given) != 1:
        told = f"{' and '.join(given)} together" if given else "no trigger"
        yield Fault("/entry/on", told, f"give exactly one of {', '.join(TRIGGERS[:-1])} and {TRIGGERS[-1]}")
    if entry.on.date is not None:
        yield from _date_faults(entry.on.date)
    if entry.on.schedule is not None:
        yield from _schedule_faults(entry.on.schedule)
    is_of_product = entry.on.date is not None and entry.on.date.of == PRODUCT_BIRTHDAY
    if entry.key and not entry.on.event and not (is_of_product and entry.key == PRODUCT):
        fix = f"key by a data field of the entry's event, by {PRODUCT} with {PRODUCT_BIRTHDAY}, or leave it out"
        yield Fault("/entry/key", "a key without an event", fix)


def _date_faults(on: DateOf) -> Iterator[Fault]:
    at = "/entry/on/date"
    if on.of not in _NAMES and not (on.of.startswith(TRAIT) and all(on.of.split("."))):
        yield Fault(at + "/of", f"there is no date {on.of!r:.60}", f"use {', '.join(_NAMES)} or traits.<name>")
    if on.before and on.after:
        yield Fault(at, "before and after together", "give one of them, or neither for the day itself")
    for name, written in (("before", on.before), ("after", on.after)):
        if written and not _is_days(written):
            yield Fault(f"{at}/{name}", f"{written!r:.40} is no number of days", _DAYS_FIX)
    if not _CLOCK.fullmatch(on.at):
        yield Fault(at + "/at", f"{on.at!r:.40} is no time of day", 'write for example "09:00"; it is the customer\'s local time')
    if on.yearly and on.of == CONTRACT_END:
        yield Fault(at + "/yearly", "a contract ends once", "leave yearly out; a new end lets the customer in again")


def _schedule_faults(on: Schedule) -> Iterator[Fault]:
    at = "/entry/on/schedule"
    if not _is_local(on.at):
        fix = 'write "2026-12-01T09:00", without an offset: zone says whose time it is'
        yield Fault(at + "/at", f"{on.at!r:.40} is no local time", fix)
    if on.on and on.every != "week":
        yield Fault(at + "/on", "days of the week without every: week", "write every: week, or leave on out")
    if len(set(on.on)) < len(on.on):
        yield Fault(at + "/on", "a day stands twice", "name each day once")
    if on.zone != CUSTOMER and known_zone(on.zone) is None:
        yield Fault(at + "/zone", f"there is no zone {on.zone!r:.60}", f"write {CUSTOMER}, or an IANA name, for example Europe/Berlin")
    if not 0 <= on.pace <= PACE_MAX:
        yield Fault(at + "/pace", f"{on.pace} entries a minute", f"give 1 to {PACE_MAX}, or 0 for no limit")


def remarks(campaign: Campaign, now: datetime | None) -> Iterator[Remark]:
    """What would go wrong with a checked campaign that waits for a day or a schedule; `now` None: whether it is past is not asked."""
    entry = campaign.entry
    if entry.on.schedule is not None and entry.on.schedule.every is None and now is not None:
        yield from _past(entry.on.schedule, now)
    yearly = entry.on.date is not None and (entry.on.date.yearly or entry.on.date.of in {BIRTHDAY, PRODUCT_BIRTHDAY})
    again = yearly or (entry.on.schedule is not None and entry.on.schedule.every is not None)
    if again and entry.reentry is None:
        fix = "add reentry, for example {after: 300d} for a yearly day, {after: 1h} for every occurrence of a schedule"
        detail = "it comes round again and again, but without reentry a customer enters once, ever"
        yield Remark("warning", "enters_once", "/entry", detail, fix)
    if yearly and entry.reentry is not None and duration(entry.reentry.after) > timedelta(days=364):
        detail = f"a year may be shorter than {entry.reentry.after}, so that every other anniversary is missed"
        yield Remark("warning", "skips_years", "/entry/reentry/after", detail, "give at most 364d")


def date_in_words(on: DateOf) -> str:
    """For example `30d before the end of the contract, at 09:00 on their clock`."""
    day = _NAMES.get(on.of, f"the day in {on.of}") + (", every year" if on.yearly and on.of not in _NAMES else "")
    shift = f"{on.before} before " if on.before else f"{on.after} after " if on.after else "on "
    return f"{shift}{day}, at {on.at} on their clock"


def schedule_in_words(on: Schedule) -> str:
    """For example `every week on mon, thu from 2026-12-01T09:00 on their clock, at most 600 a minute`."""
    days = f" on {', '.join(on.on)}" if on.on else ""
    often = f"every {on.every}{days} from {on.at}" if on.every else f"once, {on.at}"
    clock = "on their clock" if on.zone == CUSTOMER else f"in {on.zone}"
    return f"{often} {clock}" + (f", at most {on.pace} a minute" if on.pace else "")


def _past(on: Schedule, now: datetime) -> Iterator[Remark]:
    """Somebody's clock shows it up to 14 hours before Greenwich's, somebody's 12 hours after."""
    zone, local = known_zone(on.zone), datetime.fromisoformat(on.at)
    first = instant_of(local, zone) if zone else instant_of(local, GREENWICH) - AHEAD
    last = first if zone else instant_of(local, GREENWICH) + BEHIND
    if last <= now:
        yield Remark("error", "past", "/entry/on/schedule/at", "this time is over: nobody would ever enter", "give a time to come")
    elif first <= now:
        detail = "customers whose clocks showed this time already do not enter"
        yield Remark("warning", "partly_past", "/entry/on/schedule/at", detail, "give a time at least 15 hours ahead if they should")


def _is_days(text: str) -> bool:
    try:
        written = duration(text)
    except ValueError:
        return False
    return written <= timedelta(days=SHIFT_DAYS_MAX) and not written % timedelta(days=1)


def _is_local(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _LOCAL.fullmatch(text) is not None
