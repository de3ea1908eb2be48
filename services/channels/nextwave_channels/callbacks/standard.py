"""Callbacks of whoever has no form of their own (dialler, print shop, mail gateway): Standard Webhooks, for any channel.

Facts: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.callbacks.evidence import Effect, Evidence, Posted, UnreadableError, WrongSignatureError, in_words, of_bounce
from nextwave_channels.delivery import EVIDENCE
from nextwave_channels.signatures import is_standard_webhook

Body = TypeVar("Body", bound=msgspec.Struct)

MAIL = {"mail.delivered": "delivered", "mail.bounced": "bounced", "mail.complained": "complained"}
"""Names of mail callbacks that are older than `delivery.<what>`, and mean the same."""
PREFIX = "delivery."
_REFUSALS: dict[str, Effect] = {"complained": "complained", "unsubscribed": "unsubscribed", "opted_out": "opted_out"}
_KINDS: dict[str, OutcomeKind] = {**{kind: kind for kind in EVIDENCE}, **dict.fromkeys(_REFUSALS, "refused")}


class Data(msgspec.Struct):
    """About which delivery (the action's id, or the provider's own), the sender's words, and of a bounce whether it is for good."""

    action_id: str = ""
    provider_id: str = ""
    detail: str = ""
    permanent: bool | None = None


class Event(msgspec.Struct):
    """The body."""

    type: str
    data: Data


@dataclass(frozen=True, slots=True)
class Standard:
    """`secrets`: `whsec_` and base64."""

    secrets: tuple[str, ...]
    body_max: int = 65_536

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`."""
        return [of_event(signed(posted, self.secrets, Event), posted.headers["webhook-id"])]


def signed(posted: Posted, secrets: Sequence[str], kind: type[Body]) -> Body:
    """The body, if one of the secrets signed it. Raises `WrongSignatureError` and `UnreadableError`."""
    fits = [is_standard_webhook(dict(posted.headers), posted.body, secret, posted.wall) for secret in secrets]
    if not any(fits):
        raise WrongSignatureError
    try:
        return msgspec.json.decode(posted.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise UnreadableError(f"the body is no callback: {wrong}") from wrong


def of_event(event: Event, event_id: str) -> Evidence | None:
    """The evidence of one event; None for other types. A bounce closes the address if it says so, or if its words have a code that does."""
    name = MAIL.get(event.type) or (event.type.removeprefix(PREFIX) if event.type.startswith(PREFIX) else "")
    data = event.data
    if name not in _KINDS:
        return None
    return Evidence(
        event_id=f"standard\0{event_id}",
        kind=_KINDS[name],
        action_id=data.action_id[:256],
        provider_id=data.provider_id[:200],
        effect=_closes(data) if name == "bounced" else _REFUSALS.get(name, ""),
        detail=in_words(data.detail),
    )


def _closes(data: Data) -> Effect:
    if data.permanent is not None:
        return "closed" if data.permanent else ""
    return of_bounce(data.detail)[1] if any(c.isdigit() for c in data.detail) else ""
