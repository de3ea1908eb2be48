"""The push service and its browsers: only what is addressed, signed and encrypted as the RFCs say is taken, and it can be read."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nextwave_local.simulator.browser import Keys, NotOpenedError, padless, point, unpadded
from nextwave_local.simulator.world import World
from unit.local.simulated import planned, rows

SENDER = ec.generate_private_key(ec.SECP256R1())
TEXT = '{"title":"Renew","action_id":"act-1","url":"http://ingest/r/tok.en"}'


def vapid(**changes: Any) -> str:
    claims = {"aud": "http://simulator", "exp": int(time.time()) + 3600, "sub": "mailto:us@example.com", **changes}
    head, body = (padless(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(SENDER.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
    return f"vapid t={head}.{body}.{padless(r.to_bytes(32) + s.to_bytes(32))}, k={padless(point(SENDER.public_key()))}"


def encrypted(text: str, keys: dict[str, str], pad: bytes = b"\x02") -> bytes:
    """RFC 8291 from the sender's side, in one record."""
    ours, theirs, salt = ec.generate_private_key(ec.SECP256R1()), unpadded(keys["p256dh"]), os.urandom(16)
    public = point(ours.public_key())
    shared = ours.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    secret = HKDF(hashes.SHA256(), 32, unpadded(keys["auth"]), b"WebPush: info\x00" + theirs + public).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
    return salt + (4096).to_bytes(4) + b"\x41" + public + AESGCM(key).encrypt(nonce, text.encode() + pad, None)


@pytest.fixture
async def subscription(client: httpx.AsyncClient) -> dict[str, Any]:
    client.auth = httpx.Auth()
    answer = await client.put("/push/ann")
    assert answer.status_code == 201
    return dict(answer.json())


async def push(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    usual = {"ttl": "60", "content-encoding": "aes128gcm", "authorization": vapid()}
    return await client.post("/push/ann", content=body, headers={**usual, **headers})


def test_the_example_of_rfc_8291_is_opened() -> None:
    private = ec.derive_private_key(int.from_bytes(unpadded("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")), ec.SECP256R1())
    body = (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6"
        "cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert Keys(private, unpadded("BTBZMqHH6r4Tts7J_aSIgg")).open(unpadded(body)) == b"When I grow up, I want to be a watermelon"


async def test_a_push_is_taken_kept_as_it_came_and_read_by_its_browser(
    client: httpx.AsyncClient, world: World, subscription: dict[str, Any]
) -> None:
    assert subscription["endpoint"] == "http://simulator/push/ann"
    body = encrypted(TEXT, subscription["keys"], b"\x02\x00\x00\x00")
    answer = await push(client, body)
    assert answer.status_code == 201
    (row,) = rows(world)
    assert row.items() >= {"action_id": "act-1", "provider": "push", "kind": "webpush", "accepted": True, "to": "ann"}.items()
    (came,) = (await client.get("/push/ann")).json()["received"]
    assert (unpadded(came["body"]), came["text"], came["headers"]["ttl"]) == (body, TEXT, "60")


async def test_who_clicks_follows_the_link_in_the_push(client: httpx.AsyncClient, world: World, subscription: dict[str, Any]) -> None:
    await client.put("/behaviour", json={"channels": {"webpush": {"click": 1}}})
    await push(client, encrypted(TEXT, subscription["keys"]))
    assert [errand.url for errand in planned(world)] == ["http://ingest/r/tok.en"]


async def test_what_was_encrypted_for_others_is_taken_by_the_service_and_read_by_nobody(
    client: httpx.AsyncClient, world: World, subscription: dict[str, Any]
) -> None:
    other = (await client.put("/push/bob")).json()
    assert (await push(client, encrypted(TEXT, other["keys"]), topic="act-1")).status_code == 201
    (came,) = (await client.get("/push/ann")).json()["received"]
    assert (came["text"], "other keys" in came["unread"]) == ("", True)
    assert rows(world)[0]["action_id"] == "act-1"
    assert subscription["keys"] != other["keys"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"ttl": ""}, 400),
        ({"content-encoding": "aesgcm"}, 415),
        ({"authorization": ""}, 401),
        ({"authorization": vapid().replace("t=e", "t=f")}, 401),
        ({"authorization": vapid(aud="https://elsewhere")}, 401),
        ({"authorization": vapid(exp=int(time.time()) + 25 * 3600)}, 401),
        ({"authorization": vapid(exp=1)}, 401),
    ],
)
async def test_a_request_that_breaks_the_rules_is_refused(
    client: httpx.AsyncClient, world: World, subscription: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    assert (await push(client, encrypted(TEXT, subscription["keys"]), **headers)).status_code == status
    assert rows(world) == []


async def test_only_the_sender_that_a_browser_subscribed_to_may_push(client: httpx.AsyncClient, subscription: dict[str, Any]) -> None:
    body = encrypted(TEXT, subscription["keys"])
    stranger = padless(point(ec.generate_private_key(ec.SECP256R1()).public_key()))
    for key, status in ((stranger, 403), (padless(point(SENDER.public_key())), 201)):
        await client.put("/push/ann", json={"application_server_key": key})
        assert (await push(client, body)).status_code == status


async def test_over_4096_bytes_are_refused_and_exactly_so_many_taken(client: httpx.AsyncClient, subscription: dict[str, Any]) -> None:
    room = 4096 - 86 - 16 - 1
    for size, status in ((room, 201), (room + 1, 413)):
        assert (await push(client, encrypted("x" * size, subscription["keys"]))).status_code == status


async def test_an_unknown_subscription_and_one_that_ended_say_so(client: httpx.AsyncClient, subscription: dict[str, Any]) -> None:
    assert (await client.post("/push/nobody", content=b"")).status_code == 404
    assert (await client.delete("/push/ann")).status_code == 204
    assert (await push(client, encrypted(TEXT, subscription["keys"]))).status_code == 410


@pytest.mark.parametrize(("fault", "status"), [("refuse", 410), ("throttle", 429), ("unavailable", 503)])
async def test_the_menu_reaches_the_push_service_too(
    client: httpx.AsyncClient, world: World, subscription: dict[str, Any], fault: str, status: int
) -> None:
    await client.put("/faults", json={"faults": [{"kind": fault, "provider": "webpush"}]})
    answer = await push(client, encrypted(TEXT, subscription["keys"]))
    assert (answer.status_code, "retry-after" in answer.headers) == (status, fault == "throttle")
    assert [row["accepted"] for row in rows(world)] == [False]


async def test_an_answer_without_a_body_can_be_slow_too(client: httpx.AsyncClient, subscription: dict[str, Any]) -> None:
    await client.put("/faults", json={"faults": [{"kind": "slow_body", "seconds": 0.3}]})
    began = time.monotonic()
    assert (await push(client, encrypted(TEXT, subscription["keys"]))).status_code == 201
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(("pad", "reason"), [(b"", "delimiter"), (b"\x01", "delimiter"), (b"\x02\x00", "")])
def test_a_record_without_its_delimiter_is_none(pad: bytes, reason: str) -> None:
    keys = Keys(ec.generate_private_key(ec.SECP256R1()), os.urandom(16))
    body = encrypted("hi", {"p256dh": padless(keys.public), "auth": padless(keys.auth)}, pad)
    if not reason:
        assert keys.open(body) == b"hi"
        return
    with pytest.raises(NotOpenedError, match=reason):
        keys.open(body)


@pytest.mark.parametrize("body", [b"", b"x" * 50, bytes(16) + bytes(4) + b"\x41" + bytes(65) + bytes(40)])
def test_garbage_is_not_opened(body: bytes) -> None:
    with pytest.raises(NotOpenedError):
        Keys(ec.generate_private_key(ec.SECP256R1()), os.urandom(16)).open(body)
