"""What the calls of the Segment protocol mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from nextwave_ingest.admission import RefusedError, Report
from nextwave_ingest.doors.segment_mapping import Context, Envelope, normal, understand
from nextwave_ingest.occurrence import Occurrence

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def report(call: dict[str, Any], **envelope: Any) -> Report:
    return understand(msgspec.json.encode({"userId": "7", "messageId": "m"} | call), Envelope(source="shop", received_at=NOW, **envelope))


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Product Viewed", "product.viewed"),
        ("product_list_viewed", "product.viewed"),
        ("PRODUCTS  SEARCHED", "product.searched"),
        ("Product Added", "cart.updated"),
        ("Checkout Step Completed", "checkout.started"),
        ("Order Completed", "order.placed"),
        ("orderRefunded", "order.returned"),
        ("Order Cancelled", "order.cancelled"),
        ("Email Link Clicked", "email.clicked"),
        ("Unsubscribed", "consent.withdrawn"),
        ("Support Ticket Created", "complaint.opened"),
        ("Live Chat Conversation Started", "chat.started"),
        ("Signed Up", "customer.registered"),
        ("Song Played", "Song Played"),
        ("contract.renewed", "contract.renewed"),
    ],
)
def test_events_are_known_however_a_client_writes_them(event: str, kind: str) -> None:
    assert report({"type": "track", "event": event}).type == kind


def test_pages_and_screens_are_page_views_that_keep_their_name() -> None:
    for kind in ("page", "screen"):
        seen = report({"type": kind, "name": "Renew", "properties": {"path": "/renew"}})
        assert (seen.type, seen.data) == ("page.viewed", {"path": "/renew", "name": "Renew"})


def test_an_order_carries_its_amount_in_minor_units() -> None:
    order = report({"type": "track", "event": "Order Completed", "properties": {"order_id": "1", "revenue": 12.5, "currency": "EUR"}})
    assert order.data == {"order_id": "1", "revenue": 12.5, "currency": "EUR", "amount": 1250}
    assert order.raw is None


def test_properties_that_need_no_look_are_passed_on_as_bytes() -> None:
    call = b'{"type":"track","event":"Song Played","userId":"7","properties":{ "a" : 1 }}'
    seen = understand(call, Envelope(source="shop", received_at=NOW))
    assert seen.raw is not None
    assert bytes(seen.raw) == b'{ "a" : 1 }'


def test_the_traits_of_an_identify_are_its_data() -> None:
    traits = {"email": " Ann@Example.COM ", "address": {"country": "us"}}
    known = report({"type": "identify", "anonymousId": "a-1", "traits": traits})
    assert (known.type, known.identifiers, known.data) == ("customer.identified", ("customer_id:7", "anonymous_id:a-1"), traits)


@pytest.mark.parametrize("nobody", ["undefined", "NULL", "[object Object]", "NaN", " none "])
def test_what_stands_for_no_name_is_left_out_beside_a_name_and_refused_alone(nobody: str) -> None:
    viewed = {"type": "track", "event": "Product Viewed"}
    assert report(viewed | {"userId": nobody, "anonymousId": "a-1"}).identifiers == ("anonymous_id:a-1",)
    assert report(viewed | {"userId": "7", "anonymousId": nobody}).identifiers == ("customer_id:7",)
    for names in ({"userId": nobody}, {"userId": nobody, "anonymousId": nobody}):
        with pytest.raises(RefusedError, match="where it has no value") as refused:
            report(viewed | names)
        assert refused.value.pointer == "/userId"


def test_the_time_zone_of_the_device_is_kept_unless_the_traits_name_one() -> None:
    zone = {"context": {"timezone": "Europe/Berlin"}}
    assert report({"type": "identify"} | zone).data == {"timezone": "Europe/Berlin"}
    assert report({"type": "identify", "traits": {"timezone": "Asia/Tokyo"}} | zone).data == {"timezone": "Asia/Tokyo"}
    assert report({"type": "identify"}, context=Context(timezone="Europe/Paris")).data == {"timezone": "Europe/Paris"}


def test_the_context_of_a_batch_is_its_calls_unless_they_say_otherwise() -> None:
    of_batch = Context(timezone="Europe/Paris", locale="fr-FR", device={"token": "wp_batch"})
    assert report({"type": "identify"}, context=of_batch).data == {"timezone": "Europe/Paris", "locale": "fr-FR"}
    own = {"timezone": "Asia/Tokyo", "device": {"token": "wp_own"}}
    said = report({"type": "identify", "context": own}, context=of_batch)
    assert (said.data, said.identifiers) == ({"timezone": "Asia/Tokyo", "locale": "fr-FR"}, ("customer_id:7", "device_token:wp_own"))
    assert report({"type": "track", "event": "x"}, context=of_batch).identifiers == ("customer_id:7", "device_token:wp_batch")


def test_the_language_of_the_device_is_kept_unless_the_traits_name_one() -> None:
    context = {"context": {"locale": "de-DE"}}
    assert report({"type": "identify"} | context).data == {"locale": "de-DE"}
    assert report({"type": "identify", "traits": {"language": "fr"}} | context).data == {"language": "fr"}


def test_traits_that_a_client_puts_into_the_context_of_an_identify_are_its_traits() -> None:
    context = {"context": {"traits": {"email": "ann@example.com"}, "timezone": "Europe/Berlin"}}
    assert report({"type": "identify"} | context).data == {"email": "ann@example.com", "timezone": "Europe/Berlin"}
    assert report({"type": "identify", "traits": {"plan": "gold"}} | context).data == {"plan": "gold", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize("kind", ["track", "identify", "page", "group"])
def test_an_empty_list_is_an_empty_object_as_libraries_of_php_write_it(kind: str) -> None:
    empty: dict[str, list[str]] = {"properties": [], "traits": [], "context": [], "integrations": []}
    seen = report({"type": kind, "event": "x", "groupId": "g"} | empty)
    assert (seen.identifiers, seen.data) == (("customer_id:7",), {"group_id": "g"} if kind == "group" else {})


@pytest.mark.parametrize("context", [{"timezone": 5, "locale": ["x"], "traits": "y"}, {"device": 5}, None])
def test_no_call_is_lost_for_what_its_context_says(context: Any) -> None:
    assert report({"type": "identify", "context": context, "traits": {"plan": "gold"}}).data == {"plan": "gold"}
    assert report({"type": "page", "context": context, "name": 5, "category": ["x"]}).data == {}


def test_an_alias_links_both_names_whichever_kind_the_former_was() -> None:
    linked = report({"type": "alias", "previousId": "old"})
    assert (linked.type, linked.identifiers) == ("identities.linked", ("customer_id:7", "anonymous_id:old", "customer_id:old"))
    anonymous = report({"type": "alias", "previousId": "a-1", "anonymousId": "a-1"})
    assert anonymous.identifiers == ("customer_id:7", "anonymous_id:a-1")


def test_a_group_is_kept_with_its_account() -> None:
    joined = report({"type": "group", "groupId": "acme", "traits": {"plan": "gold"}})
    assert (joined.type, joined.data) == ("account.joined", {"plan": "gold", "group_id": "acme"})


def test_an_event_on_the_sources_complaint_list_is_a_complaint() -> None:
    call = {"type": "track", "event": "Ticket Escalated", "properties": {"ticket_id": 9}}
    complaint = report(call, complaints=frozenset({normal("ticket escalated")}))
    assert (complaint.type, complaint.data["reference"]) == ("complaint.opened", "9")
    assert report(call).type == "Ticket Escalated"


def test_numbers_are_names_too_and_null_is_none() -> None:
    assert report({"type": "track", "event": "x", "userId": 42, "anonymousId": None}).identifiers == ("customer_id:42",)


@pytest.mark.parametrize(
    ("call", "pointer"),
    [
        ({"type": "track"}, "/event"),
        ({"type": "track", "event": "x", "userId": None}, "/userId"),
        ({"type": "track", "event": "x", "userId": "a\x00"}, "/userId"),
        ({"type": "track", "event": "x", "anonymousId": "a\n"}, "/anonymousId"),
        ({"type": "track", "event": "x", "properties": [1]}, "/properties"),
        ({"type": "track", "event": 5}, "/event"),
        ({"type": "alias"}, "/previousId"),
        ({"type": "group"}, "/groupId"),
        ({"type": "dance"}, "/type"),
        ({}, "/type"),
        ({"type": "track", "event": "Order Completed", "properties": {"revenue": "many"}}, "/properties/revenue"),
    ],
)
def test_a_refused_call_names_the_field(call: dict[str, Any], pointer: str) -> None:
    with pytest.raises(RefusedError) as refused:
        report(call)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize("call", [{}, {"type": "track"}, {"type": "track", "event": " "}, {"type": "group"}])
def test_a_missing_field_is_said_to_be_missing(call: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        report(call)
    assert refused.value.detail.startswith("is missing")


@pytest.mark.parametrize("field", ["timestamp", "originalTimestamp", "sentAt"])
def test_a_time_that_is_none_is_refused_by_its_field_with_an_example(field: str) -> None:
    with pytest.raises(RefusedError, match="RFC 3339, for example 2026") as refused:
        report({"type": "track", "event": "x", field: "yesterday"})
    assert refused.value.pointer == f"/{field}"


@pytest.mark.parametrize("event", ["Unsubscribed", "Support Ticket Created"])
def test_a_stop_with_an_unreadable_time_counts_from_its_reception(event: str) -> None:
    assert report({"type": "track", "event": event, "timestamp": "yesterday"}).occurrence.at == NOW


@pytest.mark.parametrize("fault", [{"timestamp": True}, {"timestamp": {}}, {"originalTimestamp": []}, {"sentAt": False}, {"context": "x"}])
def test_a_stop_is_lost_to_no_field_of_another_type(fault: dict[str, Any]) -> None:
    assert report({"type": "track", "event": "Unsubscribed"} | fault).occurrence.at == NOW


def test_a_stop_in_the_customers_own_words_needs_no_readable_time_either() -> None:
    said = {"type": "track", "event": "Live Chat Message Sent", "timestamp": "yesterday"}
    assert report(said | {"properties": {"text": "STOP"}}).occurrence.at == NOW
    with pytest.raises(RefusedError):
        report(said | {"properties": {"text": "hello"}})


def test_a_time_far_off_is_kept_and_suspect() -> None:
    far = report({"type": "track", "event": "x", "timestamp": "1970-01-01T00:00:00Z"}).occurrence
    assert (far.at.year, far.suspect) == (1970, True)
    ahead = NOW - datetime(2100, 1, 1, tzinfo=UTC)
    assert report({"type": "track", "event": "x", "timestamp": "2100-01-01T00:00:00Z"}).occurrence == Occurrence(
        NOW, suspect=True, distance=ahead
    )


def test_the_devices_token_names_the_customer_by_whom_it_is_carried() -> None:
    context = {"device": {"type": "browser", "token": "wp_1"}}
    seen = report({"type": "identify", "anonymousId": "a-1", "context": context})
    assert seen.identifiers == ("customer_id:7", "device_token:wp_1", "anonymous_id:a-1")


@pytest.mark.parametrize(
    "device", [None, "phone", {}, {"token": 7}, {"token": ""}, {"token": "wp_" + "x" * 300}, {"token": "wp_a\0b"}, ["token"]]
)
def test_no_call_is_lost_for_a_device_without_a_token_that_can_be_read(device: Any) -> None:
    assert report({"type": "track", "event": "Unsubscribed", "context": {"device": device}}).identifiers == ("customer_id:7",)


def test_a_native_apps_token_is_no_address_of_web_push() -> None:
    device = {"type": "ios", "token": "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad"}
    assert report({"type": "track", "event": "Application Opened", "context": {"device": device}}).identifiers == ("customer_id:7",)
