"""What each type of touchpoint means to the profile: its subject, whether it belongs to the customer's rhythm, and what it signals."""

from __future__ import annotations

from typing import NamedTuple

from nextwave_scoring.profile import bounds
from nextwave_scoring.profile.decay import Counts
from nextwave_scoring.profile.record import KINDS_MAX

SUBJECTS: dict[str, tuple[str, ...]] = {
    "web": (
        "page.viewed", "product.viewed", "product.searched", "cart.updated", "checkout.started", "session.ended",
        "onsite.shown", "onsite.clicked", "onsite.dismissed", "form.submitted", "message.left",
    ),
    "account": (
        "customer.registered", "customer.identified", "identities.linked", "preference.changed",
        "consent.granted", "consent.withdrawn", "referral.made", "identities.separated",
    ),
    "order": (
        "order.placed", "order.cancelled", "order.returned", "payment.failed", "delivery.delayed", "contract.renewed", "contract.cancelled",
    ),
    "phone": ("call.offered", "call.answered", "call.abandoned", "call.transferred", "call.ended", "call.wrapped_up"),
    "message": (
        "sms.received", "email.received", "email.opened", "email.clicked", "chat.started", "chat.message_received", "chat.ended",
        "email.auto_replied", "refusal.reviewed",
    ),
    "service": (
        "complaint.opened", "complaint.resolved", "service.requested", "service.completed", "satisfaction.rated",
        "visit.completed", "product.registered",
    ),
}  # fmt: skip
OTHER = "other"
"""Subject of every type without built-in meaning."""
SUBJECT_OF: dict[str, str] = {kind: subject for subject, kinds in SUBJECTS.items() for kind in kinds}

NOT_RHYTHM: frozenset[str] = frozenset(
    {
        "onsite.shown", "session.ended", "customer.identified", "identities.linked", "identities.separated", "preference.changed",
        "consent.granted", "consent.withdrawn", "order.cancelled", "order.returned", "payment.failed", "delivery.delayed",
        "contract.cancelled", "call.transferred", "call.ended", "call.wrapped_up", "email.opened", "chat.ended",
        "complaint.resolved", "service.completed", "email.auto_replied", "refusal.reviewed",
    }
)  # fmt: skip
"""Types that the customer did not come for (ours, automatic, or the end of something): they do not end a silence."""

SIGNALS: dict[str, str] = {
    "call.abandoned": "abandoned",
    "order.returned": "returned",
    "payment.failed": "payment_failed",
    "delivery.delayed": "delayed",
    "complaint.opened": "complaint",
    "contract.cancelled": "contract_cancelled",
    "referral.made": "referral",
}
"""Types that are also counted by themselves, under this name."""


_CHANNELS = ("onsite", "call", "sms", "email", "chat", "visit")
CHANNEL_OF: dict[str, str] = {
    **{kind: "web" for kind in SUBJECTS["web"] if not kind.startswith("onsite.")},
    **{kind: kind.partition(".")[0] for kind in SUBJECT_OF if kind.partition(".")[0] in _CHANNELS},
}
"""The channel by which a touchpoint came; `web` where it is none that we contact anybody on."""
CODE_OF: dict[str, str] = {kind: f"{subject[0]}{place}" for subject, kinds in SUBJECTS.items() for place, kind in enumerate(kinds)}
"""How types are stored, since profiles are many: the subject's initial and the place in it. New types go to the end of their subject."""
KIND_OF: dict[str, str] = {code: kind for kind, code in CODE_OF.items()}
_KIND_MAX = 64


def kind_of(code: str) -> str:
    """The type that is stored so."""
    return KIND_OF.get(code) or code[1:]


def bounded_kinds(kinds: Counts) -> Counts:
    """All with built-in meaning, and a sample of `KINDS_MAX` others."""
    if len(kinds) <= KINDS_MAX:
        return kinds
    others = bounds.sampled({code: values for code, values in kinds.items() if code not in KIND_OF}, KINDS_MAX)
    return {code: values for code, values in kinds.items() if code in KIND_OF or code in others}


class Meaning(NamedTuple):
    """What a type is to the profile."""

    code: str
    """How it is stored."""
    subject: str
    signal: str
    is_rhythm: bool


def meaning_of(kind: str) -> Meaning:
    """Of any type; one without built-in meaning is something that the customer did."""
    return _MEANINGS.get(kind) or Meaning(f":{kind[:_KIND_MAX]}", OTHER, "", is_rhythm=True)


_MEANINGS: dict[str, Meaning] = {
    kind: Meaning(CODE_OF[kind], subject, SIGNALS.get(kind, ""), kind not in NOT_RHYTHM) for kind, subject in SUBJECT_OF.items()
}


def subject_of(kind: str) -> str:
    """The subject of a touchpoint type."""
    return SUBJECT_OF.get(kind, OTHER)
