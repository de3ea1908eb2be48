"""What the dates of contracts mean: which run, which are about to end, and whether all of them are over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from nextwave_scoring.instants import DAY


class Contract(Protocol):
    """One contract; instants in microseconds, 0 for none. A renewal after a cancellation takes it back."""

    @property
    def started_at(self) -> int: ...
    @property
    def ends_at(self) -> int: ...
    @property
    def renewed_at(self) -> int: ...
    @property
    def cancelled_at(self) -> int: ...
    @property
    def ends_told_at(self) -> int: ...


def is_cancelled(contract: Contract) -> bool:
    """Cancelled and not renewed since; cancelled beats renewed at the same instant."""
    return bool(contract.cancelled_at) and contract.cancelled_at >= contract.renewed_at


def end_of(contract: Contract) -> int:
    """The end that was told at or after the last renewal; one told before is no end any more: 0."""
    return contract.ends_at if contract.ends_told_at >= contract.renewed_at else 0


def over_at(contract: Contract) -> int:
    """When a cancelled contract is over: at its end, or at once where none is known; 0 while it is not cancelled."""
    return max(end_of(contract), contract.cancelled_at) if is_cancelled(contract) else 0


def lasted(contract: Contract, at: int) -> int:
    """How long it has run up to `at`, microseconds; 0 when its beginning is not known."""
    return max(min(over_at(contract) or at, at) - contract.started_at, 0) if contract.started_at else 0


def is_ending(contract: Contract, at: int, days: int) -> bool:
    """Cancelled, or its end is at most `days` ahead, or past."""
    end = end_of(contract)
    return is_cancelled(contract) or (bool(end) and at >= end - days * DAY)


def all_over_at(contracts: Collection[Contract], at: int) -> int:
    """When the last of them was over; 0 when there are none or one still runs at `at`."""
    ends = [over_at(contract) for contract in contracts]
    return max(ends) if ends and all(0 < end <= at for end in ends) else 0
