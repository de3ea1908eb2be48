"""What each type of touchpoint means to the profile: its subject, whether it belongs to the customer's rhythm, and what it signals."""

from __future__ import annotations

SUBJECTS: dict[str, tuple[str, ...]] = {
    "web": (
        "page.viewed", "product.viewed", "product.searched", "cart.updated", "checkout.started", "session.ended",
        "onsite.shown", "onsite.clicked", "onsite.dismissed", "form.submitted", "message.left",
    ),
    "account": (
        "customer.registered", "customer.identified", "identities.linked", "preference.changed",
        "consent.granted", "consent.withdrawn", "referral.made",
    ),
    "order": (
        "order.placed", "order.cancelled", "order.returned", "payment.failed", "delivery.delayed", "contract.renewed", "contract.cancelled",
    ),
    "phone": ("call.offered", "call.answered", "call.abandoned", "call.transferred", "call.ended", "call.wrapped_up"),
    "message": (
        "sms.received", "email.received", "email.opened", "email.clicked", "chat.started", "chat.message_received", "chat.ended",
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
        "onsite.shown", "session.ended", "customer.identified", "identities.linked", "preference.changed",
        "consent.granted", "consent.withdrawn", "order.cancelled", "order.returned", "payment.failed", "delivery.delayed",
        "contract.cancelled", "call.transferred", "call.ended", "call.wrapped_up", "email.opened", "chat.ended",
        "complaint.resolved", "service.completed",
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


def subject_of(kind: str) -> str:
    """The subject of a touchpoint type."""
    return SUBJECT_OF.get(kind, OTHER)
