"""When a customer is looked at again: at the review that is set, unless silence or a contract changes something before it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from nextwave_contracts.customers import RiskReason
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.customer import Customer, Judge, due_review
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile.record import Contract, Profile

from .making import START, folded, touchpoint

AT = micros(START) + DAY


@dataclass(frozen=True)
class Still:
    """A model, and the outlook of every customer: a risk that silence does not move."""

    level: float = 0.1
    name: str = "still@1"
    horizon_days: int = 30
    asks: tuple[str, ...] = ()

    def outlook(self, _profile: Profile) -> Still:
        return self

    def risk(self, _at: int) -> float:
        return self.level

    def explained(self, _at: int) -> tuple[float, tuple[RiskReason, ...]]:
        return self.level, ()

    def risk_without(self, _at: int) -> dict[str, float]:
        return {}


JUDGE = Judge(Only(Still()))


def due_of(ends_at: int, review_at: int) -> int | None:
    """For a customer whose contract ends then, and for whom a review is set then (0: none)."""
    customer = Customer(profile=folded([touchpoint("page.viewed")]))
    customer.profile.contracts["c"] = Contract(ends_at=ends_at, ends_told_at=AT)
    customer.standing = JUDGE.judge(customer, AT).standing
    customer.standing = msgspec.structs.replace(customer.standing, review_at=review_at)
    return due_review(JUDGE.judge(customer, AT))


def test_a_contract_that_comes_to_its_end_before_the_review_that_is_set_is_noticed() -> None:
    ending = AT + 90 * DAY
    noticed = ending - 30 * DAY  # the sign of decline
    assert due_of(ending, review_at=AT + 100 * DAY) == noticed
    assert due_of(ending, review_at=0) == noticed


def test_a_review_that_is_set_before_anything_changes_stays() -> None:
    assert due_of(AT + 90 * DAY, review_at=AT + 50 * DAY) == AT + 50 * DAY
    assert due_of(AT + 90 * DAY, review_at=AT + 60 * DAY) == AT + 60 * DAY
