"""How often one number and one person are called, over all campaigns and lists, whatever each of them would still permit. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nextwave_contracts.actions import Contact

from nextwave_channels import gate
from nextwave_channels.call_lists.promises import is_promise
from nextwave_channels.gate import Claim, Later, Never, Ruling

OFTEN = "this number or customer was called as often as NEXTWAVE_CALLS_PER_NUMBER and NEXTWAVE_CALLS_PER_PERSON allow in 24 hours"
WINDOW = timedelta(days=1)
"""Any 24 hours, so that no day in any time zone has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Calls that may begin in any 24 hours."""

    per_number: int
    per_person: int


class Made:
    """The calls begun in the last 24 hours, as (keyed hash of the number, customer, instant)."""

    def __init__(self, begun: Iterable[tuple[str, str, datetime]]) -> None:
        self._begun = list(begun)

    def rule(self, contact: Contact, ruling: Ruling, limits: Limits, now: datetime) -> Ruling:
        """The ruling, or when there is room again; a call that may begin counts from now on. What a customer asked for is not limited."""
        if not isinstance(ruling, Claim):
            return ruling
        opens = [] if is_promise(contact) else self._opens(contact, limits)
        if opens:
            return _later(contact, max(opens))
        self._begun.append((contact.address_subject, contact.customer_id, now))
        return ruling

    def _opens(self, contact: Contact, limits: Limits) -> list[datetime]:
        """When there is room again, by each limit that is reached."""
        number, customer = contact.address_subject, contact.customer_id
        to_number = [at for its_number, _, at in self._begun if number and its_number == number]
        to_person = [at for _, its_customer, at in self._begun if its_customer == customer]
        counted = ((to_number, limits.per_number), (to_person, limits.per_person))
        return [sorted(begun)[-limit] + WINDOW for begun, limit in counted if len(begun) >= limit]


def _later(contact: Contact, opens: datetime) -> Ruling:
    permitted = gate.opening(contact.permitted, opens, opens)
    return Never("withdrawn", "cap") if permitted is None or permitted >= contact.not_after else Later(permitted, OFTEN)
