"""Which touchpoints stop contacts, or lift a stop: the express lane's rules, kept apart so that they can be read in one minute. PURE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, get_args

from nextwave_contracts.actions import Channel, Purpose
from nextwave_contracts.holds import HoldKind

CHANNELS: frozenset[str] = frozenset(get_args(Channel))
PURPOSES: frozenset[str] = frozenset(get_args(Purpose))

STOP_WORDS: frozenset[str] = frozenset(
    {
        "stop",
        "quit",
        "end",
        "revoke",
        "opt out",
        "optout",
        "cancel",
        "unsubscribe",
        "stopall",
        "stop all",
        "stopp",
        "arret",
        "arrêt",
        "baja",
    }
)
"""Texts that withdraw when they are the whole text (FCC's "per se" words, those of the carriers, common neighbours)."""
STOP_BEGINNINGS: frozenset[str] = frozenset({"stop", "stopall", "unsubscribe", "optout"})
"""Words that withdraw wherever a text begins with them: a reasonable person reads "STOP texting me" as a stop."""
CONFIRMED_WITHIN = timedelta(minutes=5)
"""A stop by text may be answered once, and only at once (47 CFR 64.1200(a)(12))."""
START_WORDS: frozenset[str] = frozenset({"start", "unstop"})
_RAISING: frozenset[HoldKind] = frozenset({"opt_out", "complaint"})
_NOT_WORDS = re.compile(r"[\W_]+")


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
        return max(occurred_at, received_at) if self.kind in _RAISING else min(occurred_at, received_at)

    def confirm_by(self, occurred_at: datetime, received_at: datetime) -> datetime | None:
        """Until when it may be confirmed: five minutes after it was said. None for an old text that comes late, and where nobody waits."""
        until = min(occurred_at, received_at) + CONFIRMED_WITHIN
        return until if self.unconfirmed and received_at < until else None


def stops(kind: str, data: Mapping[str, Any], touchpoint_id: str) -> tuple[Stop, ...]:
    """The holds that a touchpoint raises or lifts. A complaint in a wrap-up without a reference is named by its touchpoint."""
    rule = _RULES.get(kind)
    if rule is None:
        return ()
    return rule({"reference": touchpoint_id, **data} if kind == "call.wrapped_up" else data)


def wish(text: str) -> HoldKind | None:
    """What an inbound text asks for: `opt_out`, `opt_in`, or nothing of the kind."""
    words = _NOT_WORDS.sub(" ", text.casefold()).strip()
    if words in STOP_WORDS or words.partition(" ")[0] in STOP_BEGINNINGS:
        return "opt_out"
    return "opt_in" if words in START_WORDS else None


def _withdrawn(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("opt_out", data["channel"], data["purpose"]),)


def _granted(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("opt_in", data["channel"], data["purpose"]),)


def _opened(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("complaint", reference=_reference(data)),)


def _resolved(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    return (Stop("complaint_lifted", reference=_reference(data)),)


def _texted(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    kind: HoldKind | None = data.get("wish")
    confirmed = data.get("OptOutType") or data.get("opt_out_type")  # Twilio's: it has answered by itself
    return () if kind is None else (Stop(kind, channel="sms", unconfirmed=kind == "opt_out" and not confirmed),)


def _wrapped_up(data: Mapping[str, Any]) -> tuple[Stop, ...]:
    complaint = (Stop("complaint", reference=_reference(data)),) if data.get("complaint") is True else ()
    refusal = (Stop("opt_out", channel="call"),) if data.get("refusal") is True else ()
    return complaint + refusal


def _reference(data: Mapping[str, Any]) -> str:
    return str(data.get("reference") or "")[:256]


_RULES: dict[str, Callable[[Mapping[str, Any]], tuple[Stop, ...]]] = {
    "consent.withdrawn": _withdrawn,
    "consent.granted": _granted,
    "complaint.opened": _opened,
    "complaint.resolved": _resolved,
    "sms.received": _texted,
    "call.wrapped_up": _wrapped_up,
}
