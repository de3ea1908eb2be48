"""What may be a refusal is held by the door, and ended by those alone who may review it."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_contracts.holds import Hold
from unit.ingest.fakes import NOW, Stand, basic

STRUCTURED = {"content-type": "application/cloudevents+json"}
AGENT, OPERATOR, SHOP = (basic(key) for key in ("wk_phones", "wk_desk", "wk_shop"))


def event(kind: str, data: dict[str, Any], name: str = "e-1") -> dict[str, Any]:
    return {"specversion": "1.0", "id": name, "source": "/s", "type": kind, "subject": "phone:+491711234567", "data": data}


async def refused(ingest: Stand, name: str = "e-1") -> Hold:
    answer = await ingest.post("/v1/touchpoints", event("sms.received", {"body": "please leave me alone"}, name), headers=STRUCTURED)
    assert answer.status_code == 202, answer.text
    return ingest.committer.holds[-1]


async def test_words_that_may_be_a_refusal_go_out_with_a_hold_of_their_channel(ingest: Stand) -> None:
    hold = await refused(ingest)
    [said] = ingest.committer.touchpoints
    assert said.data == {"body": "please leave me alone", "wish": "review", "review": hold.reference}
    assert (hold.kind, hold.channel, hold.purpose, hold.at, hold.confirm_by) == ("review", "sms", "", NOW, None)


async def test_the_same_words_again_are_another_review_and_the_same_touchpoint_again_is_the_same(ingest: Stand) -> None:
    assert (await refused(ingest)).reference == (await refused(ingest)).reference != (await refused(ingest, "e-2")).reference


@pytest.mark.parametrize("key", [AGENT, OPERATOR])
async def test_whoever_may_review_ends_the_hold_by_its_reference(ingest: Stand, key: str) -> None:
    hold = await refused(ingest)
    verdict = event("refusal.reviewed", {"reference": hold.reference, "refused": False}, "v-1")
    answer = await ingest.post("/v1/touchpoints", verdict, headers=STRUCTURED | {"authorization": key})
    assert answer.status_code == 202, answer.text
    assert [(h.kind, h.reference) for h in ingest.committer.holds[1:]] == [("review_lifted", hold.reference)]


async def test_a_refusal_becomes_the_withdrawal_before_its_hold_ends(ingest: Stand) -> None:
    hold = await refused(ingest)
    verdict = event("refusal.reviewed", {"reference": hold.reference, "refused": True}, "v-1")
    await ingest.post("/v1/touchpoints", verdict, headers=STRUCTURED | {"authorization": AGENT})
    assert [(h.kind, h.channel, h.purpose) for h in ingest.committer.holds[1:]] == [("opt_out", "sms", ""), ("review_lifted", "", "")]


async def test_an_operator_who_sees_no_names_gives_a_verdict_on_the_name_by_which_it_was_said(ingest: Stand) -> None:
    hold = await refused(ingest)
    verdict = event("refusal.reviewed", {"reference": hold.reference, "refused": True}, "v-1")
    ours = {"subject": "external:nextwave:7d444840-9dc0-11d1-b245-5ffdce74fad2"}
    await ingest.post("/v1/touchpoints", verdict | ours, headers=STRUCTURED | {"authorization": OPERATOR})
    assert [(h.kind, h.subjects, h.reference) for h in ingest.committer.holds[1:]] == [  # and by no id, which may be another's
        ("opt_out", hold.subjects, hold.reference),
        ("review_lifted", hold.subjects, hold.reference),
    ]


@pytest.mark.parametrize("refused_", [True, False])
async def test_a_verdict_by_another_s_name_is_refused_and_withdraws_nobody(ingest: Stand, *, refused_: bool) -> None:
    hold = await refused(ingest)
    verdict = event("refusal.reviewed", {"reference": hold.reference, "refused": refused_}, "v-1") | {"subject": "customer_id:42"}
    answer = await ingest.post("/v1/touchpoints", verdict, headers=STRUCTURED | {"authorization": AGENT})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/subject")
    assert ingest.committer.holds == [hold]


async def test_a_verdict_on_a_review_of_an_older_build_whose_reference_tells_no_name_is_taken(ingest: Stand) -> None:
    verdict = event("refusal.reviewed", {"reference": REFERENCE, "refused": True}, "v-1")
    answer = await ingest.post("/v1/touchpoints", verdict, headers=STRUCTURED | {"authorization": AGENT})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    ("kind", "data", "reasons"),
    [
        ("sms.received", {"body": "STOP"}, ["sms.received"]),
        ("call.wrapped_up", {"refusal": True, "reason": "moved"}, ["call.wrapped_up: moved"]),
        (
            "consent.withdrawn",
            {"channel": "email", "reason": "write to ann@example.com,\nnot to me"},
            ["consent.withdrawn: write to •••, not to me"],
        ),
        ("complaint.opened", {"reference": "T-1", "reason": 7}, ["complaint.opened"]),
    ],
)
async def test_a_stop_says_why_without_addresses(ingest: Stand, kind: str, data: dict[str, Any], reasons: list[str]) -> None:
    await ingest.post("/v1/touchpoints", event(kind, data), headers=STRUCTURED | {"authorization": AGENT})
    assert [hold.reason for hold in ingest.committer.holds] == reasons


async def test_a_page_s_key_ends_no_review(ingest: Stand) -> None:
    hold = await refused(ingest)
    verdict = event("refusal.reviewed", {"reference": hold.reference, "refused": False}, "v-1")
    answer = await ingest.post("/v1/touchpoints", verdict, headers=STRUCTURED | {"authorization": SHOP})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/type")
    assert len(ingest.committer.holds) == 1


REFERENCE = "sms-0d7c5d0e-9f0b-5c39-8d64-2f1c7a3be6a1"


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"refused": True}, "/data/reference"),
        ({"reference": "*", "refused": True}, "/data/reference"),
        ({"reference": REFERENCE + "/x", "refused": True}, "/data/reference"),
        ({"reference": REFERENCE}, "/data/refused"),
        ({"reference": REFERENCE, "refused": "no"}, "/data/refused"),
    ],
)
async def test_a_verdict_names_one_review_and_says_yes_or_no(ingest: Stand, data: dict[str, Any], pointer: str) -> None:
    answer = await ingest.post("/v1/touchpoints", event("refusal.reviewed", data), headers=STRUCTURED | {"authorization": AGENT})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


@pytest.mark.parametrize(("words", "held"), [("leave me alone", []), ("START", []), ("STOP", [("opt_out", "email")])])
async def test_a_machine_s_mail_is_kept_as_one_and_only_stops(ingest: Stand, words: str, held: list[tuple[str, str]]) -> None:
    mail = event("email.received", {"text": words, "auto_submitted": "auto-replied"})
    await ingest.post("/v1/touchpoints", mail, headers=STRUCTURED)
    assert [t.type for t in ingest.committer.touchpoints] == ["email.auto_replied"]
    assert [(hold.kind, hold.channel) for hold in ingest.committer.holds] == held


async def test_what_an_agent_wrote_in_a_chat_of_segment_s_is_not_the_customer_s(ingest: Stand) -> None:
    calls = [
        {"type": "track", "userId": "7", "event": f"Live Chat Message {way}", "messageId": way, "properties": {"message_body": "STOP"}}
        for way in ("Received", "Sent")
    ]
    await ingest.post("/v1/batch", {"batch": calls})
    assert [(hold.id, hold.channel) for hold in ingest.committer.holds] == [("Sent/opt_out", "chat")]
