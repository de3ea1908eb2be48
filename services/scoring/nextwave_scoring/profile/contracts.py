"""Contracts: their beginning, end, last renewal and cancellation, by reference. For each date the one that was told last stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_scoring.profile import dates
from nextwave_scoring.profile.record import TERMS_MAX, Contract

Data = Mapping[str, Any]
Contracts = dict[str, Contract]
_STARTS = ("starts", "started_at", "contract_start")
_ENDS = ("ends", "ends_at", "contract_end", "contract_ends_at")
STARTING = frozenset({"contract.started", "contract.signed"})
"""Types without built-in meaning elsewhere; any other `contract.<past>` is read for its dates."""


def take(contracts: Contracts, kind: str, data: Data, at: int) -> None:
    """Takes a `contract.` touchpoint; without a reference it is about the one contract there is."""
    contract = contracts.setdefault(_reference(data), Contract())
    if kind == "contract.renewed":
        contract.renewed_at = max(contract.renewed_at, at)
    elif kind == "contract.cancelled":
        contract.cancelled_at = max(contract.cancelled_at, at)
    _dated(contract, data, at, started=at if kind in STARTING else 0)
    _bound(contracts)


def take_traits(contracts: Contracts, data: Data, at: int) -> None:
    """Takes what is told of the customer: `contract_end` and its like."""
    if any(dates.told(data.get(key)) for key in ("contract_start", "contract_end", "contract_ends_at")):
        told = {key: value for key, value in data.items() if key.startswith("contract_")}
        _dated(contracts.setdefault(_reference(told), Contract()), told, at, started=0)
        _bound(contracts)


def merge(a: Contracts, b: Contracts) -> Contracts:
    """The dates of both, told last."""
    merged = {reference: _newest(a.get(reference, Contract()), b.get(reference, Contract())) for reference in {**a, **b}}
    _bound(merged)
    return merged


def _dated(contract: Contract, data: Data, at: int, *, started: int) -> None:
    starts, ends = _first(data, _STARTS) or started, _first(data, _ENDS)
    if starts:
        contract.starts_told_at, contract.started_at = max((contract.starts_told_at, contract.started_at), (at, starts))
    if ends:
        contract.ends_told_at, contract.ends_at = max((contract.ends_told_at, contract.ends_at), (at, ends))


def _first(data: Data, keys: tuple[str, ...]) -> int:
    return next((at for key in keys if (at := dates.told(data.get(key)))), 0)


def _reference(data: Data) -> str:
    value = data.get("reference", data.get("contract_id", ""))
    return str(value)[:64] if isinstance(value, str | int) else ""


def _newest(a: Contract, b: Contract) -> Contract:
    starts_told_at, started_at = max((a.starts_told_at, a.started_at), (b.starts_told_at, b.started_at))
    ends_told_at, ends_at = max((a.ends_told_at, a.ends_at), (b.ends_told_at, b.ends_at))
    renewed_at, cancelled_at = max(a.renewed_at, b.renewed_at), max(a.cancelled_at, b.cancelled_at)
    return Contract(started_at, ends_at, renewed_at, cancelled_at, starts_told_at, ends_told_at)


_TERMS: dict[str, tuple[Callable[[Contract], int], tuple[str, ...]]] = {
    "starts": (lambda c: c.starts_told_at, ("started_at", "starts_told_at")),
    "ends": (lambda c: c.ends_told_at, ("ends_at", "ends_told_at")),
    "renewed": (lambda c: c.renewed_at, ("renewed_at",)),
    "cancelled": (lambda c: c.cancelled_at, ("cancelled_at",)),
}
"""Each date: when it was told, and the fields that hold it."""


def _bound(contracts: Contracts) -> None:
    """Forgets the dates that were told longest ago beyond `TERMS_MAX`, and contracts of which nothing is left."""
    if len(contracts) * len(_TERMS) > TERMS_MAX:
        terms = sorted((told, reference, term) for reference, c in contracts.items() for term, (at, _) in _TERMS.items() if (told := at(c)))
        for _, reference, term in terms[:-TERMS_MAX]:
            for field in _TERMS[term][1]:
                setattr(contracts[reference], field, 0)
    for reference in [r for r, c in contracts.items() if c == Contract()]:
        del contracts[reference]
