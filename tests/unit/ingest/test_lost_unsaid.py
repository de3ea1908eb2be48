"""What a sender may get wrong so that a stop or a refusal would be lost, or a grant given, without a word: it is refused, or told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from nextwave_ingest.mappings.document import read
from nextwave_ingest.mappings.library import shipped
from nextwave_ingest.mappings.losing import doubts, losses, types_of
from nextwave_ingest.naming import near
from nextwave_ingest.wishes.hearing import Wish, heard
from unit.ingest.fakes import Stand, basic, key_of, stand
from unit.ingest.one_rule import faults, mapping

GUIDE = (Path(__file__).parents[3] / "docs" / "doors.md").read_text(encoding="utf-8")
STRUCTURED = {"content-type": "application/cloudevents+json"}
ANN = "+14155550100"


def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "e-1", "source": "/crm", "type": kind, "subject": "customer_id:7", "data": data}


def holds(door: Stand) -> list[tuple[str, str, str]]:
    return [(hold.kind, hold.channel, hold.purpose) for hold in door.committer.holds]


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"chanel": "sms", "purposes": ["service"]}, "/data/chanel"),
        ({"channel": "sms", "purposes": ["service"]}, "/data/purposes"),
        ({}, "/data/channel"),
        ({"channel": "", "purpose": "service"}, "/data/channel"),
        ({"channel": "sms"}, "/data/purpose"),
        ({"channel": ["sms"], "purpose": "service"}, "/data/channel"),
        ({"channel": "sms", "purpose": "newsletter"}, "/data/purpose"),
    ],
)
async def test_a_grant_that_does_not_name_what_is_agreed_to_is_refused(ingest: Stand, said: dict[str, Any], pointer: str) -> None:
    answer = await ingest.post("/v1/touchpoints", event("consent.granted", said), headers=STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert ingest.committer.records == []


async def test_a_grant_of_all_is_said_by_that_word_and_may_say_more(ingest: Stand) -> None:
    said = {"channel": "all", "purpose": "marketing", "double_opt_in": True, "proof": {"page": "/agree"}, "$lib": "web", "seq": 3}
    answer = await ingest.post("/v1/touchpoints", event("consent.granted", said), headers=STRUCTURED)
    assert answer.json() == {"accepted": 1, "rejected": []}
    assert holds(ingest) == [("opt_in", "", "marketing")]
    assert ingest.committer.touchpoints[0].data == said | {"channel": ""}


@pytest.mark.parametrize(
    ("said", "stopped", "pointers"),
    [
        ({"chanel": "sms"}, ("", ""), ["/data/chanel"]),
        ({"channel": "sms", "purposes": ["marketing"]}, ("sms", ""), ["/data/purposes"]),
        ({"channel": "newsletter", "purpose": "marketing"}, ("", "marketing"), ["/data/channel"]),
        ({"channel": "all", "reason": "moved"}, ("", ""), []),
        ({}, ("", ""), []),
    ],
)
async def test_a_withdrawal_with_a_misspelt_scope_stops_everything_and_says_so(
    ingest: Stand, said: dict[str, Any], stopped: tuple[str, str], pointers: list[str]
) -> None:
    answer = await ingest.post("/v1/touchpoints", event("consent.withdrawn", said), headers=STRUCTURED)
    assert answer.status_code == 202
    assert holds(ingest) == [("opt_out", *stopped)]
    assert [one["pointer"] for one in answer.json().get("warnings", [])] == pointers


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("type: consent.granted, data: {chanel: email}", ["chanel", "purpose"]),
        ("type: consent.granted, data: {channel: $.channel}", ["purpose"]),
        ("type: consent.granted, data: {channel: mail, purpose: marketing}", ["channel"]),
        ("type: consent.granted, data: {channel: $.channel, purpose: marketing}", []),
        ("type: consent.granted, data: {'*': {table: scopes, key: $.list}}", []),
        ("type: consent.granted, data: {'*': {table: scopes, key: $.list}, channel_id: $.id}", []),
        ("type: consent.granted, data: {channel_id: $.id, purpose: marketing}", ["channel_id"]),
    ],
)
def test_a_mapping_whose_grants_name_no_scope_is_refused_when_it_is_saved(rule: str, found: list[str]) -> None:
    told = faults(mapping(rule, scopes={"a": {"channel": "email", "purpose": "marketing"}}))
    assert told == [f"/touchpoints/0/data/{field}" for field in found]


@pytest.mark.parametrize("said", [{"Body": "STOP"}, {"content": "STOP"}, {"body": {"text": "STOP"}}, {}])
@pytest.mark.parametrize("kind", ["sms.received", "email.received", "chat.message_received", "message.left"])
async def test_a_message_whose_words_nobody_can_find_is_refused(ingest: Stand, kind: str, said: dict[str, Any]) -> None:
    answer = await ingest.post("/v1/touchpoints", event(kind, said), headers=STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/data/body")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("sms.received", {"body": "", "media": 1}),
        ("sms.received", {"text": None}),
        ("sms.received", {"OptOutType": "STOP"}),
        ("chat.message_received", {"by": "agent"}),
        ("email.received", {"subject": "STOP"}),
        ("email.received", {"html": ""}),
        ("email.auto_replied", {}),
    ],
)
async def test_a_message_that_says_it_has_no_words_or_is_heard_all_the_same_is_taken(
    ingest: Stand, kind: str, said: dict[str, Any]
) -> None:
    answer = await ingest.post("/v1/touchpoints", event(kind, said), headers=STRUCTURED)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("rule", "is_lost"),
    [
        ("type: sms.received, data: {Body: $.Body}", True),
        ("type: sms.received", True),
        ("type: '{% if item.wa %}chat.message_received{% else %}note.left{% endif %}', data: {content: $.Body}", True),
        ("type: {table: kinds, key: $.kind}, data: {subject: $.subject}", True),
        ("type: sms.received, data: {body: $.Body}", False),
        ("type: email.received, data: {html: $.html}", False),
        ("type: song.played", False),
    ],
)
def test_a_mapping_in_which_no_stop_would_be_heard_is_refused_when_it_is_saved(rule: str, *, is_lost: bool) -> None:
    told = faults(mapping(rule, kinds={"mail": "email.received"}))
    assert told == (["/touchpoints/0/data/body"] if is_lost else [])


@pytest.mark.parametrize(
    ("said", "accepted"), [({"text": ""}, 1), ({"text": None}, 1), ({"text": "hello"}, 1), ({"Text": "STOP"}, 0), ({"text": 7}, 0)]
)
async def test_a_text_of_a_gateway_without_words_is_taken_where_it_says_that_it_has_none(
    ingest: Stand, said: dict[str, Any], accepted: int
) -> None:
    answer = await ingest.post("/v1/inbound/shop/sms-gateway", {"id": "g1", "from": ANN, **said})
    assert (answer.json()["accepted"], len(answer.json()["rejected"])) == (accepted, 1 - accepted)
    assert len(ingest.committer.rejected) == 1 - accepted


@pytest.fixture
def bounded(tmp_path: Path) -> Stand:
    return stand(tmp_path, key_of("texts", types=("sms.received",)), key_of("page", types=("page.*",)), key_of("calls", types=("call.*",)))


@pytest.mark.parametrize(
    ("kind", "said", "taken"),
    [
        ("chat.message_received", {"body": "STOP"}, True),
        ("chat.message_received", {"body": "please leave me alone"}, True),
        ("consent.withdrawn", {}, True),
        ("complaint.opened", {"reference": "t-1"}, True),
        ("chat.message_received", {"body": "hello"}, False),
        ("chat.message_received", {"body": "START"}, False),
        ("consent.granted", {"channel": "sms", "purpose": "marketing"}, False),
        ("complaint.resolved", {"reference": "t-1"}, False),
        ("order.placed", {}, False),
    ],
)
async def test_a_stop_passes_the_bound_of_a_source_that_may_stop_and_nobody_else_s(
    bounded: Stand, kind: str, said: dict[str, Any], *, taken: bool
) -> None:
    for name in ("texts", "calls", "page"):
        headers = STRUCTURED | {"authorization": basic(f"wk_{name}")}
        answer = await bounded.post("/v1/touchpoints", event(kind, said), headers=headers)
        assert answer.status_code == (202 if taken and name != "page" else 400), name


async def test_a_verdict_that_also_ends_a_review_passes_no_bound(tmp_path: Path) -> None:
    door = stand(tmp_path, key_of("texts", types=("sms.received",), roles=("agent",)))
    verdict = {"reference": "sms-0d7c5d0e-9f0b-5c39-8d64-2f1c7a3be6a1", "refused": True}
    headers = STRUCTURED | {"authorization": basic("wk_texts")}
    answer = await door.post("/v1/touchpoints", event("refusal.reviewed", verdict), headers=headers)
    assert answer.json()["errors"][0]["detail"].startswith("this source may report sms.received only")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({"event": "msg", "text": "STOP"}, True),
        ({"text": "STOP"}, True),
        ({"event": "Message", "body": "STOP"}, True),
        ({"event": "started", "text": "STOP"}, True),
        ({"event": "ended", "message": "STOP"}, True),
        ({"event": "message", "words": "STOP"}, False),
        ({"event": "typing"}, False),
    ],
)
async def test_a_stop_in_a_chat_is_heard_whatever_its_event_is_called_or_else_rejected(
    ingest: Stand, said: dict[str, Any], *, heard: bool
) -> None:
    answer = await ingest.post("/v1/inbound/shop/chat", {"id": "m-1", "conversation": "c-1", "customer": {"id": "7"}, **said})
    assert (holds(ingest), answer.json()["ignored"]) == ([("opt_out", "chat", "")] if heard else [], 0)
    assert len(ingest.committer.rejected) == (0 if heard else 1)


async def test_words_of_ours_in_a_chat_are_ignored_and_those_of_a_board_without_a_text_rejected(ingest: Stand) -> None:
    ours = await ingest.post("/v1/inbound/shop/chat", {"event": "message", "text": "STOP", "by": "Agent", "customer": {"id": "7"}})
    assert (ours.json()["ignored"], holds(ingest)) == (1, [])
    board = await ingest.post("/v1/inbound/shop/message-board", {"id": "p", "words": "STOP", "author": {"id": "7"}})
    assert len(board.json()["rejected"]) == 1


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("complaint.openedd", "complaint.opened"),
        ("order.placd", "order.placed"),
        ("oredr.placed", "order.placed"),
        ("page.viewedd", "page.viewed"),
        ("Sms.receivedd", "sms.received"),
        ("order.paid", ""),
        ("song.played", ""),
        ("order.placed", ""),
        ("call.queued", ""),
    ],
)
async def test_a_type_that_is_nearly_one_with_a_meaning_is_kept_and_the_sender_is_told(ingest: Stand, kind: str, meant: str) -> None:
    answer = await ingest.post("/v1/touchpoints", event(kind, {}), headers=STRUCTURED)
    warned = [one["detail"] for one in answer.json().get("warnings", [])]
    assert (answer.status_code, [meant in one for one in warned]) == (202, [True] if meant else [])
    assert near(kind) == meant


async def test_a_type_in_other_letters_is_refused_with_the_right_ones_at_the_door_and_in_a_mapping(ingest: Stand) -> None:
    answer = await ingest.post("/v1/touchpoints", event("Complaint.Opened", {}), headers=STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (400, "types are in small letters: write complaint.opened")
    [fault] = losses(read(mapping("type: {table: kinds, key: $.kind}", kinds={"c": "Complaint.Opened"}).encode()))
    assert (fault.pointer, fault.fix) == ("/touchpoints/0/type", "write complaint.opened")


def test_a_mapping_s_type_that_is_nearly_one_with_a_meaning_is_asked_about() -> None:
    document = read(mapping("type: order.placd").encode())
    assert losses(document) == []
    assert [(one.pointer, one.fix) for one in doubts(document)] == [("/touchpoints/0/type", "did you mean order.placed?")]


async def test_what_an_item_of_a_mapping_may_have_meant_stands_in_the_answer_by_its_index(tmp_path: Path) -> None:
    document = mapping("type: consent.withdrawn, when: {$.id: {exists: true}}, data: {channel: $.channel}")
    door = stand(tmp_path, documents=[read(document.encode())])
    answer = await door.post("/v1/inbound/shop/ours", [{"from": ANN}, {"id": "2", "from": ANN, "channel": "text"}])
    assert [(one["index"], one["pointer"]) for one in answer.json()["warnings"]] == [(1, "/data/channel")]


def test_the_guide_says_which_touchpoints_each_shipped_mapping_makes() -> None:
    [rows] = re.findall(r"^\| mapping \| touchpoints \|\n\|[- |]+\|\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    told = {name: set(kinds) for name, *kinds in (re.findall(r"`([^`]+)`", row) for row in rows.splitlines())}
    assert told == {one.name: {kind for rule in one.touchpoints for kind in types_of(rule.type, one.tables)} for one in shipped()}


@pytest.mark.parametrize("text", ["S T O P", "s.t.o.p", "S-T-O-P!", "Unsub", "Cancelar suscripción", "geen reclame", "Wypisz się"])
@pytest.mark.parametrize("kind", ["sms.received", "email.received", "chat.message_received", "message.left"])
def test_letters_may_be_set_apart_and_short_and_long_ways_to_stop_count(kind: str, text: str) -> None:
    assert heard(kind, {"text": text}) == Wish("opt_out")


def test_letters_set_apart_grant_nothing_and_are_no_word_by_chance() -> None:
    assert [heard("sms.received", {"text": text}) for text in ("S T A R T", "a b c", "s top", "y")] == [None] * 4


@pytest.mark.parametrize(
    "text",
    [
        "Lasciatemi in pace!",
        "per favore non chiamatemi più",
        "Non voglio più ricevere messaggi",
        "laat me alsjeblieft met rust",
        "Wij willen geen reclame meer",
        "Proszę dać mi spokój",
        "Nie dzwońcie do mnie więcej",
        "Proszę usunąć mnie z listy",
        "nie chcę dostawać reklam",
    ],
)
def test_refusals_in_italian_dutch_and_polish_wait_for_somebody_to_read_them(text: str) -> None:
    assert heard("sms.received", {"text": text}) == Wish("review")


@pytest.mark.parametrize(
    "text",
    ["Quando chiamate?", "Kunt u mij morgen bellen?", "Proszę zadzwonić jutro", "Bel me niet voor 9 uur", "Non chiamatemi prima delle 9"],
)
def test_a_question_in_italian_dutch_or_polish_is_no_refusal(text: str) -> None:
    assert heard("sms.received", {"text": text}) is None
