"""Touchpoints in which customers write to us in their own words: by which channel, and where the words stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from nextwave_contracts.actions import Channel

CHANNEL_OF: Mapping[str, str] = {
    "sms.received": "sms",
    "email.received": "email",
    "email.auto_replied": "email",
    "chat.message_received": "chat",
    "message.left": "",
}
"""By type of touchpoint the channel that is stopped by a stop in it; empty: all, since no channel of ours answers on a message board.

A machine's mail stops only by a word alone: mail programs unsubscribe for people (RFC 2369)."""
TEXT_FIELDS: tuple[str, ...] = ("body", "text", "message", "message_body")
"""Fields of the data that may have the words, the first one present counts."""


_CHANNELS: frozenset[str] = frozenset(get_args(Channel))


def words_in(data: Mapping[str, Any]) -> str:
    """What was written, or nothing."""
    return next((value for field in TEXT_FIELDS if isinstance(value := data.get(field), str) and value.strip()), "")


def stopped_channel(kind: str, data: Mapping[str, Any]) -> str:
    """The channel that a stop said in this touchpoint is about; empty: all. The door has noted `everywhere` where all was meant."""
    return "" if data.get("everywhere") is True else CHANNEL_OF.get(kind, "")


def refused_channel(data: Mapping[str, Any]) -> str:
    """The channel from which a review's verdict withdraws: that of the review where it names none; empty (all) where it is none of ours."""
    channel = data.get("channel") or str(data.get("reference", "")).partition("-")[0]
    return channel if isinstance(channel, str) and channel in _CHANNELS else ""
