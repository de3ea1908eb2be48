"""What lies in people's mailboxes and on their phones: the newest messages that providers took, for whoever wants to read one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

import msgspec

from nextwave_local.simulator.instants import written
from nextwave_local.simulator.message import Message

KEPT_BYTES_MAX = 4_000_000
SHOWN_HEADERS = ("From", "To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post")
SHOWN_MAX = 50
LINKS: Mapping[str, str] = {"u": "unsubscribe", "r": "click", "o": "open"}


@dataclass(frozen=True)
class Taken:
    """One message, as it was handed to its provider, and when (business time)."""

    message: Message
    raw: bytes
    at: datetime

    def shown(self) -> dict[str, Any]:
        """As a person sees it, and where the first link of each kind leads."""
        message = self.message
        return {
            "kind": message.kind,
            "provider": message.provider,
            "action_id": message.action_id,
            "to": message.to,
            "at": written(self.at),
            "links": {name: message.links[letter] for letter, name in LINKS.items() if letter in message.links},
            "content": READ_BY[message.provider](self.raw),
        }


class Inbox:
    """The newest messages of all that can be read here; of others the door of their provider tells (docs/channels.md)."""

    def __init__(self) -> None:
        self._taken: deque[Taken] = deque()
        self._bytes = 0

    def put(self, taken: Taken) -> None:
        """Keeps a message; the oldest go when there are too many bytes."""
        if taken.message.provider not in READ_BY:
            return
        self._taken.append(taken)
        self._bytes += len(taken.raw)
        while self._bytes > KEPT_BYTES_MAX:
            self._bytes -= len(self._taken.popleft().raw)

    def shown(self, to: str) -> list[dict[str, Any]]:
        """The newest first, at most `SHOWN_MAX`: those to an address or number, in any case of letters; to anybody where it is empty."""
        found = (one for one in reversed(self._taken) if to.casefold() in ("", one.message.to.casefold()))
        return [one.shown() for one in islice(found, SHOWN_MAX)]


def _mail(raw: bytes) -> str:
    mail = message_from_bytes(raw, policy=policy.default)
    text = mail.get_body(("plain", "html"))
    headers = [f"{name}: {mail[name]}" for name in SHOWN_HEADERS if name in mail]
    return "\n".join([*headers, "", str(text.get_content()) if text else ""])


def _form(raw: bytes) -> str:
    """A text's words; what a call is told to say."""
    form = parse_qs(raw.decode(errors="replace"))
    return form.get("Body", form.get("Twiml", [""]))[0]


def _json(raw: bytes) -> str:
    return str(msgspec.json.decode(raw)["text"])


READ_BY: Mapping[str, Callable[[bytes], str]] = {"smtp": _mail, "twilio": _form, "httpsms": _json}
"""By provider, how what it is handed is read."""
