"""An Amazon of tests: a certificate of its own, messages of SNS signed by the recipe of its documentation, and what SES says in them."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from nextwave_channels.http_port import NotSentError, Reply

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-central-1:123456789012:mails"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE_URL = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0"
PRIVATE = rsa.generate_private_key(65537, 2048)


def certificate(*, until: datetime = NOW + timedelta(days=365)) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(PRIVATE.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=365))
        .not_valid_after(until)
        .sign(PRIVATE, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def notice(kind: str = "Notification", version: str = "2", **changes: Any) -> dict[str, Any]:
    """A signed message; `changes` are made before it is signed."""
    message = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": "{}",
        "Timestamp": "2026-03-02T12:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **({} if kind == "Notification" else {"Token": "t0", "SubscribeURL": SUBSCRIBE_URL}),
        **changes,
    }
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    digest = SHA1() if version == "1" else SHA256()
    return {**message, "Signature": b64encode(PRIVATE.sign(text.encode(), padding.PKCS1v15(), digest)).decode()}


def said(event: dict[str, Any], **mail: Any) -> dict[str, Any]:
    """A notification with an event of SES about the action a1."""
    whole = {"mail": {"messageId": "ses-1", "tags": {"action_id": ["a1"]}, **mail}, **event}
    return notice(Message=json.dumps(whole))


@dataclass
class Web:
    """What can be fetched, and what was."""

    pages: dict[str, Reply] = field(default_factory=lambda: {CERTIFICATE_URL: Reply(status=200, body=certificate())})
    fetched: list[str] = field(default_factory=list)

    async def get(self, url: str) -> Reply:
        self.fetched.append(url)
        if url not in self.pages:
            raise NotSentError("ConnectError")
        return self.pages[url]
