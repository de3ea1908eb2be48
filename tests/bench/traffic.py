"""What the benchmark posts: whole HTTP requests as bytes, of the size and shape that analytics libraries send."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

Call = dict[str, Any]
BATCH = 100


@dataclass(frozen=True)
class Door:
    """Where to post, and with which write key."""

    url: str
    write_key: str

    @property
    def host(self) -> str:
        """The host name."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port."""
        return urlsplit(self.url).port or 80

    def request(self, path: str, content: object, media_type: str = "application/json") -> bytes:
        """One POST on a connection that is kept."""
        body = json.dumps(content, separators=(",", ":")).encode()
        credentials = b64encode(f"{self.write_key}:".encode()).decode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\nuser-agent: bench\r\nauthorization: Basic {credentials}\r\n"
            f"content-type: {media_type}\r\nx-write-key: {self.write_key}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def singles(self, calls: Iterable[Call], path: str = "/v1/track") -> list[bytes]:
        """Each track call in a request of its own."""
        return [self.request(path, call) for call in calls]

    def batches(self, calls: Iterable[Call], path: str = "/v1/batch") -> list[bytes]:
        """A hundred calls a request."""
        return [self.request(path, {"batch": some, "sentAt": some[-1].get("sentAt")}) for some in _hundreds(calls)]

    def sign_ups(self, customers: Sequence[str], at: datetime) -> list[bytes]:
        """An identify call and a consent to marketing e-mail for each customer, in batches."""
        events = [_consent(customer) for customer in customers]
        consents = [self.request("/v1/touchpoints", some, "application/cloudevents-batch+json") for some in _hundreds(events)]
        return [*self.batches(_identify(customer, at) for customer in customers), *consents]


def names(count: int) -> list[str]:
    """The `customer_id`s of the customers."""
    return [f"bench-{number:06d}" for number in range(count)]


def views(run: str, customers: Sequence[str], count: int, at: datetime) -> list[Call]:
    """Views of products, by the customers in turn; message ids begin with `run`."""
    return [track(f"{run}-{n}", customers[n % len(customers)], "Product Viewed", at) for n in range(count)]


def track(name: str, customer: str, event: str, at: datetime) -> Call:
    """A track call with message id `name`."""
    number = sum(name.encode())
    return {
        "type": "track",
        "messageId": name,
        "userId": customer,
        "event": event,
        "timestamp": at.isoformat(),
        "sentAt": at.isoformat(),
        "properties": {
            "product_id": f"507f1f77bcf86cd7994390{number % 100:02d}",
            "sku": f"G-{number % 1000}",
            "category": "Winter Tires",
            "name": "Nordic 205/55 R16",
            "price": 89.9,
            "quantity": 1 + number % 4,
            "url": f"https://shop.example.com/tires/{number % 1000}",
        },
        "context": {"library": {"name": "analytics.js", "version": "2.11.1"}, "locale": "en-GB", "ip": "198.51.100.7"},
    }


def _identify(customer: str, at: datetime) -> Call:
    traits = {"email": f"{customer}@example.com", "timezone": "Etc/UTC", "address": {"country": "GB"}, "first_name": "Ann", "plan": "plus"}
    stamps = {"timestamp": at.isoformat(), "sentAt": at.isoformat()}
    return {"type": "identify", "messageId": f"{customer}-known", "userId": customer, "traits": traits, **stamps}


def _consent(customer: str) -> Call:
    data = {"identifiers": [f"customer_id:{customer}"], "channel": "email", "purpose": "marketing"}
    return {"specversion": "1.0", "id": f"{customer}-agreed", "source": "bench", "type": "consent.granted", "data": data}


def _hundreds(calls: Iterable[Call]) -> Iterator[list[Call]]:
    remaining = iter(calls)
    while some := list(islice(remaining, BATCH)):
        yield some
