"""The one text that confirms a stop by text: a contact of its own, which the channels make by themselves. Pure.

It is the only contact that a stop does not stop; the gate lets it through by `is_confirmation`, and only while a stop is in force.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from nextwave_contracts.actions import Contact, Content, Span
from nextwave_contracts.holds import Hold

MARK = "stop-confirmation-"
"""What the ids of these actions begin with."""
_NAMES = uuid.UUID("0d7c5d0e-9f0b-5c39-8d64-2f1c7a3be6a1")


def name_of(hold: Hold) -> str:
    """The action's id: the same hold again is the same action."""
    return MARK + str(uuid.uuid5(_NAMES, f"{hold.source}\n{hold.id}"))


def confirmation(hold: Hold, texted: Contact, words: str, now: datetime) -> Contact | None:
    """The text to whom `texted` was the last one; None when it is too late to confirm the hold, or it asks for none.

    Contact hours do not apply to it: whoever has just texted is awake, and the FCC wants it within five minutes.
    """
    if hold.confirm_by is None or now >= hold.confirm_by:
        return None
    return Contact(
        action_id=name_of(hold),
        decision_id="",
        customer_id=texted.customer_id,
        campaign="",
        version=0,
        wave="",
        run_id="",
        segment="",
        channel="sms",
        purpose="transactional",
        address=texted.address,
        content=Content(text=words),
        subjects=texted.subjects,
        address_subject=texted.address_subject,
        permitted=(Span(start=now, end=hold.confirm_by),),
        decided_at=now.astimezone(UTC),
        not_after=hold.confirm_by,
        currency=texted.currency,
    )


def is_confirmation(contact: Contact) -> bool:
    """Whether the contact confirms a stop by text."""
    return contact.action_id.startswith(MARK) and contact.channel == "sms" and contact.purpose == "transactional"
