"""One message as a provider took it, what it costs, and where Nextwave hears of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape

from nextwave_local.simulator.faults import Kind, Provider

PRICES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("twilio", "sms"): ("0.0079", "USD"),
    ("twilio", "call"): ("0.0140", "USD"),
    ("httpsms", "sms"): ("0.0650", "EUR"),
    ("dialler", "call"): ("0.0900", "EUR"),
}
"""What one message costs as a rule: decimal amount and currency. What is not listed costs nothing."""
_LINK = re.compile(r"https?://[^\s\"'<>]+/([oru])/[\w.~=-]+")


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Where Nextwave listens, with what we show who we are, and what its callers must show. An empty URL: there is no such service here.

    `twilio_token` is also the bearer token of the dialler and of the second SMS provider, `mail_secret` signs their callbacks too, and
    `endpoint_secret` what Nextwave sends to the endpoints that are open from the start; empty: there are none.
    """

    ingest_url: str
    channels_url: str
    write_key: str
    twilio_account: str
    twilio_token: str
    mail_secret: str
    endpoint_secret: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message at its provider. `links` are those of ours found in it: `o` open, `r` click, `u` unsubscribe."""

    provider: Provider
    kind: Kind
    action_id: str
    to: str
    sender: str = ""
    sid: str = ""
    callback_url: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    price: str = ""
    """What it costs, decimal; empty: nothing, or it is not known yet."""

    @property
    def usual_price(self) -> str:
        """The price before any change."""
        return PRICES.get((self.provider, self.kind), ("", ""))[0]

    @property
    def currency(self) -> str:
        """The currency of its price."""
        return PRICES.get((self.provider, self.kind), ("", ""))[1]


def links_in(text: str, base: str) -> dict[str, str]:
    """The first link of each kind below `base`; others are not ours to follow."""
    found: dict[str, str] = {}
    for match in _LINK.finditer(unescape(text)):
        if base and match.group(0).startswith(f"{base}/"):
            found.setdefault(match.group(1), match.group(0))
    return found
