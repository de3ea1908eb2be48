"""How messages become bytes: one JSON encoder and one cached decoder per type, so that every reader is equally tolerant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time that says its zone: one without cannot be compared with any other."""

encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
"""UTF-8 JSON of a message; times become RFC 3339 with zone, unset optional fields are left out."""


def decode(raw: bytes, kind: Any) -> Any:
    """A message of `kind` from JSON. Unknown fields are ignored. Raises `msgspec.DecodeError` or `msgspec.ValidationError`."""
    return _decoder(kind).decode(raw)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every wire type is: immutable, named fields only, tolerant of fields it does not know."""
