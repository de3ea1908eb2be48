"""A contact as a MIME message: text and HTML, one-click unsubscribe (RFC 8058), tracked links and an open pixel. Pure."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from nextwave_contracts.actions import Contact
from nextwave_contracts.links import Link, sign

_HREF = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(?:"(https?://[^"]*)"|'(https?://[^']*)')""", re.IGNORECASE)
_TEXT_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_POLICY = SMTP.clone(max_line_length=998)  # the shorter default would encode the words of a long List-Unsubscribe header
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Everything that some reader takes for the end of a line, and the rest of the control characters."""


class UnsendableError(ValueError):
    """The contact can never be a mail: its address or subject is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What all our mails share: the sender, the public base of links, and the key that signs them."""

    sender: str
    links_url: str
    key: bytes

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
    headers = {
        "From": letterhead.sender,
        "To": recipient(contact.address),
        "Subject": contact.content.subject,
        "Date": format_datetime(written_at),
        "Message-ID": f"<{contact.action_id}@{letterhead.sender.rpartition('@')[2].strip('> ')}>",
        "X-Nextwave-Action": contact.action_id,
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    for name, value in headers.items():
        if _CONTROL.search(str(value)):
            raise UnsendableError(f"control character in the {name} header")
        message[name] = value
    page = contact.content.html
    message.set_content(contact.content.text if page else track_text(contact, letterhead))
    if page:
        message.add_alternative(track_page(contact, letterhead), subtype="html")
    return message


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
