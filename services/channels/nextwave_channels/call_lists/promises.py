"""A call that a customer asked for at an hour of theirs: a contact of its own, which the channel keeps by itself. Pure.

It is a service matter: it goes before what is offered, and outlives the wave whose call it came of, as far as the hours in which this
customer may be called are known.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from nextwave_contracts.actions import UNHELD_PURPOSES, Contact

from nextwave_channels import gate

_MARK = ":callback:"


def promised(contact: Contact, at: datetime, now: datetime) -> Contact | None:
    """The call to be made at `at`; None when it is over, or it is not known whether the customer may be called then."""
    if at <= now or at >= contact.not_after or gate.opening(contact.permitted, at, at) != at:
        return None
    mark = f"{_MARK}{int(at.timestamp())}"
    return msgspec.structs.replace(
        contact,
        action_id=contact.action_id.partition(_MARK)[0] + mark,
        run_id=contact.run_id.partition(_MARK)[0] + mark,
        purpose=contact.purpose if contact.purpose in UNHELD_PURPOSES else "service",
        decided_at=now.astimezone(UTC),
        attempts=1,
        attempt=1,
    )


def is_promise(contact: Contact) -> bool:
    """Whether the customer asked for this call."""
    return _MARK in contact.action_id
