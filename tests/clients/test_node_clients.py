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


def test_what_cloudevents_for_node_emits_and_reads_again_is_what_we_read(served: Served) -> None:
    told = msgspec.json.decode(run_node(installed(NODE) / "cloudevents.mjs", f"{served.url}/v1/touchpoints", WRITE_KEY))
    assert [(mode, status) for mode, status, _ in told] == [("binary", 202)] * 3 + [("structured", 202)] * 3
    theirs = [(read["id"], f"shop/{read['source']}", read["data"]) for *_, read in told]
    ours = [(t.id, t.source, t.data.get("body") or t.data) for t in served.committer.touchpoints]
    assert ours == theirs
    assert {t.identifiers for t in served.committer.touchpoints} == {("phone:+14155550100",)}
    assert {t.type for t in served.committer.touchpoints} == {"call.ended", "sms.received"}
    assert [t.occurred_at.isoformat() for t in served.committer.touchpoints if t.id.startswith("100")] == [
        "2026-01-02T01:04:05.678000+00:00"
    ] * 2
    assert [hold.kind for hold in served.committer.holds] == ["opt_out", "opt_out"]


def test_a_push_message_is_read_by_http_ece() -> None:
    secret, auth, text = 7, b"a" * 16, "ü" * (TEXT_MAX // 2)
    to = Recipient("https://push.example/1", point_of(ec.derive_private_key(secret, ec.SECP256R1()).public_key()), auth)
    body = seal(text.encode(), to, ec.generate_private_key(ec.SECP256R1()), b"s" * 16)
    given = (unpadded(raw) for raw in (secret.to_bytes(32), auth, body))
    assert msgspec.json.decode(run_node(installed(NODE) / "open_push.mjs", *given)) == {"text": text}
