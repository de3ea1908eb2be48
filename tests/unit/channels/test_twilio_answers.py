"""What an answer of a Twilio-shaped API says: of the number, of the recipient, or of our own account."""

from __future__ import annotations

import pytest
from nextwave_channels.adapters.twilio import DEAD_NUMBERS, interpret
from nextwave_channels.answers import Accepted, Refused
from nextwave_channels.callbacks.twilio import of_status
from nextwave_channels.http_port import Reply


def refused(status: int, body: bytes) -> Refused:
    answer = interpret(Reply(status=status, body=body))
    assert isinstance(answer, Refused)
    return answer


@pytest.mark.parametrize("code", sorted(DEAD_NUMBERS))
@pytest.mark.parametrize("written", ['"{}"', "{}"])
def test_a_dead_number_is_one_whether_it_is_refused_at_once_or_by_callback(code: str, written: str) -> None:
    answer = refused(400, f'{{"code":{written.format(code)},"message":"no"}}'.encode())
    assert (answer.permanent, answer.bounced, answer.opted_out) == (True, True, False)
    told = of_status("a", {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code})
    assert told is not None
    assert told.effect == "closed"


def test_who_has_said_stop_there_is_refused_as_one_who_said_no() -> None:
    answer = refused(400, b'{"code":21610,"message":"unsubscribed recipient"}')
    assert (answer.permanent, answer.opted_out, answer.bounced) == (True, True, False)


def test_another_refusal_says_nothing_of_the_number() -> None:
    answer = refused(400, b'{"code":21606,"message":"not your number"}')
    assert (answer.permanent, answer.opted_out, answer.bounced) == (True, False, False)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"code":20003,"message":"Authenticate"}'),
        (403, b'{"code":20005,"message":"Account not active"}'),
        (404, b'{"code":20404,"message":"The requested resource was not found"}'),
        (401, b"<html>"),
    ],
)
def test_a_credential_or_account_that_does_not_hold_is_the_providers_fault_and_passes(status: int, body: bytes) -> None:
    answer = refused(status, body)
    assert (answer.permanent, answer.down, answer.bounced, answer.opted_out) == (False, True, False, False)
    assert answer.detail.endswith("check the provider's URL and credentials")


@pytest.mark.parametrize("body", [b'{"sid":"SM1","code":"x","message":17}', b'{"sid":"SM1","error_code":null,"price":{}}'])
def test_a_field_of_another_kind_takes_nothing_from_the_others(body: bytes) -> None:
    assert interpret(Reply(status=201, body=body)) == Accepted(provider_id="SM1")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_object_says_nothing(body: bytes) -> None:
    assert interpret(Reply(status=201, body=body)) == Accepted()
