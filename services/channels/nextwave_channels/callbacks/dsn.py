"""Mails that come back to a bounce mailbox: delivery status notifications (RFC 3464) and abuse reports (RFC 5965).

The mailbox takes mail from anybody, so a report counts only for a delivery that it names, and only about that delivery's address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.callbacks.evidence import (
    Effect,
    Evidence,
    Posted,
    UnreadableError,
    WrongSecretError,
    action_of_message_id,
    brings_secret,
    in_words,
    of_bounce,
)
from nextwave_channels.mail import ACTION_HEADER, action_of_return_path

PARSED_MAX = 131_072
"""Bytes that are looked at: the report comes first, the returned mail's own body is of no use."""
PARTS_MAX = 50
RECIPIENTS_MAX = 20


@dataclass(frozen=True, slots=True)
class Dsn:
    """`secrets`: what the mailbox's pipe brings, Bearer or Basic."""

    secrets: tuple[str, ...]
    body_max: int = 2_097_152

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`. The body is the mail as it came (`message/rfc822`), or its `multipart/report` with that type in the request."""
        if not brings_secret(posted.headers.get("authorization", ""), self.secrets):
            raise WrongSecretError
        kind = posted.headers.get("content-type", "")
        head = f"Content-Type: {kind}\r\n\r\n".encode() if kind.lower().startswith("multipart/") else b""
        return [of_mail(head + posted.body[:PARSED_MAX])]


def of_mail(raw: bytes) -> Evidence | None:
    """What a returned mail shows; None for one that only says that the mail is late. Raises `UnreadableError` for one that is no report."""
    if raw.lower().count(b"boundary=") > PARTS_MAX:
        raise UnreadableError("the mail has too many parts")
    try:
        mail = BytesParser(policy=compat32).parsebytes(raw)
        parts = {part.get_content_type(): part for part in reversed(list(mail.walk()))}
    except (ValueError, LookupError, RecursionError, AttributeError, TypeError) as wrong:
        raise UnreadableError(f"the mail cannot be read: {type(wrong).__name__}") from wrong
    said = _complaint(parts.get("message/feedback-report")) or _failure(parts.get("message/delivery-status"))
    if said is None:
        raise UnreadableError("the mail is no report: it has no part message/delivery-status or message/feedback-report")
    kind, effect, detail = said
    if kind is None:
        return None
    action_id = _action(mail, parts.values())
    key = hashlib.blake2b(f"{action_id}\0{kind}\0{detail}".encode(), digest_size=12).hexdigest()
    return Evidence(event_id=f"dsn\0{key}", kind=kind, action_id=action_id, effect=effect, channel="email", detail=detail)


def _failure(report: Message | None) -> tuple[OutcomeKind | None, Effect, str] | None:
    """The first recipient that was given up, or to whom it was delivered; mails of ours have one recipient."""
    if report is None:
        return None
    for fields in _groups(report):
        action, status = _field(fields, "action").lower(), _field(fields, "status")
        detail = in_words(action, status, _field(fields, "diagnostic-code"))
        if action == "failed":
            return (*of_bounce(status), detail)
        if action == "delivered":
            return "delivered", "", detail
    return None, "", ""


def _complaint(report: Message | None) -> tuple[OutcomeKind | None, Effect, str] | None:
    if report is None:
        return None
    fields = next(_groups(report), report)
    kind = _field(fields, "feedback-type").lower()
    return ("refused", "complained", "abuse report") if kind in {"abuse", "fraud"} else (None, "", "")


def _groups(report: Message) -> Iterator[Message]:
    """The groups of fields of a report: the parser makes each a message; one that it took for text is parsed again."""
    payload = report.get_payload()
    if isinstance(payload, list):
        yield from (part for part in payload[: RECIPIENTS_MAX + 1] if isinstance(part, Message))
    elif isinstance(payload, str):
        blocks = payload.replace("\r\n", "\n").split("\n\n")[: RECIPIENTS_MAX + 1]
        yield from (BytesParser(policy=compat32).parsebytes(block.lstrip("\n").encode(errors="replace")) for block in blocks)


def _action(mail: Message, parts: Iterable[Message]) -> str:
    """Named by the returned mail's own header, by its Message-ID, or by the return path to which the report was sent."""
    texts = [part for part in parts if part.get_content_type() in {"message/rfc822", "text/rfc822-headers", "message/global-headers"}]
    returned = [inner for part in texts for inner in _inner(part)]
    named = next((_field(one, ACTION_HEADER) for one in returned if _field(one, ACTION_HEADER)), "")
    by_message_id = next((_field(one, "message-id") for one in returned if _field(one, "message-id")), "")
    return (named or action_of_message_id(by_message_id) or action_of_return_path(_field(mail, "to")))[:256]


def _inner(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))
    elif isinstance(payload, str):
        yield BytesParser(policy=compat32).parsebytes(payload.encode(errors="replace"))


def _field(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())[:1000]
