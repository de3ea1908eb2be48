"""What reaches the company by telephone and at the care desk: inbound calls shaped by a real call centre's day, complaints, stops. PURE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import cos as cosine
from math import exp, log, pi, sqrt

from nextwave_local.demo.datasets import Row, Slot
from nextwave_local.demo.items import Item, call, event
from nextwave_local.demo.people import Person
from nextwave_local.simulator.draws import draw, exponential

CALLS_PER_DAY = 9.0
"""On a working day, on average: the curve of the data set, thinned to this."""
ABANDONED_SHARE = 0.12
WAIT_SECONDS_MEAN = 40.0
TALK_SECONDS_MEDIAN = 160.0
TALK_SPREAD = 0.8
"""Of the logarithm: talking times are log-normal (synthetic; Brown et al., JASA 2005, find this form in call centres)."""
COMPLAINT_SHARES: Mapping[str, float] = {"payment_error": 0.3, "checkout_bug": 0.4, "support_chat": 0.06}
SATISFIED_SHARE = 0.75
UNRESOLVED_SHARE = 0.08
STOP_SHARE = 0.02
"""Of those with a phone: they text STOP though nobody has texted them."""


class Desk:
    """The people who can call or complain: those who signed up, from the instant of their sign-up on."""

    def __init__(self, seed: int, people: Mapping[str, Person], signed_up: Mapping[str, Row]) -> None:
        self._seed = seed
        self._people = people
        self._signed_up = signed_up
        self._joined = sorted((row.at, user) for user, row in signed_up.items() if people[user].phone)

    def calls(self, curve: Sequence[Slot], first: datetime, last: datetime) -> Iterator[Item]:
        """Inbound calls of the working days from `first` to `last`: in every five minutes a Poisson number by the curve."""
        whole = sum(slot.calls for slot in curve)
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < last:
            for slot in curve if day.weekday() < 5 else ():
                begin = day + timedelta(minutes=slot.minute)
                for number in range(self._arrivals(begin, slot.calls / whole * CALLS_PER_DAY)):
                    yield from self._call(begin, number)
            day += timedelta(days=1)

    def complaints(self, rows: Sequence[Row]) -> Iterator[Item]:
        """Some of those who met a fault open a ticket; most tickets are resolved within days, most of these to satisfaction."""
        for row in rows:
            joined = self._signed_up.get(row.user)
            if joined is None or row.at < joined.at or self._draw(row.number, "complains") >= COMPLAINT_SHARES.get(row.event, 0.0):
                continue
            reference = f"ticket-{row.number}"
            opened = row.at + timedelta(minutes=20) + timedelta(hours=exponential(6, self._draw(reference, "opened")))
            ticket = {"ticket_id": reference, "about": row.event}
            yield call(opened, reference, {"type": "track", "event": "Support Ticket Created", "userId": row.user, "properties": ticket})
            if self._draw(reference, "resolved") >= UNRESOLVED_SHARE:
                closed = opened + timedelta(hours=2) + timedelta(hours=exponential(30, self._draw(reference, "closed")))
                data = {"reference": reference, "satisfied": self._draw(reference, "satisfied") < SATISFIED_SHARE}
                yield event(
                    closed, "care-desk", f"{reference}-resolved", "complaint.resolved", data | {"identifiers": [f"customer_id:{row.user}"]}
                )

    def stops(self, last: datetime) -> Iterator[Item]:
        """Texts out of the blue that want to hear nothing any more."""
        for joined, user in self._joined:
            if self._draw(user, "stops") < STOP_SHARE:
                at = joined + (last - joined) * self._draw(user, "stops when")
                yield event(at, "sms-gateway", f"stop-{user}", "sms.received", {"body": "STOP", "identifiers": self._phone(user)})

    def _call(self, begin: datetime, number: int) -> Iterator[Item]:
        call_id = f"call-{begin:%m%d%H%M}-{number}"
        offered = begin + timedelta(seconds=300 * self._draw(call_id, "second"))
        callers = [user for joined, user in self._joined if joined < offered]
        if not callers:
            return
        caller = callers[int(len(callers) * self._draw(call_id, "caller"))]
        data = {"call_id": call_id, "queue": "service", "identifiers": self._phone(caller)}
        waited = timedelta(seconds=5 + exponential(WAIT_SECONDS_MEAN, self._draw(call_id, "wait")))
        yield event(offered, "call-centre", f"{call_id}-offered", "call.offered", data)
        if self._draw(call_id, "abandons") < ABANDONED_SHARE:
            yield event(offered + waited, "call-centre", f"{call_id}-abandoned", "call.abandoned", data)
            return
        yield event(offered + waited, "call-centre", f"{call_id}-answered", "call.answered", data)
        seconds = log_normal(TALK_SECONDS_MEDIAN, TALK_SPREAD, (self._draw(call_id, "talk"), self._draw(call_id, "talk more")))
        ended = offered + waited + timedelta(seconds=seconds)
        yield event(ended, "call-centre", f"{call_id}-ended", "call.ended", {**data, "duration_seconds": round(seconds)})

    def _arrivals(self, begin: datetime, mean: float) -> int:
        return poisson(mean, self._draw("calls", begin.isoformat()))

    def _phone(self, user: str) -> list[str]:
        return [f"phone:{self._people[user].phone}"]

    def _draw(self, *purpose: object) -> float:
        return draw(self._seed, *purpose)


def poisson(mean: float, chance: float) -> int:
    """The Poisson number of this mean at which the distribution passes `chance` (0..1)."""
    count, step = 0, exp(-mean)
    reached = step
    while reached <= chance and step > 0.0:
        count += 1
        step *= mean / count
        reached += step
    return count


def log_normal(median: float, spread: float, chances: tuple[float, float]) -> float:
    """A log-normal value from two numbers in [0, 1), by Box and Muller."""
    normal = sqrt(-2.0 * log(1.0 - chances[0])) * cosine(2.0 * pi * chances[1])
    return median * exp(spread * normal)
