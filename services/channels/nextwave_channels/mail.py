"""A contact as a MIME message: text and HTML, one-click unsubscribe (RFC 8058), tracked links and an open pixel. Pure.

It carries its action wherever an answer may come from: in a header, as its Message-ID, in its return path, and in the words of the
provider that it goes through.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from nextwave_contracts.actions import Contact
from nextwave_contracts.links import Link, sign

from nextwave_channels.dkim import Signer

_HREF = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(?:"(https?://[^"]*)"|'(https?://[^']*)')""", re.IGNORECASE)
_TEXT_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_POLICY = SMTP.clone(max_line_length=998, cte_type="7bit")  # the shorter default would encode the words of a long List-Unsubscribe header
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Everything that some reader takes for the end of a line, and the rest of the control characters."""


ACTION_HEADER = "X-Nextwave-Action"
LOCAL_PART_MAX = 64
"""Characters before the @ (RFC 5321)."""
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)

MailProvider = Literal["", "sendgrid", "mailgun", "postmark", "ses"]
_TOLD: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "sendgrid": lambda action_id: ("X-SMTPAPI", json.dumps({"unique_args": {"action_id": action_id}})),
    "mailgun": lambda action_id: ("X-Mailgun-Variables", json.dumps({"action_id": action_id})),
    "postmark": lambda action_id: ("X-PM-Metadata-action_id", action_id),
    "ses": lambda action_id: ("X-SES-MESSAGE-TAGS", f"action_id={action_id}"),
}
"""The header by which each provider is told what to name in its callbacks; it takes the header out of the mail."""
REWRITTEN: Mapping[MailProvider, frozenset[str]] = {"ses": frozenset({"date", "message-id"})}
"""Headers that a provider writes anew, whatever we wrote. Source: https://docs.aws.amazon.com/ses/latest/dg/header-fields.html."""


class UnsendableError(ValueError):
    """The contact can never be a mail: its address or subject is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What all our mails share: the sender, the public base of links, and the key that signs them.

    `provider` is whose SMTP server takes them; `bounces` the mailbox to which undeliverable ones return (empty: the
    sender); `signer` signs them for the sender's domain.
    """

    sender: str
    links_url: str
    key: bytes
    provider: MailProvider = ""
    bounces: str = ""
    signer: Signer | None = None

    @property
    def address(self) -> str:
        """The bare address of the sender."""
        return address_of(self.sender)

    @property
    def domain(self) -> str:
        """The sender's domain."""
        return self.address.rpartition("@")[2]

    def link(self, kind: str, contact: Contact, target: str = "") -> str:
        """The link `/{kind}/{token}`: `u` unsubscribes, `r` leads to `target`, `o` is the pixel."""
        link = Link(
            customer_id=contact.customer_id,
            channel=contact.channel,
            purpose=contact.purpose,
            action_id=contact.action_id,
            target=target,
        )
        return f"{self.links_url.rstrip('/')}/{kind}/{sign(link, self.key)}"


def compose(contact: Contact, letterhead: Letterhead, written_at: datetime) -> EmailMessage:
    """The message. Its Message-ID is the action's, so that a provider may recognise it. Raises `UnsendableError`."""
    message = EmailMessage(policy=_POLICY)
    unsubscribe = letterhead.link("u", contact)
    headers: dict[str, str | Address] = {
        "From": letterhead.sender,
        "To": recipient(contact.address),
        "Subject": contact.content.subject,
        "Date": format_datetime(written_at),
        "Message-ID": f"<{contact.action_id}@{letterhead.domain}>",
        ACTION_HEADER: contact.action_id,
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    if letterhead.provider:
        headers.update([_TOLD[letterhead.provider](contact.action_id)])
    for name, value in headers.items():
        if _CONTROL.search(str(value)):
            raise UnsendableError(f"control character in the {name} header")
        message[name] = value
    page = contact.content.html
    message.set_content(contact.content.text if page else track_text(contact, letterhead))
    if page:
        message.add_alternative(track_page(contact, letterhead), subtype="html")
    return message


def return_path(contact: Contact, letterhead: Letterhead) -> str:
    """The envelope's sender: the bounce mailbox with the action after a plus where it fits, or the bare address of the sender."""
    if not letterhead.bounces:
        return letterhead.address
    local, _, domain = letterhead.bounces.rpartition("@")
    named = f"{local}+{contact.action_id}"
    fits = len(named) <= LOCAL_PART_MAX and _PLAIN_ID.fullmatch(contact.action_id) is not None
    return f"{named if fits else local}@{domain}"


def address_of(sender: str) -> str:
    """The bare address of `Name <address>` or `address`."""
    return sender.rpartition("<")[2].rstrip("> ")


def action_of_return_path(written: str) -> str:
    """The action in a return path, or nothing."""
    return written.rpartition("<")[2].partition("@")[0].partition("+")[2]


def recipient(address: str) -> Address:
    """Exactly one mail address. Raises `UnsendableError` for anything else."""
    if _CONTROL.search(address) or not address.isascii():
        raise UnsendableError("control or non-ASCII character in the address")
    try:
        parsed = Address(addr_spec=address)
    except (ValueError, IndexError, MessageError) as wrong:
        raise UnsendableError("this is no single mail address") from wrong
    if not parsed.username or not parsed.domain:
        raise UnsendableError("this is no single mail address")
    return parsed


def track_page(contact: Contact, letterhead: Letterhead) -> str:
    """The HTML with every web link led through `/r/`, and the pixel at its end."""

    def lead(match: re.Match[str]) -> str:
        target = html.unescape(match[2] or match[3])
        return f'{match[1]}"{html.escape(_through(target, contact, letterhead))}"'

    page = _HREF.sub(lead, contact.content.html)
    pixel = f'<img src="{html.escape(letterhead.link("o", contact))}" width="1" height="1" alt="">'
    end = _BODY_END.search(page)
    return page + pixel if end is None else page[: end.start()] + pixel + page[end.start() :]


def track_text(contact: Contact, letterhead: Letterhead) -> str:
    """The text of a mail without HTML, with every web link led through `/r/`."""
    return _TEXT_URL.sub(lambda match: _through(match[0], contact, letterhead), contact.content.text)


def _through(target: str, contact: Contact, letterhead: Letterhead) -> str:
    ours = target.startswith(letterhead.links_url.rstrip("/") + "/")
    return target if ours else letterhead.link("r", contact, target)
