"""What the inbound door refuses: told in the sender's own words and kept, also where nobody knows the items of a body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from nextwave_ingest.admission import EVENT_BYTES_MAX, ITEMS_MAX
from nextwave_ingest.mappings import effort
from nextwave_ingest.mappings.document import read
from unit.ingest.fakes import NOW, Stand, stand
from unit.ingest.office import office
from unit.ingest.test_inbound_door import ORDERS

HEADERS = ',"_headers":{"x-wc-webhook-topic":""}'
"""What is kept with a body of orders."""
NAMED = {"phone": {"e164": "$.caller", "country": "$.land"}, "customer_id": "$.customer['no.']"}


@pytest.fixture
def door(tmp_path: Path) -> Stand:
    return stand(tmp_path)


@pytest.mark.parametrize(
    ("rule", "item", "pointer", "said"),
    [
        ({"occurred_at": "$.at.utc"}, {"at": {"utc": "yesterday"}}, "/at/utc", 'occurred_at, from "$.at.utc": "yesterday" is no time'),
        ({"sent_at": {"first_of": ["$.sent", "$.at"]}}, {"at": [1]}, "", 'sent_at, from "$.sent" or "$.at": a list is no time'),
        ({"occurred_at": "{{ item.d }} 25h"}, {"d": 7}, "", 'occurred_at, from "{{ item.d }} 25h": "7 25h" is no time'),
        ({"occurred_at": {"local_time": "$.at", "zone": "UTC"}}, {"at": "noon"}, "/at", 'occurred_at, from "$.at": "noon" is no time'),
        ({"data": {"n": {"minor_units": "$.total", "currency": "EUR"}}}, {"total": "x"}, "/total", 'data.n, from "$.total": must be an am'),
        ({"type": "order.placed", "data": {"amount": "$.a/b", "currency": "EUR"}}, {"a/b": -1}, "/a~1b", "data.amount, from"),
        ({"type": "order.placed", "data": {"amount": {"each": "$.n", "give": "$.m"}}}, {"n": [{"m": 1}]}, "/n", "data.amount, from"),
        ({"type": "$.kind"}, {"kind": "x" * 300}, "/kind", 'type, from "$.kind": must have at most 256'),
        ({}, {"caller": "anonymous"}, "", 'no customer: it has none of phone ("$.caller"), customer_id ("$.customer[\'no.\']")'),
        ({}, {"caller": None, "customer": {"no.": "x" * 300}}, "/customer/no.", "identifiers.customer_id, from"),
        ({"identifiers": {"email": "$.mail"}}, {"mail": "ann"}, "/mail", 'identifiers.email, from "$.mail": the item names no customer'),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_with_the_field_of_the_sender(
    door: Stand, rule: dict[str, Any], item: dict[str, Any], pointer: str, said: str
) -> None:
    written = {"name": "named", "touchpoints": [{"type": "call.ended", "identifiers": NAMED, **rule}]}
    door.mappings.library.lay("named", read(msgspec.json.encode(written).replace(b"$.a/b", b"$['a/b']")))
    (refused,) = (await door.post("/v1/inbound/shop/named", {"caller": "030 901820", "land": "DE"} | item)).json()["rejected"]
    assert (refused["pointer"], refused["detail"][:31], said in refused["detail"]) == (pointer, "mapping named, /touchpoints/0: ", True)
    (kept,) = door.committer.rejected
    assert kept.detail == f"{pointer or '/'}: {refused['detail']}"


@pytest.mark.parametrize("items", ["$.orders", "$.orders[*]", "$.pages[*].orders", "$..orders", "$['orders', 'bestellungen']"])
async def test_a_body_whose_items_are_not_where_the_mapping_looks_is_kept_and_counts_once_that_is_mended(
    door: Stand, tmp_path: Path, items: str
) -> None:
    elsewhere = read(ORDERS.replace(b"$.orders", items.encode()))
    door.mappings.library.lay("orders", elsewhere)
    body = {"pages": [{"order": 7}], "order": [{"id": n, "email": "ann@example.com", "refused": True} for n in (7, 8)]}
    answer = await door.post("/v1/inbound/shop/orders", body, headers={"x-wc-webhook-topic": "order.refused"})
    (refused,) = answer.json()["rejected"]
    assert (answer.status_code, refused["index"], items in refused["detail"]) == (202, 0, True)
    (kept,) = door.committer.rejected
    assert (kept.said, refused["detail"] in kept.detail) == ({"mapping": "orders", "whole": True}, True)
    assert door.telling.book.tally("shop", replica="0", since=NOW, at=NOW).doors["inbound/orders"].rejected == {"invalid": 1}
    told = await office(tmp_path, door, documents=[elsewhere]).call("POST", "/v1/rejected/0-0:redrive")
    assert "nothing lies at" in told.json()["refused"][0]["detail"]
    mended = read(
        ORDERS.replace(b"$.orders", b"$.order[*]").replace(
            b"$.refused: true", b"$.refused: true, \"$._headers['x-wc-webhook-topic']\": order.refused"
        )
    )
    told = await office(tmp_path, door, documents=[mended]).call("POST", "/v1/rejected/0-0:redrive")
    assert (told.json()["accepted"], told.json()["touchpoints"]) == (1, 2)
    assert [hold.kind for hold in door.committer.holds] == ["opt_out"] * 2


@pytest.mark.parametrize(
    ("items", "body"),
    [
        ("$.orders", {"orders": []}),
        ("$.orders[*]", {"orders": []}),
        ("$.orders[?@.id > 7]", {"orders": [{"id": 7}]}),
        ("$.pages[*].orders[*]", {"pages": []}),
        ("$.pages[*].orders[:5]", {"pages": [{"orders": []}, {}]}),
    ],
)
async def test_a_list_without_items_is_none_of_the_sender_s_faults(door: Stand, items: str, body: Any) -> None:
    door.mappings.library.lay("orders", read(ORDERS.replace(b"$.orders", items.encode())))
    assert (await door.post("/v1/inbound/shop/orders", body)).json() == {"accepted": 0, "ignored": 0, "rejected": []}
    assert door.committer.records == []


async def test_no_item_of_a_path_to_many_is_left_out_without_a_word(door: Stand) -> None:
    door.mappings.library.lay("orders", read(ORDERS.replace(b"$.orders", b"$.orders[*]")))
    answer = await door.post("/v1/inbound/shop/orders", {"orders": [{"id": n} for n in range(ITEMS_MAX)]})
    assert answer.json() == {"accepted": 0, "ignored": ITEMS_MAX, "rejected": []}
    answer = await door.post("/v1/inbound/shop/orders", {"orders": [{"id": n} for n in range(ITEMS_MAX + 1)]})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:nextwave:problem:too-large")


async def test_a_body_whose_items_take_too_much_to_find_is_kept_and_counts_once_that_is_mended(
    door: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effort, "EFFORT_MAX", 50 * effort.LOOK)
    door.mappings.library.lay("orders", read(ORDERS.replace(b"$.orders", b"$..orders[*]")))
    body = {"orders": [{"id": n, "email": "ann@example.com", "refused": True} for n in range(40)]}
    answer = await door.post("/v1/inbound/shop/orders", body)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 0)
    (kept,) = door.committer.rejected
    assert (kept.reason, kept.said, msgspec.json.decode(kept.payload)["orders"]) == (
        "too_large",
        {"mapping": "orders", "whole": True},
        body["orders"],
    )
    assert kept.detail.startswith('/: mapping orders, /items: "$..orders[*]" and what is read before it take more effort')
    mended = office(tmp_path, door, documents=[read(ORDERS)])
    assert (await mended.call("POST", "/v1/rejected/0-0:redrive")).json()["touchpoints"] == 40


async def test_a_whole_body_that_is_too_long_to_be_kept_says_so_in_the_list_and_how_to_get_it_back(door: Stand, tmp_path: Path) -> None:
    door.mappings.library.lay("orders", read(ORDERS))
    body = msgspec.json.encode({"order": [{"id": n, "email": "ann@example.com"} for n in range(2_000)]})
    assert (size := len(body) + len(HEADERS)) > EVENT_BYTES_MAX
    await door.post("/v1/inbound/shop/orders", content=body)
    await door.post("/v1/inbound/shop/orders", {"order": []})
    rooms = office(tmp_path, door, documents=[read(ORDERS)])
    whole, cut = (await rooms.call("GET", "/v1/rejected")).json()["items"]
    assert [(one["size_bytes"], one["cut"]) for one in (whole, cut)] == [(12 + len(HEADERS), False), (size, True)]
    refused = await rooms.call("POST", f"/v1/rejected/{cut['id']}:redrive")
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        f"only the beginning was kept, 32,768 of {size:,} bytes; mend the mapping, and let the source send the same again"
    )


@pytest.mark.parametrize("body", [b"{", b'{"orders": [' + b"{}," * ITEMS_MAX + b"{}]}"])
async def test_a_body_that_is_refused_at_once_is_found_among_the_refusals_of_its_source(door: Stand, body: bytes) -> None:
    door.mappings.library.lay("orders", read(ORDERS))
    assert (await door.post("/v1/inbound/shop/orders", content=body)).status_code == 400
    told = door.telling.book.tally("shop", replica="0", since=NOW, at=NOW)
    assert sum(told.doors["inbound/orders"].rejected.values()) == len(told.refusals) == 1
