"""Amazon SES's events through SNS: what SNS signs, which URLs of it may be fetched, and what SES says in it.

Facts: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from nextwave_contracts.outcomes import OutcomeKind
from nextwave_contracts.signed_lately import SIGNED_SECONDS

from nextwave_channels.callbacks.evidence import (
    ACTION,
    Effect,
    Evidence,
    UnreadableError,
    as_object,
    as_text,
    decode_object,
    in_words,
    of_bounce,
)

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z]{2}(?:-[a-z]{2,10}){1,3}-\d{1,2}):\d{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem", re.ASCII)
_NOTIFIED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIMPLE: Mapping[str, tuple[OutcomeKind, Effect]] = {
    "Send": ("accepted", ""),
    "Delivery": ("delivered", ""),
    "Open": ("opened", ""),
    "Click": ("clicked", ""),
    "Complaint": ("refused", "complained"),
    "Reject": ("failed", ""),
    "Rendering Failure": ("failed", ""),
}
_RECIPIENTS = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}


class Notice(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One message of SNS."""

    type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    signature: str
    signature_version: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subscribe_url: str = msgspec.field(name="SubscribeURL", default="")
    subject: str | None = None
    token: str = ""


def read_notice(body: bytes) -> Notice:
    """The SNS message in a body. Raises `UnreadableError`."""
    try:
        return msgspec.json.decode(body, type=Notice)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise UnreadableError(f"the body is no message of SNS: {wrong}") from wrong


def region_of(topic: str) -> str:
    """The region in a topic's ARN. Raises `ValueError`."""
    read = _TOPIC.fullmatch(topic)
    if read is None:
        raise ValueError(f"{topic!r} is no ARN of an SNS topic (arn:aws:sns:<region>:<account>:<name>)")
    return read[1]


def may_fetch(url: str, region: str, *, certificate: bool) -> bool:
    """Whether a URL in a message leads to the SNS of a region: https, its own host, no port, no user; a certificate by its name."""
    host = f"sns.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.netloc == host and not parts.fragment
    except ValueError:
        return False
    if certificate:
        return plain and not parts.query and _CERTIFICATE.fullmatch(parts.path) is not None
    return plain and parts.path in {"", "/"} and url.isascii() and url.isprintable()


def is_from_sns(notice: Notice, certificate: bytes, wall: float) -> bool:
    """Whether the certificate's key signed the message, while it was valid, and at most a day from now."""
    try:
        read = x509.load_pem_x509_certificate(certificate)
        at = datetime.fromisoformat(notice.timestamp)
        key, signature = read.public_key(), b64decode(notice.signature, validate=True)
        if not isinstance(key, RSAPublicKey) or abs(wall - at.timestamp()) > SIGNED_SECONDS:
            return False
        if not read.not_valid_before_utc <= datetime.fromtimestamp(wall, UTC) <= read.not_valid_after_utc:
            return False
        key.verify(signature, signed_text(notice).encode(), PKCS1v15(), {"1": SHA1(), "2": SHA256()}[notice.signature_version])  # noqa: S303  (version 1 is SNS's default)
    except (InvalidSignature, binascii.Error, ValueError, KeyError, OverflowError):
        return False
    return True


def signed_text(notice: Notice) -> str:
    """The names and values that are signed, each on a line of its own."""
    values = msgspec.to_builtins(notice)
    names = _NOTIFIED if notice.type == "Notification" else _CONFIRMED
    return "".join(f"{name}\n{values[name]}\n" for name in names if values.get(name) is not None)


def of_notice(notice: Notice) -> Sequence[Evidence | None]:
    """What SES says in a notification: one piece of evidence, since each of our mails has one recipient."""
    event = decode_object(notice.message.encode())
    mail = as_object(event.get("mail"))
    name = as_text(event.get("eventType")) or as_text(event.get("notificationType"))
    said = _bounce(as_object(event.get("bounce"))) if name == "Bounce" else _SIMPLE.get(name)
    if said is None:
        return [None]
    kind, effect = said
    return [
        Evidence(
            event_id=f"ses\0{notice.message_id}",
            kind=kind,
            action_id=_action(mail),
            provider_id=as_text(mail.get("messageId")),
            effect=effect,
            channel="email",
            address=_address(name, event),
            detail=in_words(name, *_words(event)),
        )
    ]


def _bounce(bounce: Mapping[str, Any]) -> tuple[OutcomeKind, Effect]:
    if bounce.get("bounceType") != "Permanent":
        return "failed", ""
    if bounce.get("bounceSubType") == "UnsubscribedRecipient":
        return "failed", "unsubscribed"
    return of_bounce(as_text(_first(bounce.get("bouncedRecipients")).get("status")))


def _action(mail: Mapping[str, Any]) -> str:
    """By the tag that our mails carry, or by their header where SES repeats headers."""
    tagged = as_object(mail.get("tags")).get(ACTION)
    if isinstance(tagged, list) and tagged:
        return as_text(tagged[0])
    listed = mail.get("headers")
    headers = [as_object(one) for one in listed] if isinstance(listed, list) else []
    return next((as_text(one.get("value")) for one in headers if as_text(one.get("name")).lower() == "x-nextwave-action"), "")


def _address(name: str, event: Mapping[str, Any]) -> str:
    recipients = as_object(event.get(name.lower())).get(_RECIPIENTS.get(name, ""))
    return as_text(_first(recipients).get("emailAddress"))


def _words(event: Mapping[str, Any]) -> tuple[str, ...]:
    bounce = as_object(event.get("bounce"))
    return (
        as_text(bounce.get("bounceSubType")),
        as_text(_first(bounce.get("bouncedRecipients")).get("diagnosticCode")),
        as_text(as_object(event.get("complaint")).get("complaintFeedbackType")),
        as_text(as_object(event.get("reject")).get("reason")),
    )


def _first(listed: object) -> Mapping[str, Any]:
    return as_object(listed[0]) if isinstance(listed, list) and listed else {}
