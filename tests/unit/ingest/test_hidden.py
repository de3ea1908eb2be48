"""Of what strangers wrote, readers without need see how it is built and what is harmless: no name, number, address or free text."""

from __future__ import annotations

import ast
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts import identifiers
from nextwave_contracts.masking import MASK, in_words
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_ingest import hidden
from nextwave_ingest.mappings.document import read
from unit.ingest.fakes import basic, key_of, stand
from unit.ingest.office import kept_of, office

SHOPIFY = {
    "id": 820982911946154508,
    "name": "#1001",
    "email": "jon@example.com",
    "created_at": "2026-11-22T03:36:50-05:00",
    "currency": "EUR",
    "financial_status": "paid",
    "total_price": "119.90",
    "note": "ring twice, the dog is called Rex",
    "browser_ip": "203.0.113.9",
    "tags": "vip, Norman",
    "note_attributes": [{"name": "gift for", "value": "Aunt Mary"}],
    "customer": {"first_name": "Jon", "last_name": "Norman", "phone": "+1 415 555 0177", "default_address": {"zip": "40202"}},
    "shipping_address": {
        "address1": "123 Fake Street", "city": "Fakecity", "province": "Kentucky", "latitude": 38.25271, "company": "Norman & Sons"
    },
    "line_items": [{"title": "Big Brown Bear Boots", "quantity": 2, "price": "59.95", "vendor": "Bears Inc"}],
}  # fmt: skip
TWILIO = {
    "MessageSid": "SM8f570fadf48054b18d97e18f980af333",
    "SmsStatus": "received",
    "NumSegments": "1",
    "Direction": "inbound",
    "Timestamp": "Sun, 22 Nov 2026 08:00:10 +0000",
    "From": "+14155550177",
    "FromCity": "SAN RAFAEL",
    "FromZip": "94903",
    "ProfileName": "Ann Lee",
    "WaId": "14155550177",
    "Body": "Leave me alone, I moved to 5 Elm Road",
}
GENESYS = {
    "detail-type": "v2.detail.events.conversation.{id}.user.end",
    "time": "2026-11-22T08:00:00Z",
    "detail": {
        "eventBody": {
            "eventTime": 1795334400000,
            "mediaType": "VOICE",
            "direction": "INBOUND",
            "disconnectType": "CLIENT",
            "ani": "tel:+4930901820",
            "participantName": "Schmidt, Erika",
            "wrapupNotes": "Mrs Schmidt wants her money back",
            "attributes": {"customer": "Erika", "dob": "1980-04-01T00:00:00Z"},
        }
    },
}
MADE_UP = {
    "type": "gast.angekommen",
    "occurred_at": "2026-11-22 08:00",
    "wer": "Frau Kunz",
    "rufnummer": 4915123456789,
    "geboren": "1971-05-06T00:00:00Z",
    "tischnr": 12,
    "Frau Müller": "kommt später",
    "gäste": ["Kunz", {"vn": "Eva", "mail": "eva(at)example.org", "seit": "06.05.1971"}],
    "telefon": "030 90 18 20",
    "status": "Frau Kunz ist verärgert",
    "event": "Frau Kunz rief an und bat um sofortigen Rückruf",
}
BODIES: list[tuple[dict[str, Any], list[str], list[str]]] = [
    (
        SHOPIFY,
        ["8209", "1001", "jon", "norman", "ring", "rex", "203.", "vip", "mary", "gift", "0177", "402", "fake", "kent", "38.2", "bear"],
        ['"created_at":"2026-11-22T03:36:50-05:00"', '"EUR"', '"paid"', '"total_price":"119.90"', '"quantity":2', '"+0 000 000 0000"'],
    ),
    (
        TWILIO,
        ["8f570", "1415", "555", "rafael", "949", "ann", "leave", "elm"],
        ['"SmsStatus":"received"', '"NumSegments":"1"', '"Sun, 22 Nov 2026 08:00:10 +0000"', '"inbound"', '"From":"+00000000000"'],
    ),
    (
        GENESYS,
        ["493090", "schmidt", "erika", "money", "1980"],
        ['.user.end"', '"2026-11-22T08:00:00Z"', "1795334400000", '"VOICE"', '"CLIENT"', '"wrapupNotes"'],
    ),
    (
        MADE_UP,
        ["kunz", "49151", "1971", "12,", "müller", "kommt", "eva", "example", "030", "18", "verärgert", "rief"],
        ['"gast.angekommen"', '"2026-11-22 08:00"', '"rufnummer":"0000000000000"', '"telefon":"000 00 00 00"', '"seit":"00.00.0000"'],
    ),
]


@pytest.mark.parametrize(("body", "secrets", "shown"), BODIES)
def test_no_name_number_address_or_free_text_comes_through_and_the_structure_does(
    body: dict[str, Any], secrets: list[str], shown: list[str]
) -> None:
    text = msgspec.json.encode(hidden.item(body)).decode()
    assert [secret for secret in secrets if secret in text.lower()] == []
    assert [part for part in shown if part not in text] == []


@given(st.text(max_size=30) | st.integers() | st.floats(), st.text(max_size=10))
def test_whatever_is_in_no_known_field_is_hidden(value: Any, key: str) -> None:
    [shown], beside = hidden.item([[value], {key: 1, "x": value}])
    assert beside["x"] == shown
    assert shown in {"", MASK} or not shown.strip("0+-.,:/() TZ")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("must be RFC 3339", "must be RFC 3339"),
        ("the source's key may not say it", "the source's key may not say it"),
        ('occurred_at: "$.time" is "yesterday", which is no time', f'occurred_at: "$.time" is {MASK}, which is no time'),
        ('type, from "$.kind": "/ann/lee" is none', f'type, from "$.kind": {MASK} is none'),
        ("""none of phone ("$.caller"), id ("$.customer['no.']")""", """none of phone ("$.caller"), id ("$.customer['no.']")"""),
        ("""'Ann "Lee" O'Hara' is no id""", f"{MASK} is no id"),
        ('is "Ann "the boss" Lee", and "Bob"', f"is {MASK}"),
        ("""'Ann', not "Bob", or 'Eve'. Mend it""", f"{MASK}. Mend it"),
        ("""is 'Ann' and "Bob" here""", f"is {MASK} and {MASK} here"),
        ('is "Ann \\"Lee and is cut off', f"is {MASK}"),
        ("""ValueError("invalid literal for int() with base 10: 'Ann'")""", f"ValueError({MASK})"),
        ("Expected `int`, got `str` - at `$.x`", "Expected `int`, got `str` - at `$.x`"),
        ("call +4915123456789 or ann@example.com", f"call {MASK} or {MASK}"),
    ],
)  # fmt: skip
def test_what_we_said_of_an_item_is_shown_without_what_it_repeats(said: str, shown: str) -> None:
    assert hidden.words(said, 300) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/: is missing", "/: is missing"),
        ("/data/lines/0/amount: is missing", "/data/lines/0/amount: is missing"),
        ("/data/Ann Lee: is missing", f"/data/{MASK}: {MASK}"),
        ("/data/4915123456789/x: is missing", f"/data/{MASK}: {MASK}"),
        ("KeyError('Ann Lee')", f"KeyError({MASK})"),
    ],
)
def test_where_an_item_is_wrong_is_told_by_names_of_fields_alone(said: str, shown: str) -> None:
    assert hidden.reason(said, 300) == shown


@pytest.mark.parametrize("part", ["'", '"', "/", "a", "0", "a ", "$.", "'$'", "\\"])
def test_a_long_text_is_looked_at_in_no_time(part: str) -> None:
    begun = process_time()
    long = part * (32_000 // len(part))
    hidden.item({"type": long, "at": long, "amount": long, long: 1})
    hidden.words(long, 300)
    hidden.reason("/" + long, 300)
    assert process_time() - begun < 1.0


def test_nothing_that_we_say_by_ourselves_looks_like_somebodys_address() -> None:
    files = [*Path(hidden.__file__).parent.rglob("*.py"), Path(identifiers.__file__)]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    notes = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes]
    assert [text for text in texts if MASK in in_words(text) and " " in text] == []


CALLS = """
name: calls
touchpoints:
  - {type: call.ended, id: $.id, occurred_at: $.at, identifiers: {phone: $.from}}
"""


async def test_readers_operators_who_redrive_and_the_page_of_a_source_tell_none_of_it(tmp_path: Path) -> None:
    doors = stand(tmp_path, key_of("pbx"), documents=[read(CALLS.encode())])
    body = {"id": "c1", "from": "+4915123456789", "at": "when Ann Lee rang", "Ann Lee": 1}
    await doors.post("/v1/inbound/pbx/calls", body, headers={"authorization": basic("wk_pbx")})
    rooms = office(tmp_path, doors, documents=[read(CALLS.encode())])
    answers = [
        await rooms.call("GET", "/v1/rejected", "viewer"),
        await rooms.call("GET", "/v1/rejected/0-0", "editor"),
        await rooms.call("POST", "/v1/rejected:redrive", "operator", json={}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    for answer in answers:
        assert "Ann" not in answer.text
        assert "4915" not in answer.text
    assert answers[2].json()["refused"][0]["id"] == "0-0"
    whole = await rooms.call("GET", "/v1/rejected/0-0", "privacy")
    assert "Ann Lee" in whole.text


async def test_a_key_that_looks_like_the_end_of_a_pointer_hides_nothing_less(tmp_path: Path) -> None:
    doors = stand(tmp_path)
    call = {"type": "track", "event": "x", "userId": "7", "properties": {"seat: Ann Lee, 5 Elm Road": 2**63}}
    await doors.post("/v1/batch", {"batch": [call]})
    rooms = office(tmp_path, doors)
    [listed] = (await rooms.call("GET", "/v1/rejected", "viewer")).json()["items"]
    assert listed["detail"] == f"/properties/{MASK}: {MASK}"
    [again] = (await rooms.call("POST", "/v1/rejected:redrive", "operator", json={})).json()["refused"]
    assert again["pointer"] == f"/properties/{MASK}"


async def test_an_error_that_repeats_a_value_is_shown_without_it(tmp_path: Path) -> None:
    doors = stand(tmp_path)
    doors.committer.records.append(kept_of(TOUCHPOINTS.name, b"{}", detail="KeyError('Ann Lee')"))
    rooms = office(tmp_path, doors)
    told = [(await rooms.call("GET", "/v1/rejected/0-0", role)).json()["detail"] for role in ("operator", "privacy")]
    assert told == [f"KeyError({MASK})", "KeyError('Ann Lee')"]
