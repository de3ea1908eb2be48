"""Webhooks of Shopify and WooCommerce: signed bodies as the shops send them, and the touchpoints that they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_contracts.touchpoints import Touchpoint
from unit.ingest.fakes import NOW, Stand, stand

SECRET = "shpss_8f1c"
SHOPIFY_ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "name": "#1001",
    "email": "Jon@Example.com",
    "created_at": "2026-11-22T03:36:50-05:00",
    "processed_at": "2026-11-22T03:36:50-05:00",
    "currency": "EUR",
    "total_price": "119.90",
    "test": False,
    "customer": {"id": 115310627314723954, "email": "jon@example.com", "phone": None},
    "billing_address": {"phone": "030 123456", "country_code": "DE"},
    "line_items": [{"product_id": 632910392, "sku": "IPOD-1", "title": "iPod", "quantity": 2, "price": "59.95"}],
}
WOO_ORDER: dict[str, Any] = {
    "id": 727,
    "number": "727",
    "status": "processing",
    "currency": "EUR",
    "date_created_gmt": "2026-11-22T08:00:00",
    "date_modified_gmt": "2026-11-22T08:30:00",
    "total": "29.35",
    "customer_id": 9,
    "billing": {"email": "ann@example.com", "phone": "030 123456", "country": "DE"},
    "line_items": [{"name": "Album", "product_id": 93, "quantity": 1, "sku": ""}],
    "refunds": [],
}


@pytest.fixture
def shop(tmp_path: Path) -> Stand:
    return stand(tmp_path, source_secrets={"shop": {"shopify": SECRET, "woocommerce": SECRET}})


def signed(content: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()


async def shopify(shop: Stand, topic: str, body: Any, **more: str) -> httpx.Response:
    content = msgspec.json.encode(body)
    headers = {"content-type": "application/json", "x-shopify-topic": topic, "x-shopify-hmac-sha256": signed(content)} | more
    async with shop.client() as client:
        return await client.post("/v1/inbound/shop/shopify", content=content, headers=headers)


async def woo(shop: Stand, topic: str, body: Any, **more: str) -> httpx.Response:
    content = msgspec.json.encode(body)
    headers = {"x-wc-webhook-topic": topic, "x-wc-webhook-source": "https://shop.example/", "x-wc-webhook-signature": signed(content)}
    async with shop.client() as client:
        return await client.post("/v1/inbound/shop/woocommerce", content=content, headers=headers | more)


def seen(shop: Stand) -> list[tuple[str, str]]:
    return [(t.type, t.id) for t in shop.committer.touchpoints]


def only(shop: Stand) -> Touchpoint:
    (touchpoint,) = shop.committer.touchpoints
    return touchpoint


async def test_an_order_of_shopify_is_placed_by_its_customer(shop: Stand) -> None:
    answer = await shopify(shop, "orders/create", SHOPIFY_ORDER)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "ignored": 0, "rejected": []})
    order = only(shop)
    assert (order.type, order.id, order.source) == ("order.placed", "order/820982911946154508/placed", "shop")
    assert order.occurred_at == datetime(2026, 11, 22, 8, 36, 50, tzinfo=UTC)
    assert set(order.identifiers) == {
        "external:shopify:115310627314723954",
        "external:order:shopify:820982911946154508",
        "email:jon@example.com",
        "phone:+4930123456",
    }
    assert (order.data["amount"], order.data["currency"], order.data["number"]) == (11990, "EUR", "#1001")
    assert order.data["products"] == [{"product_id": 632910392, "sku": "IPOD-1", "name": "iPod", "quantity": 2}]


@pytest.mark.parametrize(
    ("currency", "total", "amount"), [("JPY", "1990", 1990), ("BHD", "1.25", 1250), ("USD", "0.30", 30), ("EUR", "7", 700)]
)
async def test_money_counts_in_the_minor_units_of_its_currency(shop: Stand, currency: str, total: str, amount: int) -> None:
    await shopify(shop, "orders/create", SHOPIFY_ORDER | {"currency": currency, "total_price": total})
    await woo(shop, "order.created", WOO_ORDER | {"currency": currency, "total": total})
    assert [(t.data["amount"], t.data["currency"]) for t in shop.committer.touchpoints] == [(amount, currency)] * 2


async def test_a_webhook_that_comes_again_is_the_same_touchpoint(shop: Stand) -> None:
    for delivery in ("a", "b"):
        await shopify(shop, "orders/create", SHOPIFY_ORDER, **{"x-shopify-webhook-id": delivery, "x-shopify-triggered-at": NOW.isoformat()})
        await woo(shop, "order.created", WOO_ORDER, **{"x-wc-webhook-delivery-id": delivery})
    assert len(set(seen(shop))) == 2
    assert len(seen(shop)) == 4


async def test_what_becomes_of_an_order_is_told_under_its_own_id(shop: Stand) -> None:
    await shopify(shop, "orders/paid", SHOPIFY_ORDER, **{"x-shopify-triggered-at": "2026-11-22T09:00:27.877041743Z"})
    await shopify(shop, "orders/cancelled", SHOPIFY_ORDER | {"cancelled_at": "2026-11-22T09:10:00Z", "cancel_reason": "customer"})
    await shopify(shop, "order_transactions/create", {"id": 3, "order_id": 8, "status": "failure", "amount": "5.00", "currency": "EUR"})
    assert seen(shop) == [
        ("order.paid", "order/820982911946154508/paid"),
        ("order.cancelled", "order/820982911946154508/cancelled"),
        ("payment.failed", "transaction/3"),
    ]
    paid, cancelled, failed = shop.committer.touchpoints
    assert paid.occurred_at == datetime(2026, 11, 22, 9, 0, 27, 877041, tzinfo=UTC)
    assert (cancelled.data["reason"], cancelled.occurred_at.minute) == ("customer", 10)
    assert (failed.identifiers, failed.data["amount"]) == (("external:order:shopify:8",), 500)


async def test_a_refund_counts_what_went_back_and_is_named_by_its_order(shop: Stand) -> None:
    went_back = [{"kind": "refund", "status": "success", "amount": amount, "currency": "EUR"} for amount in ("10.10", "0.25")]
    others = [went_back[0] | {"kind": "void"}, went_back[0] | {"status": "pending"}]
    refund = {"id": 5, "order_id": 8, "created_at": "2026-11-22T08:00:00Z", "note": "broken", "transactions": went_back + others}
    await shopify(shop, "refunds/create", refund)
    returned = only(shop)
    assert (returned.type, returned.id, returned.identifiers) == ("order.returned", "refund/5", ("external:order:shopify:8",))
    assert (returned.data["amount"], returned.data["currency"], returned.data["note"]) == (1035, "EUR", "broken")


async def test_a_checkout_counts_once_it_says_whose_it_is(shop: Stand) -> None:
    nobody = {"id": 1, "token": "t1", "email": None, "phone": None, "customer": None, "total_price": "5.00", "currency": "EUR"}
    assert (await shopify(shop, "checkouts/create", nobody)).json()["ignored"] == 1
    for _ in range(2):
        await shopify(shop, "checkouts/update", nobody | {"email": "ann@example.com"})
    assert seen(shop) == [("checkout.started", "checkout/t1")] * 2


@pytest.mark.parametrize(
    ("agreed", "told"),
    [
        (("subscribed", "confirmed_opt_in"), [("consent.granted", "opt_in", True)]),
        (("subscribed", "single_opt_in"), [("consent.granted", "opt_in", None)]),
        (("unsubscribed", "single_opt_in"), [("consent.withdrawn", "opt_out", None)]),
        (("not_subscribed", "single_opt_in"), []),
        (("pending", "confirmed_opt_in"), []),
    ],
)
@pytest.mark.parametrize("topic", ["customers/create", "customers/update", "customers_email_marketing_consent/update"])
async def test_what_a_customer_agreed_to_by_mail_is_taken_over(
    shop: Stand, topic: str, agreed: tuple[str, str], told: list[tuple[str, str, bool | None]]
) -> None:
    state, level = agreed
    consent = {"email_marketing_consent": {"state": state, "opt_in_level": level, "consent_updated_at": "2026-11-22T08:00:00Z"}}
    known = {"id": 7, "email": "ann@example.com", "updated_at": "2026-11-22T08:00:00Z"}
    own = topic.startswith("customers_")
    await shopify(shop, topic, ({"customer_id": 7, "email_address": "ann@example.com"} if own else known) | consent)
    consents = [t for t in shop.committer.touchpoints if t.type.startswith("consent.")]
    assert [(t.type, t.data.get("double_opt_in")) for t in consents] == [(kind, twice) for kind, _, twice in told]
    assert [(h.kind, h.channel, h.purpose) for h in shop.committer.holds] == [(hold, "email", "marketing") for _, hold, _ in told]
    assert {t.identifiers for t in consents} <= {("external:shopify:7", "email:ann@example.com")}
    assert len(shop.committer.touchpoints) - len(consents) == (0 if own else 1)


@pytest.mark.parametrize("state", ["subscribed", "unsubscribed"])
async def test_what_a_customer_agreed_to_by_text_is_taken_over(shop: Stand, state: str) -> None:
    agreed = {"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": "2026-11-22T08:00:00Z"}
    body = {"id": 7, "phone": "+14155550100", "sms_marketing_consent": agreed}
    await shopify(shop, "customers_marketing_consent/update", body)
    assert [(h.channel, h.purpose) for h in shop.committer.holds] == [("sms", "marketing")]


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact", "app/uninstalled", "products/update", ""])
async def test_other_topics_are_taken_and_ignored(shop: Stand, topic: str) -> None:
    answer = await shopify(shop, topic, {"shop_id": 1, "id": 2, "customer": {"id": 7, "email": "ann@example.com"}})
    assert (answer.status_code, answer.json()["ignored"]) == (202, 1)
    assert shop.committer.records == []


async def test_an_order_that_is_a_test_is_none(shop: Stand) -> None:
    assert (await shopify(shop, "orders/create", SHOPIFY_ORDER | {"test": True})).json()["ignored"] == 1


async def test_an_order_of_hundreds_of_lines_is_not_refused_for_its_size(shop: Stand) -> None:
    lines = [{"product_id": n, "sku": f"SKU-{n}", "title": f"Product {n}", "quantity": 1, "properties": ["x" * 900]} for n in range(400)]
    assert (await shopify(shop, "orders/create", SHOPIFY_ORDER | {"line_items": lines})).json()["accepted"] == 1
    assert len(only(shop).data["products"]) == 100


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        ("pending", []),
        ("checkout-draft", []),
        ("on-hold", ["order.placed"]),
        ("processing", ["order.placed"]),
        ("completed", ["order.placed"]),
        ("cancelled", ["order.cancelled"]),
        ("failed", ["payment.failed"]),
        ("trash", []),
    ],
)
@pytest.mark.parametrize("topic", ["order.created", "order.updated"])
async def test_an_order_of_woocommerce_is_what_its_status_says(shop: Stand, topic: str, status: str, kinds: list[str]) -> None:
    await woo(shop, topic, WOO_ORDER | {"status": status})
    assert [t.type for t in shop.committer.touchpoints] == kinds
    for touchpoint in shop.committer.touchpoints:
        assert {"external:woocommerce:shop.example/9", "email:ann@example.com"} <= set(touchpoint.identifiers)
        assert (touchpoint.data["amount"], touchpoint.data["currency"]) == (2935, "EUR")


async def test_a_guests_order_is_not_everybodys(shop: Stand) -> None:
    await woo(shop, "order.created", WOO_ORDER | {"customer_id": 0})
    assert set(only(shop).identifiers) == {"external:order:woocommerce:shop.example/727", "email:ann@example.com", "phone:+4930123456"}


async def test_orders_of_two_shops_with_one_number_are_two_orders_and_each_one_is_one_to_its_end(shop: Stand) -> None:
    for source in ("https://shop.example/", "https://shop.example/at/"):
        for more in ({}, {"status": "cancelled"}, {"status": "failed"}, {"refunds": [{"id": 7, "total": "-1.00"}], "status": "refunded"}):
            await woo(shop, "order.updated", WOO_ORDER | more, **{"x-wc-webhook-source": source})
    assert [touchpoint.data["order_id"] for touchpoint in shop.committer.touchpoints] == [
        *["shop.example/727"] * 4,
        *["shop.example/at/727"] * 4,
    ]


async def test_each_refund_of_woocommerce_counts_once(shop: Stand) -> None:
    first = [{"id": 801, "reason": "", "total": "-5.10"}]
    for refunds in (first, first, [{"id": 802, "reason": "late", "total": "-1"}, *first]):
        await woo(shop, "order.updated", WOO_ORDER | {"status": "refunded", "refunds": refunds})
    returned = [(t.id, t.data["amount"], t.data.get("reason")) for t in shop.committer.touchpoints]
    assert returned == [("refund/801", 510, None), ("refund/801", 510, None), ("refund/802", 100, "late")]


async def test_customers_of_woocommerce_become_known(shop: Stand) -> None:
    billing = {"phone": "030 123456", "country": "DE"}
    ann = {"id": 25, "email": "ann@example.com", "date_created_gmt": "2026-11-22T08:00:00", "date_modified_gmt": "2026-11-22T08:00:00"}
    for topic in ("customer.created", "customer.updated"):
        await woo(shop, topic, ann | {"billing": billing})
    assert [t.type for t in shop.committer.touchpoints] == ["customer.registered", "customer.identified"]
    assert {frozenset(t.identifiers) for t in shop.committer.touchpoints} == {
        frozenset({"external:woocommerce:shop.example/25", "email:ann@example.com", "phone:+4930123456"})
    }


async def test_the_ping_of_woocommerce_is_answered_as_it_wants(shop: Stand) -> None:
    async with shop.client() as client:
        answer = await client.post("/v1/inbound/shop/woocommerce", data={"webhook_id": "1"})
    assert answer.status_code == 200
    assert shop.committer.records == []


@pytest.mark.parametrize("mapping", ["shopify", "woocommerce"])
async def test_a_body_that_its_signature_does_not_fit_is_nobodys(shop: Stand, mapping: str) -> None:
    name, content = (
        {"shopify": "x-shopify-hmac-sha256", "woocommerce": "x-wc-webhook-signature"}[mapping],
        msgspec.json.encode(SHOPIFY_ORDER),
    )
    wrong = [signed(content + b" "), signed(content, "another"), signed(content)[:-4], signed(content).lower(), "", "ä"]
    async with shop.client() as client:
        for signature in wrong:
            sent = {name.encode(): signature.encode(), b"x-shopify-topic": b"orders/create", b"x-wc-webhook-topic": b"order.created"}
            answer = await client.post(f"/v1/inbound/shop/{mapping}", content=content, headers=sent)
            assert answer.status_code == 401, signature
        assert (await client.post(f"/v1/inbound/shop/{mapping}", content=content)).status_code == 401
    assert shop.committer.records == []
