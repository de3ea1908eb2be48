"""How the simulated people answer what they are sent: chances per channel, and whose address is whose. PURE."""

from __future__ import annotations

from collections.abc import Iterable

from nextwave_local.demo.people import Person
from nextwave_local.demo.shop import CURRENCY
from nextwave_local.simulator.people import Behaviour, Habits

HABITS = {
    "email": Habits(bounce=0.015, open=0.45, click=0.3, refuse=0.02, spam=0.004, complain=0.006, buy=0.3),
    "sms": Habits(bounce=0.015, click=0.25, stop=0.03, complain=0.006, buy=0.3),
    "call": Habits(bounce=0.01, answer=0.5, busy=0.25, refuse=0.15, accept=0.4, complain=0.02, buy=0.6),
}
"""Invented, of the order that campaigns see; change them and look how the funnel moves."""


def behaviour(seed: int, people: Iterable[Person]) -> Behaviour:
    """What the simulator is told before the first message."""
    user_ids = {address: one.user for one in people for address in (one.email, one.phone) if address}
    return Behaviour(seed=seed, channels=dict(HABITS), delay_hours=5.0, order_amount=6_000, currency=CURRENCY, user_ids=user_ids)  # type: ignore[arg-type]
