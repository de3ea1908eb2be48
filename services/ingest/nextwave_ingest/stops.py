"""Which touchpoints stop contacts, or lift a stop: the express lane's rules, kept apart so that they can be read in one minute. PURE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from nextwave_contracts.holds import Hold, HoldKind
from nextwave_contracts.identifiers import INTERNAL
from nextwave_contracts.masking import in_words
from nextwave_contracts.messages_in import CHANNEL_OF, refused_channel, stopped_channel

if TYPE_CHECKING:
    from nextwave_ingest.admission import Accepted

CONFIRMED_WITHIN = timedelta(minutes=5)
"""A stop by text may be answered once, and only at once (47 CFR 64.1200(a)(12))."""
VERDICT = "refusal.reviewed"
WRAP_UP = "call.wrapped_up"
ANSWERS = ("refusal", "complaint")
"""Of a wrap-up, each true or false."""
_REFERENCE_MAX = 256
_NOES: frozenset[str] = frozenset(
    {"", "no", "n", "false", "f", "0", "off", "none", "null", "n/a", "-", "nein", "non", "nee", "não", "nie", "nej"}
)
_REVIEW = re.compile(r"[a-z]+-[0-9a-f-]{36,57}")
_SAID_BY = re.compile(r"-([0-9a-f]{32})$")
"""How a review's reference ends: the keyed hash of the strongest name by which its words were said."""
_BY_RECEPTION: frozenset[HoldKind] = frozenset({"opt_out", "complaint", "review", "review_lifted"})
"""What counts from its reception: stops, and the end of a review, which can only come after its beginning."""


class Stop(NamedTuple):
    """One hold to raise or lift; `channel` or `purpose` empty means all."""

    kind: HoldKind
    channel: str = ""
    purpose: str = ""
    reference: str = ""
    unconfirmed: bool = False
    """It was said by text, and nobody has confirmed it to the customer yet."""

    def counts_from(self, occurred_at: datetime, received_at: datetime) -> datetime:
        """A stop counts from when it was received, whatever its source's clock says; a lifting keeps its own time, the earlier one.

        So a slow clock can never date a stop before the grant it takes back. The price is on the cautious side: an old withdrawal that
        is imported today outlasts a newer grant, and contacts rest until the customer agrees again.
        """
        return max(occurred_at, received_at) if self.kind in _BY_RECEPTION else min(occurred_at, received_at)

    def confirm_by(self, occurred_at: datetime, received_at: datetime) -> datetime | None:
        """Until when it may be confirmed: five minutes after it was said. None for an old text that comes late, and where nobody waits."""
        until = min(occurred_at, received_at) + CONFIRMED_WITHIN
        return until if self.unconfirmed and received_at < until else None


def stops(kind: str, data: Mapping[str, Any], touchpoint_id: str) -> tuple[Stop, ...]:
    """The holds that a touchpoint raises or lifts. A complaint in a wrap-up without a reference is named by its touchpoint."""
    rule = _RULES.get(kind)
    if rule is None:
        return ()
    return rule({"reference": touchpoint_id, **data} if kind == WRAP_UP else data)


def holds_of(touchpoint: Accepted, data: Mapping[str, Any], blind: Callable[[str], str]) -> tuple[Hold, ...]:
    """The holds that must be acknowledged with a touchpoint. `blind` is the keyed hash of an identifier.

    Who does not see by which name words were said gives the verdict by our own name of the customer. It counts by the name of the words
    instead: what is said by a name that several share holds all of them, and an id that is another's withdraws nobody.
    """
    if not (raised := stops(touchpoint.type, data, touchpoint.id)):
        return ()
    said = data.get("reason") if isinstance(data.get("reason"), str) else ""
    subjects = tuple(blind(name) for name in touchpoint.identifiers)
    if touchpoint.type == VERDICT and (said_by := _SAID_BY.findall(_reference(data))):
        named = (blind(name) for name in touchpoint.identifiers if not name.startswith(INTERNAL))
        subjects = tuple(dict.fromkeys((*named, *said_by)))
    return tuple(
        Hold(
            id=f"{touchpoint.id}/{stop.kind}",
            source=touchpoint.source,
            kind=stop.kind,
            subjects=subjects,
            at=stop.counts_from(touchpoint.occurred_at, touchpoint.received_at),
            channel=stop.channel,
            purpose=stop.purpose,
            reference=stop.reference,
            reason=in_words(f"{touchpoint.type}: {said}" if said else touchpoint.type),
            confirm_by=stop.confirm_by(touchpoint.occurred_at, touchpoint.received_at),
        )
        for stop in raised
    )


def fault_of_verdict(data: Mapping[str, Any], names: Sequence[str], blind: Callable[[str], str]) -> tuple[str, str] | None:
    """What is wrong with a review's verdict: the pointer, and what to do.

    It must not withdraw anybody else from anything, so it names who said the words by the name in their reference; or by our own name of
    the customer, which the door cannot tell from another's, and so raises no hold by it.
    """
    if not _REVIEW.fullmatch(_reference(data)):
        return "/data/reference", "name the review that this ends, as GET /v1/reviews of scoring does"
    if not isinstance(data.get("refused"), bool):
        return "/data/refused", "say true where the customer refused, and false where not"
    said_by = _SAID_BY.search(_reference(data))
    if said_by and not any(name.startswith(INTERNAL) or blind(name) == said_by[1] for name in names):
        return "/subject", "these words were said by another name: use the `name` of the review, or external:nextwave:<its customer_id>"
    return None


def yes_or_no(value: Any) -> bool:
    """An answer, also as text (a Liquid template knows no other) or number. Nothing is no; what is no clear no is a yes: caution stops."""
    return value.strip().casefold() not in _NOES if isinstance(value, str) else bool(value)


def _withdrawn(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("opt_out", data["channel"], data["purpose"]),)


def _granted(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("opt_in", data["channel"], data["purpose"]),)


def _opened(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("complaint", reference=_reference(data)),)


def _resolved(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("complaint_lifted", reference=_reference(data)),)


def _written(kind: str, data: Mapping[str, Any]) -> tuple[Stop, ...]:
    """What the door heard in a customer's own words. A provider that sorts texts by their words (Twilio) has answered by itself."""
    channel, asked = stopped_channel(kind, data), data.get("wish")
    if asked == "review":
        return (Stop("review", channel, reference=str(data["review"])),)
    if asked not in {"opt_out", "opt_in"}:
        return ()
    confirmed = data.get("OptOutType") or data.get("opt_out_type")
    return (Stop(asked, channel, unconfirmed=kind == "sms.received" and asked == "opt_out" and not confirmed),)


def _reviewed(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    """A refusal becomes a withdrawal before its hold ends; its reference tells whose words were refused."""
    reference = _reference(data)
    lifted = Stop("review_lifted", reference=reference)
    return (Stop("opt_out", refused_channel(data), reference=reference), lifted) if data["refused"] else (lifted,)


def _wrapped_up(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    complaint = (Stop("complaint", reference=_reference(data)),) if data.get("complaint") is True else ()
    refusal = (Stop("opt_out", channel="call"),) if data.get("refusal") is True else ()
    return complaint + refusal


def _reference(data: Mapping[str, Any]) -> str:
    return str(data.get("reference") or "")[:_REFERENCE_MAX]


_RULES: dict[str, Callable[[Mapping[str, Any]], tuple[Stop, ...]]] = {
    "consent.withdrawn": _withdrawn,
    "consent.granted": _granted,
    "complaint.opened": _opened,
    "complaint.resolved": _resolved,
    WRAP_UP: _wrapped_up,
    VERDICT: _reviewed,
    **{kind: partial(_written, kind) for kind in CHANNEL_OF},
}
HOLDING = frozenset(_RULES)
"""Types that may raise or lift a hold."""
STOPS: frozenset[HoldKind] = frozenset({"opt_out", "complaint", "review"})
"""Holds that stop contacts and lift nothing."""
STOPPING: frozenset[str] = HOLDING - {"consent.granted", "complaint.resolved", VERDICT}
"""Types by which anybody may stop contacts."""
