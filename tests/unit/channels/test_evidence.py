"""Statuses of providers: only those on the lists mean anything."""

from __future__ import annotations

import pytest
from nextwave_channels.adapters.twilio import interpret
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.evidence import MailData, MailEvent, of_mail, of_twilio
from nextwave_channels.http_port import Reply, retry_after
from nextwave_channels.pacing import IDLE_SECONDS_MAX, IDLE_SECONDS_MIN, idle_seconds


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, "accepted"),
        ({"MessageSid": "SM1", "MessageStatus": "delivered"}, "delivered"),
        ({"MessageSid": "SM1", "MessageStatus": "read"}, "opened"),
        ({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}, "bounced"),
        ({"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "30008"}, "failed"),
        ({"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "21610"}, "refused"),
        ({"CallSid": "CA1", "CallStatus": "ringing"}, "accepted"),
        ({"CallSid": "CA1", "CallStatus": "busy"}, "busy"),
        ({"CallSid": "CA1", "CallStatus": "no-answer"}, "no_answer"),
        ({"CallSid": "CA1", "CallStatus": "failed"}, "failed"),
        ({"CallSid": "CA1", "CallStatus": "completed", "AnsweredBy": "human"}, "answered"),
        ({"CallSid": "CA1", "CallStatus": "completed", "AnsweredBy": "machine_start"}, "no_answer"),
        ({"CallSid": "CA1", "CallStatus": "completed"}, "delivered"),
        ({"CallSid": "CA1", "CallStatus": "exploded"}, None),
        ({"MessageSid": "SM1", "MessageStatus": "withdrawn"}, None),
        ({"MessageSid": "SM1", "CallStatus": "busy"}, None),
        ({}, None),
    ],
)
def test_a_twilio_status_is_evidence_only_if_it_is_on_the_lists(form: dict[str, str], kind: str | None) -> None:
    found = of_twilio("action-1", form)
    assert (found.kind if found else None) == kind


def test_the_same_callback_twice_has_one_event_id_and_another_status_another() -> None:
    ids = [of_twilio("a", {"MessageSid": "SM1", "MessageStatus": s}) for s in ("sent", "sent", "delivered")]
    assert len({found.event_id for found in ids if found}) == 2


def test_a_callback_without_an_action_says_nothing() -> None:
    assert of_twilio("", {"MessageSid": "SM1", "MessageStatus": "sent"}) is None


@pytest.mark.parametrize(
    ("kind", "result"), [("mail.bounced", ("bounced", False)), ("mail.complained", ("refused", True)), ("mail.eaten", None)]
)
def test_a_spam_complaint_is_a_refusal_of_all_mail(kind: str, result: tuple[str, bool] | None) -> None:
    found = of_mail(MailEvent(type=kind, data=MailData(action_id="a")), "msg_1")
    assert ((found.kind, found.opted_out) if found else None) == result


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(status=201, body=b'{"sid":"SM1"}'), Accepted(provider_id="SM1")),
        (Reply(status=201, body=b'{"sid": tru'), Accepted()),
        (Reply(status=429, retry_after_seconds=7), Refused(detail="429", permanent=False, retry_after_seconds=7)),
        (Reply(status=503), Refused(detail="503", permanent=False)),
        (Reply(status=400, body=b'{"code":21211,"message":"bad To"}'), Refused(detail="400 21211 bad To", permanent=True)),
        (Reply(status=400, body=b'{"code":21610}'), Refused(detail="400 21610", permanent=True, opted_out=True)),
        (Reply(status=301), Refused(detail="301", permanent=True)),
        (Reply(status=500), Uncertain(detail="500")),
        (Reply(status=502, body=b"<html>"), Uncertain(detail="502")),
    ],
)
def test_an_answer_counts_as_a_refusal_only_if_it_surely_is_one(reply: Reply, answer: Answer) -> None:
    assert interpret(reply) == answer


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-3", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": header}, wall_now=1000.0) == seconds


def test_an_idle_loop_asks_ever_less_often_but_never_oversleeps_the_next_due_instant() -> None:
    waits = [0.0]
    for _ in range(10):
        waits.append(idle_seconds(waits[-1], None))
    assert waits[1:3] == [IDLE_SECONDS_MIN, IDLE_SECONDS_MIN * 2]
    assert waits[-1] == IDLE_SECONDS_MAX
    assert idle_seconds(IDLE_SECONDS_MAX, 0.1) == 0.1
    assert idle_seconds(IDLE_SECONDS_MAX, -5.0) == IDLE_SECONDS_MIN
