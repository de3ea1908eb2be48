"""The real Node clients against the real doors."""

from __future__ import annotations

from pathlib import Path

import msgspec
from clients.serving import Served
from cryptography.hazmat.primitives.asymmetric import ec
from nextwave_channels.push.sealing import TEXT_MAX, Recipient, point_of, seal, unpadded
from node_tools import installed, run_node
from unit.ingest.fakes import WRITE_KEY

NODE = Path(__file__).parent / "node"


def test_the_calls_of_analytics_node_are_touchpoints(served: Served) -> None:
    said = msgspec.json.decode(run_node(installed(NODE) / "segment.mjs", served.url, WRITE_KEY))
    assert said == {"errors": []}
    seen = {t.type: t for t in served.committer.touchpoints}
    assert sorted(seen) == ["customer.identified", "order.placed", "page.viewed"]
    assert seen["customer.identified"].identifiers[:1] == ("customer_id:node-7",)
    assert seen["order.placed"].data["amount"] == 1250
    assert seen["page.viewed"].data["name"] == "Größe"
    assert not any(t.time_suspect for t in served.committer.touchpoints)


def test_the_events_of_cloudevents_for_node_are_touchpoints(served: Served) -> None:
    said = msgspec.json.decode(run_node(installed(NODE) / "cloudevents.mjs", f"{served.url}/v1/calls", WRITE_KEY))
    assert said == {"statuses": [202, 202]}
    assert {(t.id, t.type, t.data["seconds"]) for t in served.committer.touchpoints} == {
        ("n-binary", "call.ended", 61),
        ("n-structured", "call.ended", 61),
    }


def test_a_push_message_is_read_by_http_ece() -> None:
    secret, auth, text = 7, b"a" * 16, "ü" * (TEXT_MAX // 2)
    to = Recipient("https://push.example/1", point_of(ec.derive_private_key(secret, ec.SECP256R1()).public_key()), auth)
    body = seal(text.encode(), to, ec.generate_private_key(ec.SECP256R1()), b"s" * 16)
    given = (unpadded(raw) for raw in (secret.to_bytes(32), auth, body))
    assert msgspec.json.decode(run_node(installed(NODE) / "open_push.mjs", *given)) == {"text": text}
