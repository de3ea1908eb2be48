"""What a provider's callback is and what it can show: the shapes that its readers share. Pure."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec
from nextwave_contracts import masking
from nextwave_contracts.outcomes import OutcomeKind

ACTION = "action_id"
"""The name under which our mails carry their action through a provider, in whatever way it passes names on."""

Effect = Literal["", "closed", "complained", "unsubscribed", "opted_out"]
"""What it does beside settling the delivery: the address takes nothing (`closed`, for every purpose), its owner called it spam
(`complained`: closed, and no more on the channel), wants no more of the purpose (`unsubscribed`) or of the channel (`opted_out`)."""
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_ABOUT_THE_MAIL = frozenset({"3", "6", "7"})
_FULL = frozenset({"2.2", "2.3", "2.4"})


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One event: about which delivery (the action's id, or the provider's), what it shows, and by what repeats are known (`event_id`).

    `address` and its `channel` are whom the provider wrote to; they count where the delivery is not known, and are never stored.
    """

    event_id: str
    kind: OutcomeKind
    action_id: str = ""
    provider_id: str = ""
    effect: Effect = ""
    channel: str = ""
    address: str = ""
    detail: str = ""


class Spent(msgspec.Struct, frozen=True):
    """An event that says nothing, but uses its id up: nothing else may come under it."""

    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A callback as it came. `url` is the public one, `headers` have lower-case names, `wall` is now (Unix seconds)."""

    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    wall: float


class Provider(Protocol):
    """How one provider's callbacks are verified and read."""

    @property
    def body_max(self) -> int:
        """Bytes of the largest body that is read."""

    async def read(self, posted: Posted) -> Sequence[Evidence | Spent | None]:
        """Its events, None for each that says nothing. Raises `WrongSignatureError`, `WrongSecretError` and `UnreadableError`."""


class WrongSignatureError(Exception):
    """It was not signed with our secret, or not lately."""


class WrongSecretError(Exception):
    """It did not bring our secret."""


class UnreadableError(Exception):
    """It is none of this provider's callbacks; the message says what is wrong."""


def brings_secret(authorization: str, secrets: Iterable[str]) -> bool:
    """Whether an Authorization header brings one of the secrets: as a Bearer token, or as a Basic password or `user:password`."""
    scheme, _, given = authorization.partition(" ")
    said = [given.strip()]
    if scheme.lower() == "basic":
        try:
            pair = b64decode(given.strip(), validate=True).decode()
        except ValueError:
            return False
        said = [pair, pair.partition(":")[2]]
    elif scheme.lower() != "bearer":
        return False
    pairs = [(one.encode(), secret.encode()) for one in said for secret in secrets]
    return any([hmac.compare_digest(one, secret) for one, secret in pairs])  # noqa: C419  (all are compared, in constant time)


def of_bounce(status: str) -> tuple[OutcomeKind, Effect]:
    """What a final bounce shows, by the enhanced status code (RFC 3463) or SMTP reply code in the provider's words.

    5.x.x is hard and closes the address, but for codes that speak of the mail or of the moment and not of the address: a full mailbox
    (5.2.2 to 5.2.4), the system (5.3), content and policy (5.6, 5.7). With those, and with 4.x.x, the delivery failed and no more.
    """
    enhanced = _STATUS.search(status)
    if enhanced is None:
        reply = _REPLY.search(status)
        return ("bounced", "closed") if reply is None or reply[1] == "5" else ("failed", "")
    kind, subject, detail = enhanced.groups()
    soft = kind != "5" or subject in _ABOUT_THE_MAIL or f"{subject}.{detail}" in _FULL
    return ("failed", "") if soft else ("bounced", "closed")


def in_words(*parts: object) -> str:
    """A provider's words as one short line without addresses: they end up in databases and reports."""
    return masking.in_words(" ".join(str(part) for part in parts if part))


def action_of_message_id(message_id: str) -> str:
    """The action that our Message-ID names (`<action@domain>`), or nothing."""
    return message_id.strip().strip("<>").partition("@")[0][:256]


def as_object(value: object) -> Mapping[str, Any]:
    """A JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    """A JSON text or whole number as text, nothing for anything else; at most 1,000 characters."""
    return str(value)[:1000] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def decode_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body. Raises `UnreadableError`."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise UnreadableError(f"the body is no JSON object: {wrong}") from wrong
