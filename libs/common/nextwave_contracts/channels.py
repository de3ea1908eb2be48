"""What each channel is: whom it reaches by what, when, at what cost, and what it can tell. Said once; lint, gate and documents read it.

Whoever adds a channel adds its name to `Channel` and its terms here; its way out is one file at the channels service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from nextwave_contracts.actions import Channel
from nextwave_contracts.outcomes import OutcomeKind

HoursClass = Literal["legal", "quiet", "any"]
"""`legal`: the contact hours of every candidate zone, and the customer's own quiet hours; `quiet`: those alone; `any`: none."""
Place = Literal["", "list", "team"]
"""Who carries it out, where a step names them: a dialler list, a team of account managers."""
OURS: frozenset[OutcomeKind] = frozenset({"failed", "expired", "withdrawn", "unknown"})
"""What we say ourselves, on every channel."""
TAKEN: frozenset[OutcomeKind] = OURS | {"accepted", "refused"}
"""With the two answers of a provider that we call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One channel. `cost`: direct cost of one contact in minor units, where the house has said nothing.

    `identifier`: the kind of identifier that is its address; empty: it reaches the customer by our own id for them.
    `arrives_within`: how long one contact may take to arrive, so that no wave closes before.
    `reports`: every outcome that a contact of it can have.
    """

    identifier: str = ""
    hours: HoursClass = "any"
    needs_consent: bool = False
    place: Place = ""
    cost: int = 0
    arrives_within: timedelta
    reports: frozenset[OutcomeKind]


CHANNELS: Mapping[Channel, Terms] = {
    "email": Terms(
        identifier="email",
        needs_consent=True,
        arrives_within=timedelta(minutes=15),
        reports=TAKEN | {"delivered", "bounced", "opened", "clicked", "replied"},
    ),
    "sms": Terms(
        identifier="phone",
        hours="legal",
        needs_consent=True,
        cost=8,
        arrives_within=timedelta(minutes=5),
        reports=TAKEN | {"delivered", "bounced", "opened", "clicked", "replied"},
    ),
    "call": Terms(
        identifier="phone",
        hours="legal",
        needs_consent=True,
        place="list",
        cost=250,
        arrives_within=timedelta(minutes=15),
        reports=TAKEN | {"delivered", "busy", "no_answer", "answered"},
    ),
    "webpush": Terms(
        identifier="device_token",
        hours="quiet",
        needs_consent=True,
        arrives_within=timedelta(minutes=5),
        reports=TAKEN | {"delivered", "bounced", "clicked"},
    ),
    "onsite": Terms(arrives_within=timedelta(minutes=1), reports=OURS | {"delivered", "opened", "clicked"}),
    "visit": Terms(
        hours="legal",
        place="team",
        cost=4000,
        arrives_within=timedelta(days=1),
        reports=OURS | {"answered", "no_answer", "refused"},
    ),
    "chat": Terms(
        cost=100,
        arrives_within=timedelta(minutes=5),
        reports=TAKEN | {"delivered", "opened", "clicked", "replied", "answered", "no_answer"},
    ),
    "letter": Terms(
        cost=150,
        arrives_within=timedelta(days=5),
        reports=TAKEN | {"delivered", "bounced", "replied"},
    ),
    "webhook": Terms(
        arrives_within=timedelta(minutes=5),
        reports=TAKEN | {"delivered", "bounced", "opened", "clicked", "replied", "answered", "no_answer", "busy"},
    ),
}
