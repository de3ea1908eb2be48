"""An operator takes names off a customer: they become a customer of their own, and both are folded anew from their touchpoints.

Whatever stopped contact with the one customer goes on stopping it with both; and both stay apart until somebody links them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import msgspec
from nextwave_contracts.identifiers import INTERNAL, InvalidIdentifierError, parse, strength
from nextwave_contracts.outcomes import Outcome, OutcomeKind
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import RejectedError

from nextwave_scoring.identity import derive, derive_once
from nextwave_scoring.profile import bounds, outcomes, rests, touch, words
from nextwave_scoring.profile.merge import bounded_names
from nextwave_scoring.profile.record import APART_MAX, Profile, Words
from nextwave_scoring.rates import Rates
from nextwave_scoring.unit import Entry, Unit

SEPARATED = "identities.separated"
LINES_MAX = 5000
"""Lines of a timeline that are folded anew; of a longer one the profile stays with the customer that remains."""
_SENT_BY = "channels/"
_OUTCOME = "outcome."
_KINDS = frozenset(get_args(OutcomeKind))
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Halves:
    """What is separated from what: names that stay and names that leave, each strongest first."""

    staying: Sequence[str]
    leaving: Sequence[str]


def names_to_leave(touchpoint: Touchpoint) -> list[str]:
    """The identifiers in the data, in normal form; nothing for what is none."""
    told = touchpoint.data.get("identifiers")
    found = []
    for name in told if isinstance(told, list) else []:
        try:
            found.append(parse(str(name)))
        except InvalidIdentifierError:
            continue
    return [name for name in dict.fromkeys(found) if not name.startswith(INTERNAL)]


def halves(unit: Unit, touchpoint: Touchpoint) -> tuple[str, Halves]:
    """The customer meant, and its names that stay and that leave. Raises `RejectedError`."""
    roots = [root for name in sorted(touchpoint.identifiers, key=strength) if (root := unit.root_of_name(name))]
    if not roots:
        raise RejectedError("invalid", "identifiers name no customer that could be separated")
    told = names_to_leave(touchpoint)
    leaving = [name for name in bounded_names(told) if unit.root_of_name(name) == roots[0]]
    staying = [name for name in unit.customers[roots[0]].profile.names if name not in leaving]
    if not leaving or not any(unit.root_of_name(name) == roots[0] for name in staying):
        raise RejectedError("invalid", "data.identifiers must hold some, and not all, of the names of the customer that identifiers name")
    return roots[0], Halves(staying, leaving)


def new_id(touchpoint: Touchpoint) -> str:
    """The id of the customer that leaves."""
    return derive_once("separated", touchpoint)


def divide(lines: Iterable[Entry], leaving: Collection[str]) -> tuple[list[Entry], list[Entry]]:
    """Lines that stay and lines that leave: each goes with its strongest name, or with the customer whose it was before a merge.

    What was stored without its names stays.
    """
    ids = {derive(name) for name in leaving}
    stay: list[Entry] = []
    leave: list[Entry] = []
    for line in lines:
        (leave if _leaves(line, leaving, ids) else stay).append(line)
    return stay, leave


def entry_of(customer_id: str, outcome: Outcome, at: datetime) -> Entry:
    """The line of an outcome: with all that folding it anew needs."""
    detail: dict[str, str | int] = {
        "action_id": outcome.action_id, "campaign": outcome.campaign, "wave": outcome.wave, "detail": outcome.detail
    }  # fmt: skip
    if outcome.cost:
        detail |= {"cost": outcome.cost, "currency": outcome.currency}
    source, kind = f"{_SENT_BY}{outcome.channel}", f"{_OUTCOME}{outcome.kind}"
    return Entry(customer_id, at, source, outcome.id, kind, _encode(detail), (), outcome.at)


def folded(lines: Iterable[Entry], names: Sequence[str], rates: Rates) -> Profile:
    """The profile of these lines for a customer with these names."""
    profile = Profile(names=bounded_names(names))
    for line in lines:
        if line.type.startswith(_OUTCOME) and line.source.startswith(_SENT_BY) and not line.identifiers:
            outcome = _outcome(line)
            if outcome is not None:
                outcomes.take(profile, outcome, rates)
        else:
            touch.take(profile, _touchpoint(line, profile.names), rates)
    return profile


def keep_apart(whole: Profile, staying: Profile, leaving: Profile, halves: Halves, at: int) -> None:
    """Both halves keep what stopped contact with the whole, as said by the other one, and are not merged again (microseconds)."""
    for half, own, other in ((staying, halves.staying, halves.leaving), (leaving, halves.leaving, halves.staying)):
        words.adopt(half, Words(whole.consents, whole.matters, whole.soothed_at, whole.soured_at), other[0], at)
        half.refused = rests.later(half.refused, whole.refused)
        half.complained_at = max(half.complained_at, whole.complained_at)
        apart = rests.later(whole.apart, dict.fromkeys(other, at))
        half.apart = bounds.newest({name: since for name, since in apart.items() if name not in own}, APART_MAX)
        half.shared = {name: since for name, since in whole.shared.items() if name in own}
    staying.absorbed = dict(whole.absorbed)


def _leaves(line: Entry, leaving: Collection[str], ids: set[str]) -> bool:
    names = [name for name in line.identifiers or () if not name.startswith(INTERNAL)]
    if names:
        return min(names, key=strength) in leaving
    return line.identifiers is not None and line.customer_id in ids


def _touchpoint(line: Entry, own: Sequence[str]) -> Touchpoint:
    """As it was taken in, without names that are another's now."""
    named = tuple(name for name in line.identifiers or () if name in own or name.startswith(INTERNAL)) or tuple(own[:1])
    return Touchpoint(
        id=line.id,
        source=line.source,
        type=line.type,
        identifiers=named,
        occurred_at=line.occurred_at or line.at,
        received_at=line.at,
        data=_decode(line.data),
    )


def _outcome(line: Entry) -> Outcome | None:
    told: dict[str, Any] = _decode(line.data)
    kind: Any = line.type.removeprefix(_OUTCOME)
    if kind not in _KINDS:
        return None
    return Outcome(
        id=line.id,
        action_id=told.get("action_id", ""),
        customer_id=line.customer_id,
        campaign=told.get("campaign", ""),
        version=0,
        wave=told.get("wave", ""),
        run_id="",
        channel=line.source.removeprefix(_SENT_BY),
        kind=kind,
        at=min(line.occurred_at or line.at, line.at),
        cost=told.get("cost", 0),
        currency=told.get("currency", "EUR"),
    )
