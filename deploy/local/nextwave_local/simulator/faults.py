"""The fault menu: which answer and which callbacks of a provider go wrong, and for whom; decided by seed, so a run can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from nextwave_local.simulator.draws import draw

AnswerFault = Literal[
    "refuse",
    "throttle",
    "unavailable",
    "accept_then_timeout",
    "accept_then_reset",
    "slow_first_byte",
    "slow_body",
    "half_open",
    "wrong_content_type",
    "truncated_json",
]
"""What can be wrong with an answer. `accept_then_*`: it is taken, and the caller never learns; `half_open`: not taken, no answer."""
CallbackFault = Literal[
    "callback_lost",
    "callback_duplicated",
    "callback_reordered",
    "callback_late",
    "callback_unsigned",
    "callback_wrong_key",
    "callback_unknown_id",
]
"""What can be wrong with the callbacks of one message."""
PersonFault = Literal["stop_after_accept", "bounce_after_delivered"]
"""What a person or their mail server does at a bad moment, whatever their habits."""

ANSWER_FAULTS: frozenset[str] = frozenset(get_args(AnswerFault))
TAKEN: frozenset[str] = ANSWER_FAULTS - {"refuse", "throttle", "unavailable", "half_open"}
"""Faults under which the provider has taken the message all the same."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the menu. `provider` is `twilio`, `smtp`, `sms`, `call`, `email` or `*`; an empty `recipient` means all."""

    kind: AnswerFault | CallbackFault | PersonFault
    provider: Literal["*", "twilio", "smtp", "sms", "call", "email"] = "*"
    recipient: str = ""
    share: float = 1.0
    seed: int = 0
    status: int = 0
    """HTTP or SMTP status of the answer; 0: the usual one."""
    code: int = 0
    """The provider's own error code; 0: the usual one."""
    seconds: float = 5.0
    """Wall seconds of Retry-After, slowness and time-outs."""
    hours: float = 48.0
    """Business hours of lateness."""
    as_date: bool = False
    """Retry-After as an HTTP date."""
    times: int = 2
    """How often a duplicated callback comes."""


class Menu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All faults in force; the first that applies to an answer is taken, and all that apply to callbacks."""

    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One request to a provider: the how-manieth for its action, from 0."""

    provider: str
    kind: str
    recipient: str
    action_id: str
    number: int


def of_answer(menu: Menu, attempt: Attempt) -> Fault | None:
    """What goes wrong with the answer to this attempt, if anything."""
    return next((fault for fault in menu.faults if fault.kind in ANSWER_FAULTS and _strikes(fault, attempt)), None)


def afterwards(menu: Menu, attempt: Attempt) -> dict[str, Fault]:
    """What goes wrong after the answer: callbacks and people, by kind."""
    return {fault.kind: fault for fault in menu.faults if fault.kind not in ANSWER_FAULTS and _strikes(fault, attempt)}


def _strikes(fault: Fault, attempt: Attempt) -> bool:
    if fault.provider not in ("*", attempt.provider, attempt.kind) or fault.recipient not in ("", attempt.recipient):
        return False
    return draw(fault.seed, fault.kind, attempt.action_id, attempt.number) < fault.share
