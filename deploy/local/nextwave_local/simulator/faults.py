"""The fault menu: which answer and which callbacks of a provider go wrong, and for whom; decided by seed, so a run can be repeated."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from nextwave_local.simulator.draws import draw

Provider = Literal["twilio", "smtp", "push", "dialler", "webhook", "httpsms"]
Kind = Literal["email", "sms", "call", "webpush", "webhook"]
"""What is carried; the same words as the channels' names."""
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
PriceFault = Literal["price_changes"]
"""The provider charges another price than the day before."""

ANSWER_FAULTS: frozenset[str] = frozenset(get_args(AnswerFault))
TAKEN: frozenset[str] = ANSWER_FAULTS - {"refuse", "throttle", "unavailable", "half_open"}
"""Faults under which the provider has taken the message all the same."""
CARRIERS: dict[str, frozenset[str]] = {
    "twilio": frozenset({"sms", "call"}),
    "smtp": frozenset({"email"}),
    "push": frozenset({"webpush"}),
    "dialler": frozenset({"call"}),
    "webhook": frozenset({"webhook"}),
    "httpsms": frozenset({"sms"}),
}
"""What each provider carries."""
_CALLING_BACK = frozenset({"sms", "call", "email"})
_STRIKES_AT: dict[str, frozenset[str]] = {
    **dict.fromkeys(get_args(CallbackFault), _CALLING_BACK),
    "stop_after_accept": frozenset({"sms"}),
    "bounce_after_delivered": frozenset({"email"}),
    "price_changes": frozenset({"sms", "call"}),
}
"""Faults that only some kinds of message can have; all others strike everywhere."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the menu. `provider` is a provider, a kind of message or `*`; an empty `recipient` means all.

    Raises `ValueError` for a fault that could never strike where it is put.
    """

    kind: AnswerFault | CallbackFault | PersonFault | PriceFault
    provider: Literal["*"] | Provider | Kind = "*"
    recipient: str = ""
    share: Annotated[float, Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    status: int = 0
    """HTTP or SMTP status of a refusal, 300 to 599; 0: the usual one."""
    code: int | str = 0
    """The provider's own error code; 0: the usual one."""
    temporary: bool = False
    """A refusal that passes, by the provider's usual temporary code, where `status` and `code` do not say another."""
    seconds: Annotated[float, Meta(ge=0, le=600)] = 5.0
    """Wall seconds of Retry-After, slowness and time-outs."""
    hours: Annotated[float, Meta(ge=0, le=8760)] = 48.0
    """Business hours of lateness."""
    as_date: bool = False
    """Retry-After as an HTTP date."""
    times: Annotated[int, Meta(ge=2, le=100)] = 2
    """How often a duplicated callback comes."""
    key: str = ""
    """What wrongly signed callbacks are signed with, for instance the key before the last rotation; empty: one that was never in use."""
    price: Annotated[str, Meta(pattern=r"^\d{1,6}(\.\d{1,6})?$")] = "0.1500"
    """What one message costs from now on, in the provider's currency."""

    def __post_init__(self) -> None:
        if self.status and not 300 <= self.status <= 599:
            raise ValueError(f"status {self.status} is no refusal: write 300 to 599, or 0 for the provider's usual one")
        possible = _STRIKES_AT.get(self.kind)
        carried = CARRIERS.get(self.provider, frozenset({self.provider}))
        if possible and self.provider != "*" and not possible & carried:
            raise ValueError(
                f"{self.kind} can never happen at provider {self.provider!r}: write '*' or one of {', '.join(sorted(possible))}"
            )
        if self.key and self.kind != "callback_wrong_key":
            raise ValueError(f"key is only used by callback_wrong_key: leave it out of {self.kind}")
        if self.key.startswith("whsec_"):
            _decoded(self.key)


class Menu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All faults in force; the first that applies to an answer is taken, and all that apply to callbacks."""

    faults: Annotated[tuple[Fault, ...], Meta(max_length=1000)] = ()


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
    """What goes wrong after the answer: callbacks, people and prices, by kind."""
    return {fault.kind: fault for fault in menu.faults if fault.kind not in ANSWER_FAULTS and _strikes(fault, attempt)}


def _decoded(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("key is no Standard Webhooks secret: write whsec_ and base64, or Twilio's token") from None


def _strikes(fault: Fault, attempt: Attempt) -> bool:
    if fault.provider not in ("*", attempt.provider, attempt.kind) or fault.recipient not in ("", attempt.recipient):
        return False
    return draw(fault.seed, fault.kind, attempt.action_id, attempt.number) < fault.share
