"""What a dialler's webhooks show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nextwave_channels.call_lists.entry import ABANDONED
from nextwave_channels.callbacks.dialler import DiallerCallbacks
from nextwave_channels.callbacks.evidence import Evidence, Posted, UnreadableError, WrongSignatureError
from nextwave_channels.signatures import standard_signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WALL = 1_767_000_000.0


async def read(body: bytes, secret: str = SECRET) -> Evidence | None:
    stamp = str(int(WALL))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{standard_signature(secret, 'msg_1', stamp, body)}",
    }
    posted = Posted(url="https://channels.example/v1/callbacks/dialler", query={}, headers=headers, body=body, wall=WALL)
    (found,) = await DiallerCallbacks((SECRET,)).read(posted)
    return found


def told(kind: str, **data: Any) -> bytes:
    return json.dumps(
        {"type": kind, "timestamp": "2026-03-02T12:00:00Z", "data": {"reference": "a1", "entry_id": "l/a1.1", **data}}
    ).encode()


@pytest.mark.parametrize(
    ("kind", "data", "shows"),
    [
        ("call.started", {}, "accepted"),
        ("call.answered", {}, "delivered"),
        ("call.ended", {"outcome": "answered", "answered_by": "human", "seconds": 40}, "answered"),
        ("call.ended", {"outcome": "answered", "answered_by": "machine_start"}, "no_answer"),
        ("call.ended", {"outcome": "busy"}, "busy"),
        ("call.ended", {"outcome": "no_answer"}, "no_answer"),
        ("call.ended", {"outcome": "abandoned"}, "no_answer"),
        ("call.ended", {"outcome": "refused"}, "refused"),
        ("call.ended", {"outcome": "expired"}, "failed"),
    ],
)
async def test_each_word_is_evidence_about_the_action_it_refers_to(kind: str, data: dict[str, Any], shows: str) -> None:
    found = await read(told(kind, **data))
    assert found is not None
    assert (found.kind, found.action_id, found.event_id, found.effect) == (shows, "a1", "dialler\0msg_1", "")


async def test_an_abandoned_call_is_known_from_one_that_nobody_took() -> None:
    abandoned, missed = [await read(told("call.ended", outcome=how)) for how in ("abandoned", "no_answer")]
    assert abandoned is not None
    assert missed is not None
    assert (abandoned.detail.startswith(ABANDONED), missed.detail.startswith(ABANDONED)) == (True, False)


async def test_who_tells_the_dialler_to_stop_is_called_no_more() -> None:
    found = await read(told("call.ended", outcome="opted_out"))
    assert found is not None
    assert (found.kind, found.effect, found.channel) == ("refused", "opted_out", "call")


@pytest.mark.parametrize("body", [told("call.ringing"), told("call.ended", outcome="levitated"), told("call.ended")])
async def test_other_words_say_nothing(body: bytes) -> None:
    assert await read(body) is None


async def test_a_wrong_signature_and_a_body_that_is_none_are_refused() -> None:
    with pytest.raises(WrongSignatureError):
        await read(told("call.started"), "whsec_" + "b" * 32)
    with pytest.raises(UnreadableError):
        await read(b"[]")
