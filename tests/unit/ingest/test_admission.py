"""What becomes a touchpoint, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.admission import Accepted, Admitted, RefusedError, Report, admit, body_id, check_bounds, data_object
from nextwave_ingest.occurrence import Occurrence

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
EARLIER = datetime(2026, 11, 20, tzinfo=UTC)
LATER = datetime(2026, 11, 23, tzinfo=UTC)
REPORT = Report("m-1", "shop", "page.viewed", ("customer_id:7",), Occurrence(NOW, suspect=False), {})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def taken(report: Report) -> Admitted:
    return admit(report, NOW, lambda name: f"hash of {name}")


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_an_accepted_touchpoint_is_the_json_of_a_touchpoint_with_its_data_as_it_came(data: dict[str, Any]) -> None:
    raw = msgspec.Raw(msgspec.json.encode(data))
    report = replace(REPORT, data=data_object(raw, "/data"), raw=raw)
    expected = Touchpoint(
        id="m-1", source="shop", type="page.viewed", identifiers=("customer_id:7",), occurred_at=NOW, received_at=NOW, data=report.data
    )
    written = encode(taken(report).touchpoint)
    assert decode(written, Touchpoint) == expected
    assert written == encode(expected) or data_object(raw, "") != data  # byte for byte where the codec keeps numbers as they are


def test_bytes_of_unchanged_data_are_passed_on_and_not_written_anew() -> None:
    raw = msgspec.Raw(b'{ "b": 1.0, "a": "\\u00e9" }')
    assert bytes(raw) in encode(taken(replace(REPORT, data=data_object(raw, ""), raw=raw)).touchpoint)


@pytest.mark.parametrize(
    "raw", [b"[1]", b'"x"', b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":1e999}', b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b"{", b"\x00"]
)
def test_data_that_a_reader_could_not_decode_is_refused(raw: bytes) -> None:
    with pytest.raises(RefusedError):
        data_object(msgspec.Raw(raw), "/data")


@pytest.mark.parametrize("number", [2**63, -(2**63), 2**64, 10**400])
def test_an_integer_beyond_64_bits_is_refused_by_its_place(number: int) -> None:
    with pytest.raises(RefusedError) as refused:
        data_object(msgspec.Raw(b'{"lines":[{"a":1},{"a":%d}]}' % number), "/properties")
    assert refused.value.pointer == "/properties/lines/1/a"
    assert "as text" in refused.value.detail


@pytest.mark.parametrize(
    "raw", [b'{"a":9223372036854775807}', b'{"a":"92233720368547758080"}', b'{"a":1.00000000000000000000001}', b'{"a":1e30}']
)
def test_numbers_that_can_be_stored_are_admitted_however_long_they_are_written(raw: bytes) -> None:
    assert msgspec.msgpack.encode(data_object(msgspec.Raw(raw), "/data"))


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_is_no_number_in_json_is_refused(word: bytes) -> None:
    with pytest.raises(RefusedError):
        data_object(msgspec.Raw(b'{"a":%b}' % word), "/data")


@pytest.mark.parametrize("wrong", ["", "a\x00b", "a\nb", "a\x1fb", "a\x7f", "x" * 257])
@pytest.mark.parametrize("field", ["id", "source", "type"])
def test_ids_with_control_characters_and_ids_too_long_are_refused(field: str, wrong: str) -> None:
    changed: dict[str, Any] = {field: wrong}
    with pytest.raises(RefusedError) as refused:
        taken(replace(REPORT, **changed))
    assert refused.value.pointer == f"/{field}"


def test_nesting_of_64_is_admitted_and_of_65_refused() -> None:
    check_bounds(b"[" * 64 + b"]" * 64)
    check_bounds(b'{"a":"' + b"[" * 500 + b'"}')
    check_bounds(b"[" + b"{}," * 500 + b"{}]")
    with pytest.raises(RefusedError):
        check_bounds(b"[" * 65 + b"]" * 65)


def test_an_event_of_32_kilobytes_is_admitted_and_one_byte_more_refused() -> None:
    check_bounds(b"x" * 32768)
    with pytest.raises(RefusedError) as refused:
        check_bounds(b"x" * 32769)
    assert refused.value.reason == "too_large"


@pytest.mark.parametrize("kind", ["customer.identified", "customer.registered", "preference.changed"])
def test_whoever_tells_an_address_is_named_by_it_in_normal_form(kind: str) -> None:
    data = {"email": " Ann@Example.COM ", "phone": "(415) 555-0100", "address": {"country": "us"}}
    touchpoint = taken(replace(REPORT, type=kind, data=data)).touchpoint
    assert touchpoint.identifiers == ("customer_id:7", "email:ann@example.com", "phone:+14155550100")
    assert decode(encode(touchpoint), Touchpoint).data == data


def test_an_address_that_is_none_is_data_and_no_name() -> None:
    told = replace(REPORT, type="customer.identified", data={"email": "n/a", "phone": "soon"})
    assert taken(told).touchpoint.identifiers == ("customer_id:7",)


def test_an_address_in_any_other_touchpoint_names_nobody() -> None:
    assert taken(replace(REPORT, type="referral.made", data={"email": "friend@example.com"})).touchpoint.identifiers == ("customer_id:7",)


def test_what_is_accepted_has_every_field_of_the_contract_in_its_order() -> None:
    fields = {kind: [(f.encode_name, f.required) for f in msgspec.structs.fields(kind)] for kind in (Accepted, Touchpoint)}
    assert fields[Accepted] == fields[Touchpoint]


def test_a_stop_raises_a_hold_for_every_name_of_the_customer() -> None:
    names = ("customer_id:7", "phone:+14155550100")
    admitted = taken(replace(REPORT, type="sms.received", identifiers=names, data={"body": "Stop"}))
    assert [(h.kind, h.channel, h.subjects, h.at) for h in admitted.holds] == [
        ("opt_out", "sms", ("hash of customer_id:7", "hash of phone:+14155550100"), NOW)
    ]
    assert decode(encode(admitted.touchpoint), Touchpoint).data == {"body": "Stop", "wish": "opt_out"}


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("consent.withdrawn", {}, "opt_out"),
        ("sms.received", {"body": "STOP"}, "opt_out"),
        ("call.wrapped_up", {"refusal": True}, "opt_out"),
        ("complaint.opened", {"reference": "t1"}, "complaint"),
        ("call.wrapped_up", {"complaint": True}, "complaint"),
    ],
)
def test_a_stop_says_the_later_of_its_own_time_and_its_reception(kind: str, data: dict[str, Any], said: str) -> None:
    for own in (EARLIER, LATER):
        admitted = taken(replace(REPORT, type=kind, data=data, occurrence=Occurrence(own, suspect=False)))
        assert [(hold.kind, hold.at) for hold in admitted.holds] == [(said, max(own, NOW))]


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("consent.granted", {"channel": "email", "purpose": "marketing"}, "opt_in"),
        ("sms.received", {"body": "START"}, "opt_in"),
        ("complaint.resolved", {"reference": "t1"}, "complaint_lifted"),
    ],
)
def test_a_lifting_says_the_earlier_of_its_own_time_and_its_reception(kind: str, data: dict[str, Any], said: str) -> None:
    for own in (EARLIER, LATER):
        admitted = taken(replace(REPORT, type=kind, data=data, occurrence=Occurrence(own, suspect=False)))
        assert [(hold.kind, hold.at) for hold in admitted.holds] == [(said, min(own, NOW))]


def test_a_client_cannot_say_what_a_text_wishes() -> None:
    admitted = taken(replace(REPORT, type="sms.received", data={"body": "hello", "wish": "opt_in"}))
    assert admitted.holds == ()
    assert decode(encode(admitted.touchpoint), Touchpoint).data == {"body": "hello"}


def test_a_withdrawal_whose_scope_is_not_understood_stops_everything() -> None:
    admitted = taken(replace(REPORT, type="consent.withdrawn", data={"channel": "newsletter", "purpose": 5}))
    assert [(h.kind, h.channel, h.purpose) for h in admitted.holds] == [("opt_out", "", "")]


def test_a_grant_whose_scope_is_not_understood_grants_nothing() -> None:
    with pytest.raises(RefusedError):
        taken(replace(REPORT, type="consent.granted", data={"channel": "newsletter"}))


@pytest.mark.parametrize(
    "data",
    [
        {"amount": 12.5, "currency": "EUR"},
        {"amount": -1299, "currency": "EUR"},
        {"amount": "12"},
        {"amount": True},
        {"amount": 1, "currency": "euro"},
        {"amount": 1},
    ],
)
def test_an_order_with_money_that_is_not_minor_units_and_a_currency_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        taken(replace(REPORT, type="order.placed", data=data))


def test_the_id_of_a_body_ignores_order_white_space_and_the_attempt() -> None:
    first = body_id(b'{"a":1,"b":{"c":2},"sentAt":"2026-11-22T09:30:00Z"}')
    assert first == body_id(b'{ "b": {"c": 2}, "a": 1, "sentAt": "2026-11-22T09:31:00Z" }')
    assert first != body_id(b'{"a":2,"b":{"c":2}}')


WRAP_UP = replace(REPORT, type="call.wrapped_up")


YES: tuple[object, ...] = (True, "true", " Yes", 1, "1", "Y", "ja", "high", "do not call again", 2, 0.5, [True], {"why": "moved"})
NO: tuple[object, ...] = (False, "false", "No", " n", "NEIN", "Não", "none", "-", 0, 0.0, "0", "", " ", None, [], {})


@pytest.mark.parametrize("field", ["refusal", "complaint"])
@pytest.mark.parametrize(("said", "meant"), [*((one, True) for one in YES), *((one, False) for one in NO)])
def test_an_answer_of_a_wrap_up_means_to_everybody_what_it_raises(field: str, said: object, meant: bool) -> None:
    admitted = taken(replace(WRAP_UP, data={field: said, "agent": "mia"}))
    assert decode(encode(admitted.touchpoint), Touchpoint).data == {field: meant, "agent": "mia"}
    assert [hold.kind for hold in admitted.holds] == ([{"refusal": "opt_out", "complaint": "complaint"}[field]] if meant else [])


@pytest.mark.parametrize("said", ["high", ["a"], "Y", "no", None])
def test_no_answer_of_a_wrap_up_costs_the_stop_beside_it(said: object) -> None:
    assert "opt_out" in [hold.kind for hold in taken(replace(WRAP_UP, data={"refusal": True, "complaint": said})).holds]
    assert "complaint" in [hold.kind for hold in taken(replace(WRAP_UP, data={"refusal": said, "complaint": True})).holds]
