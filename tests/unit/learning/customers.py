"""Histories of simulated customers, some of whom leave, for the tests of learning; by seed, so always the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nextwave_contracts.touchpoints import Touchpoint
from nextwave_local.learning.history import History, history_of

START = datetime(2025, 1, 1, 9, tzinfo=UTC)
DAYS = 240


def visit(customer: str, day: float, kind: str = "page.viewed", **data: object) -> Touchpoint:
    """A touchpoint `day` days after START."""
    at = START + timedelta(days=day)
    names = (f"customer_id:{customer}",)
    return Touchpoint(
        id=f"{customer}-{kind}-{day}", source="shop/web", type=kind, identifiers=names, occurred_at=at, received_at=at, data=data
    )


def history(customer: str, *days: float) -> History:
    """One who was seen on these days."""
    return history_of(customer, [visit(customer, day) for day in days])


def shop(count: int = 300, seed: int = 3) -> list[History]:
    """Customers with a rhythm each and a constant chance of leaving, as the baseline takes them to be."""
    chance = random.Random(seed)
    return [history(str(number), *_life(chance)) for number in range(count)]


def _life(chance: random.Random) -> list[float]:
    rate, leaves = chance.gammavariate(1.2, 1 / 12.0), chance.expovariate(1 / 150.0)
    born = chance.uniform(0, 60)
    day, life = born, []
    while day < min(born + leaves, DAYS):
        life.append(round(day, 3))
        day += chance.expovariate(rate)
    return life or [born]


def written(path: Path, histories: list[History]) -> Path:
    """The histories as an export."""
    lines = [
        f"{one.customer},{touchpoint.occurred_at.isoformat()},{touchpoint.type},{touchpoint.id}\n"
        for one in histories
        for touchpoint in one.touchpoints
    ]
    path.write_text("customer,occurred_at,type,id\n" + "".join(lines))
    return path
