"""Words that come without an id and a time: what tells them from the same ones sent again, and what they may do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_ingest.mappings.document import read
from unit.ingest.fakes import Stand, stand

ROUTES: dict[str, dict[str, Any]] = {
    "sms-gateway": {"from": "+491711234567", "to": "1234"},
    "chat": {"event": "message", "customer": {"id": "7"}},
    "message-board": {"author": {"id": "7"}},
}


@pytest.fixture
def door(tmp_path: Path) -> Stand:
    return stand(tmp_path)


async def said(door: Stand, mapping: str, *texts: str, **more: Any) -> list[Touchpoint]:
    """What becomes of the texts, each five seconds after the one before."""
    for text in texts:
        door.clock.instant += timedelta(seconds=5)
        answer = await door.post(f"/v1/inbound/shop/{mapping}", ROUTES[mapping] | {"text": text} | more)
        assert answer.json() == {"accepted": 1, "ignored": 0, "rejected": []}
    return door.committer.touchpoints[-len(texts) :]


def held(door: Stand) -> list[str]:
    return [hold.kind for hold in door.committer.holds]


@pytest.mark.parametrize("mapping", ["sms-gateway", "chat"])
async def test_a_start_that_is_repeated_lifts_no_stop_said_after_it(door: Stand, mapping: str) -> None:
    start, stop, again = await said(door, mapping, "START", "STOP", "START")
    assert held(door) == ["opt_out"]
    assert (start.id, start.data) == (again.id, again.data)
    assert ("wish" in start.data, stop.data["wish"]) == (False, "opt_out")


@pytest.mark.parametrize("told", [{"id": "m-1"}, {"received_at": "2026-11-22T09:00:00Z", "at": "2026-11-22T09:00:00Z"}])
@pytest.mark.parametrize("mapping", ["sms-gateway", "chat"])
async def test_a_start_with_an_id_or_a_time_grants(door: Stand, mapping: str, told: dict[str, str]) -> None:
    first, again = await said(door, mapping, "START", "START", **told)
    assert first.id == again.id
    assert held(door) == ["opt_in", "opt_in"]


@pytest.mark.parametrize("mapping", ROUTES)
async def test_what_stops_nothing_is_the_same_however_often_it_is_sent(door: Stand, mapping: str) -> None:
    for text in ("HELP", "What a nice offer"):
        first, again = await said(door, mapping, text, text)
        assert first.id == again.id
    assert held(door) == []


@pytest.mark.parametrize(("text", "kind"), [("STOP", "opt_out"), ("leave me alone", "review")])
@pytest.mark.parametrize("mapping", ROUTES)
async def test_what_stops_is_another_stop_each_time(door: Stand, mapping: str, text: str, kind: str) -> None:
    for more in ({}, {"received_at": "yesterday", "at": "yesterday"}):
        first, again = await said(door, mapping, text, text, **more)
        assert first.id != again.id
    first_hold, *_, last_hold = door.committer.holds
    assert (held(door), first_hold.id == last_hold.id) == ([kind] * 4, False)
    assert kind == "opt_out" or first_hold.reference != last_hold.reference


WITHDRAWAL = b"""
name: consents
touchpoints: [{type: $.type, identifiers: {phone: $.p}, data: {channel: sms, purpose: marketing}, occurred_at: $.at}]
"""


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/inbound/shop/consents", {"type": "consent.withdrawn", "p": "+491711234567"}),
        ("/v1/inbound/shop/consents", {"type": "consent.withdrawn", "p": "+491711234567", "at": "yesterday"}),
        ("/v1/track", {"event": "Unsubscribed", "userId": "7"}),
        ("/v1/track", {"event": "Unsubscribed", "userId": "7", "timestamp": "yesterday"}),
        ("/v1/batch", {"batch": [{"type": "track", "event": "Unsubscribed", "userId": "7"}], "sentAt": "2026-11-22T09:00:00Z"}),
        ("/v1/track", {"event": "Live Chat Message Sent", "userId": "7", "properties": {"text": "STOP"}}),
    ],
)
async def test_a_withdrawal_without_id_and_time_is_another_one_each_time_by_any_door(door: Stand, path: str, body: dict[str, Any]) -> None:
    door.mappings.library.lay("consents", read(WITHDRAWAL))
    for _ in range(2):
        await door.post(path, body)
        door.clock.instant += timedelta(seconds=5)
    assert (held(door), len({hold.id for hold in door.committer.holds})) == (["opt_out"] * 2, 2)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/inbound/shop/consents", {"type": "consent.withdrawn", "p": "+491711234567", "at": "2026-11-22T09:00:00Z"}),
        ("/v1/inbound/shop/consents", {"type": "consent.granted", "p": "+491711234567"}),
        ("/v1/inbound/shop/consents", {"type": "complaint.opened", "p": "+491711234567"}),
        ("/v1/track", {"event": "Unsubscribed", "userId": "7", "messageId": "m"}),
        ("/v1/track", {"event": "Unsubscribed", "userId": "7", "timestamp": "2026-11-22T09:00:00Z"}),
        ("/v1/track", {"event": "Support Ticket Created", "userId": "7"}),
    ],
)
async def test_what_has_an_id_or_a_time_and_whatever_withdraws_nothing_is_the_same_each_time(
    door: Stand, path: str, body: dict[str, Any]
) -> None:
    door.mappings.library.lay("consents", read(WITHDRAWAL))
    for _ in range(2):
        await door.post(path, body)
        door.clock.instant += timedelta(seconds=5)
    assert (len(door.committer.holds), len({hold.id for hold in door.committer.holds})) == (2, 1)
