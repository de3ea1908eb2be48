"""What the data of some types may have meant otherwise, and what it says in a form that everybody behind the door reads the same. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nextwave_contracts.consents import WITHDRAWN, doubts_of_withdrawal
from nextwave_contracts.contents import Fault

from nextwave_ingest.naming import near
from nextwave_ingest.stops import ANSWERS, yes_or_no


def doubts_of(kind: str, data: Mapping[str, Any]) -> tuple[Fault, ...]:
    """What may have been meant otherwise, and is taken as it stands."""
    if kind == WITHDRAWN:
        return tuple(doubts_of_withdrawal(data))
    meant = near(kind)
    return (("/type", f"it is kept under its own name, and nothing else is done; did you mean {meant}?"),) if meant else ()


def wrapped_up(data: dict[str, Any]) -> dict[str, Any]:
    """With its answers as true or false, so that everybody behind the door reads the same. None is refused: a stop may stand beside it."""
    said = {field: yes_or_no(data[field]) for field in ANSWERS if field in data}
    return data if all(data[field] is answer for field, answer in said.items()) else data | said
