"""What `docs/touchpoints.md` promises to those who send touchpoints is what the doors and the profile do with them.

Its tables are read: every example goes through the door into a profile, with and without its field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec
import pytest
from nextwave_contracts.actions import UNHELD_PURPOSES, Purpose
from nextwave_contracts.messages_in import CHANNEL_OF
from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES, Touchpoint
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.admission import RefusedError, admit, names_of
from nextwave_ingest.doors import cloudevents_mapping, segment_mapping
from nextwave_ingest.wishes.hearing import NOTED
from nextwave_scoring.churn.features import features
from nextwave_scoring.instants import micros
from nextwave_scoring.profile import dates, touch
from nextwave_scoring.profile.orders import AMOUNT_MAX
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.subjects import subject_of
from nextwave_scoring.reasons_given import CODES, WORDS

from .making import START

Data = dict[str, Any]
TEXT = (Path(__file__).parents[3] / "docs" / "touchpoints.md").read_text(encoding="utf-8")
SIGNS = {
    "open_complaints", "unsatisfied", "abandoned_calls", "returns", "failed_payments", "delays", "contract_cancelled", "refusals",
}  # fmt: skip
"""Features of churn that one touchpoint alone can raise."""
NEEDED: dict[str, Data] = {
    "identities.separated": {"identifiers": ["email:bob@example.com"]},
    "refusal.reviewed": {"reference": "sms-0d7c5d0e-9f0b-5c39-8d64-2f1c7a3be6a1", "refused": False},
    "consent.granted": {"channel": "email", "purpose": "marketing"},
    "sms.received": {"body": ""},
    "email.received": {"body": ""},
    "chat.message_received": {"body": ""},
    "message.left": {"body": ""},
}
"""Without these the door refuses a touchpoint of the type."""


class Row(NamedTuple):
    """One line of a table of data: `of` are types, or the name of a group of fields."""

    of: tuple[str, ...]
    fields: tuple[str, ...]
    example: Data


class Told(NamedTuple):
    """One line of the table of types."""

    meaning: str
    subject: str
    came: str
    sign: str
    data: str


def table(header: str) -> Iterator[list[str]]:
    """The cells of every line of the tables with this header."""
    for block in re.findall(rf"^\| {re.escape(header)} \|\n\|[- |]+\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE):
        for line in block.splitlines():
            yield [cell.strip() for cell in line[1:-1].split("|")]


def quoted(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


TYPES = {quoted(cells[0])[0]: Told(*cells[1:]) for cells in table("type | meaning | subject | came | sign | data that is read")}
ROWS = [
    Row(quoted(types) or (types,), quoted(fields), json.loads(quoted(example)[0]))
    for types, fields, _, example, _ in table("types | field | value | example | does")
]
GROUPS = {name for row in ROWS for name in row.of if name not in TOUCHPOINT_TYPES}


def groups_of(kind: str) -> set[str]:
    return GROUPS & set(re.findall(r"\w+", re.sub(r"`[^`]+`", "", TYPES[kind].data)))


def rows_of(kind: str) -> list[Row]:
    return [row for row in ROWS if {kind, *groups_of(kind)}.intersection(row.of)]


PROMISES = [(kind, field, row) for kind in TYPES for row in rows_of(kind) for field in row.fields]


def sent(kind: str, data: Data) -> Touchpoint:
    """What the CloudEvents door makes of it. Raises `RefusedError`."""
    event = {"specversion": "1.0", "id": "e", "source": "crm", "type": kind, "subject": "customer_id:7", "data": data}
    report = cloudevents_mapping.understand(msgspec.json.encode(event), key_source="crm", received_at=START)
    touchpoint: Touchpoint = decode(encode(admit(report, START, lambda name: name).touchpoint), Touchpoint)
    return touchpoint


def taken(touchpoint: Touchpoint) -> Profile:
    profile = Profile(names=list(touchpoint.identifiers))
    touch.take(profile, touchpoint)
    return profile


def what_comes_of(kind: str, data: Data) -> Profile | str:
    """The profile, or the field for which the door refuses."""
    try:
        return taken(sent(kind, data))
    except RefusedError as refused:
        return refused.pointer


def test_every_type_is_told_with_its_meaning_and_no_type_more() -> None:
    assert {kind: told.meaning for kind, told in TYPES.items()} == TOUCHPOINT_TYPES


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_is_counted_and_judged_as_told(kind: str) -> None:
    profile = taken(sent(kind, NEEDED.get(kind, {})))
    raised = {name for name, value in features(profile, micros(START)).items() if name in SIGNS and value > 0}
    assert (TYPES[kind].subject, TYPES[kind].came) == (subject_of(kind), "yes" if profile.active_at else "no")
    assert set(quoted(TYPES[kind].sign)) == raised


@pytest.mark.parametrize("kind", TYPES)
def test_the_table_of_types_names_the_fields_that_are_explained(kind: str) -> None:
    explained = {field for row in ROWS if kind in row.of for field in row.fields}
    assert set(quoted(TYPES[kind].data)) == explained


@pytest.mark.parametrize(("kind", "field", "row"), PROMISES, ids=[f"{kind}:{field}" for kind, field, _ in PROMISES])
def test_each_spelling_of_a_field_tells_something(kind: str, field: str, row: Row) -> None:
    without = {name: value for name, value in row.example.items() if name not in row.fields}
    assert taken(sent(kind, without | {field: row.example[field]})) != what_comes_of(kind, without)


class Watched(dict[str, Any]):
    """Data that remembers which fields were asked for."""

    def __init__(self, data: Data) -> None:
        super().__init__(data)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)


@pytest.mark.parametrize("kind", TYPES)
def test_nothing_is_read_that_the_document_does_not_name(kind: str) -> None:
    named = {field for row in rows_of(kind) for field in row.fields}
    for data in (NEEDED.get(kind, {}), *(row.example for row in rows_of(kind))):
        touchpoint = sent(kind, data)
        by_the_door = touchpoint.data.keys() - data.keys()
        watched = Watched(touchpoint.data)
        taken(msgspec.structs.replace(touchpoint, data=watched))
        assert watched.asked - named <= by_the_door | (NOTED if kind in CHANNEL_OF else set())


def test_call_centres_words_are_those_of_the_door() -> None:
    assert {quoted(sent)[0]: quoted(meant)[0] for sent, meant in table("type sent | is")} == cloudevents_mapping.CALL_TYPES


def test_segments_events_are_those_of_the_door() -> None:
    pairs = [pair for cells in table("event | is | event | is") for pair in (cells[:2], cells[2:]) if pair[0]]
    told = {segment_mapping.normal(event): quoted(kind)[0] for event, kind in pairs}
    assert told == {event: kind for event, (kind, _) in segment_mapping.EVENTS.items()}


@pytest.mark.parametrize("cells", table("event | properties sent | data read"), ids=" ".join)
def test_segments_door_translates_as_told(cells: list[str]) -> None:
    properties, read = (json.loads(quoted(cell)[0]) for cell in cells[1:])
    call = {"type": "track", "event": cells[0], "userId": "7", "messageId": "m", "properties": properties}
    told = segment_mapping.understand(msgspec.json.encode(call), segment_mapping.Envelope(source="shop", received_at=START)).data
    assert told.items() >= read.items()


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "consent.granted"])  # which is refused with any field more
def test_addresses_in_the_data_name_the_customer_of_three_types_only(kind: str) -> None:
    addresses = {"email": "Ann@example.com", "phone": "0171 1234567", "address": {"country": "DE"}}
    names = sent(kind, addresses | NEEDED.get(kind, {})).identifiers
    told = {"email:ann@example.com", "phone:+491711234567"} if "traits" in groups_of(kind) else set()
    assert set(names) - {"customer_id:7"} == told


def test_a_national_number_needs_the_country_of_its_address_and_is_refused_as_a_name() -> None:
    beside = sent("customer.identified", {"phone": "0171 1234567", "country": "DE"})
    assert beside.identifiers == ("customer_id:7",)
    assert not taken(beside).points
    with pytest.raises(RefusedError):
        names_of(["phone:0171 1234567"], "/data/identifiers")


def test_all_codes_and_phrases_of_reasons_are_told() -> None:
    lines = {cells[0]: [quoted(cell) for cell in cells[1:]] for cells in table("evidence | codes | English | German")}
    assert {kind: set(codes) for kind, (codes, _, _) in lines.items()} == CODES
    assert {kind: {"en": en, "de": de} for kind, (_, en, de) in lines.items() if en or de} == WORDS


def test_a_call_that_was_refused_rests_and_withdraws_only_where_refusal_says_so() -> None:
    refusal, disposition = (taken(sent("call.wrapped_up", data)) for data in ({"refusal": True}, {"disposition": "refused"}))
    assert refusal.refused == disposition.refused == {"call": micros(START)}
    assert (set(refusal.consents), disposition.consents) == ({"call|"}, {})


def test_a_contract_begins_when_it_was_signed_or_as_it_says() -> None:
    for data, began in (({}, micros(START)), ({"starts": "2025-04-01T00:00:00Z"}, 1_743_465_600_000_000)):
        assert [contract.started_at for contract in taken(sent("contract.signed", data)).contracts.values()] == [began]


def test_the_purposes_that_a_complaint_holds_are_those_told() -> None:
    assert set(get_args(Purpose)) - UNHELD_PURPOSES == {"marketing", "care"}
    assert "holds contacts of marketing and care" in TEXT


def test_money_and_dates_are_bounded_as_told() -> None:
    assert f"below 2^{AMOUNT_MAX.bit_length() - 1};" in TEXT
    assert taken(sent("order.placed", {"amount": AMOUNT_MAX, "currency": "EUR"})).orders["EUR"] == [1, 0, 0]
    assert taken(sent("order.placed", {"amount": AMOUNT_MAX - 1, "currency": "EUR"})).orders["EUR"] == [1, AMOUNT_MAX - 1, 0]
    assert [bool(dates.told(date)) for date in ("1969-12-31", "1970-01-02", "2199-12-31", "2200-01-02")] == [False, True, True, False]
