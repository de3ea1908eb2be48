"""Twilio's status callbacks: signatures by Twilio's own package, and statuses of which only those on the lists mean anything."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlencode

import pytest
from nextwave_channels.callbacks.evidence import Evidence, Posted, UnreadableError, WrongSignatureError
from nextwave_channels.callbacks.twilio import Twilio, of_status
from twilio.request_validator import HMAC_SHA256, RequestValidator
from unit.channels.callbacks.posting import read

URL = "https://channels.example/v1/callbacks/twilio?action=a1"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+14155550100"}
DOOR = Twilio(("new", "old"))


def posted(form: dict[str, str], signature: str, **more: str) -> Posted:
    headers = {"x-twilio-signature": signature, **more}
    return Posted(url=URL, query={"action": "a1"}, headers=headers, body=urlencode(form).encode(), wall=0.0)


@pytest.mark.parametrize("token", ["new", "old"])
def test_either_token_holds_while_one_replaces_the_other(token: str) -> None:
    (found,) = read(DOOR, posted(FORM, RequestValidator(token).compute_signature(URL, FORM)))
    assert found is not None
    assert (found.action_id, found.kind, found.provider_id) == ("a1", "delivered", "SM1")


def test_a_shared_keys_signature_names_its_algorithm() -> None:
    signature = RequestValidator("new").compute_signature(URL, FORM, HMAC_SHA256)
    settings = {"x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
    assert read(DOOR, posted(FORM, signature, **settings))[0] is not None
    with pytest.raises(WrongSignatureError):
        read(DOOR, posted(FORM, signature))
    with pytest.raises(WrongSignatureError):
        read(DOOR, posted(FORM, signature, **{"x-twilio-webhooks-signature-settings": "algorithm=NONE"}))


def test_a_json_body_is_signed_by_its_hash_in_the_url() -> None:
    body = json.dumps(FORM).encode()
    digest = hashlib.sha256(body).hexdigest()
    url = f"{URL}&bodySHA256={digest}"
    headers = {"x-twilio-signature": RequestValidator("new").compute_signature(url, {})}
    whole = Posted(url=url, query={"action": "a1", "bodySHA256": digest}, headers=headers, body=body, wall=0.0)
    assert [found.kind for found in read(DOOR, whole) if found] == ["delivered"]
    assert RequestValidator("new").validate(url, body.decode(), headers["x-twilio-signature"])
    changed = Posted(url=url, query=whole.query, headers=headers, body=body.replace(b"delivered", b"failed"), wall=0.0)
    with pytest.raises(WrongSignatureError):
        read(DOOR, changed)


@pytest.mark.parametrize(("signature", "body"), [("", b"a=1"), ("nonsense", b"a=1"), ("ümläut", b"a=1")])
def test_no_or_another_signature_is_refused(signature: str, body: bytes) -> None:
    with pytest.raises(WrongSignatureError):
        read(DOOR, Posted(url=URL, query={}, headers={"x-twilio-signature": signature}, body=body, wall=0.0))


def test_a_body_that_is_no_form_is_told_so() -> None:
    with pytest.raises(UnreadableError):
        read(DOOR, Posted(url=URL, query={}, headers={}, body=b"\xff=1", wall=0.0))


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
    found = of_status("action-1", form)
    assert (found.kind if found else None) == kind


def test_the_same_callback_twice_has_one_event_id_and_another_status_another() -> None:
    ids = [of_status("a", {"MessageSid": "SM1", "MessageStatus": s}) for s in ("sent", "sent", "delivered")]
    assert len({found.event_id for found in ids if found}) == 2


def test_a_callback_that_names_nothing_says_nothing() -> None:
    assert of_status("", {"MessageStatus": "sent"}) is None


def test_without_an_action_the_providers_id_counts() -> None:
    assert of_status("", {"MessageSid": "SM1", "MessageStatus": "sent"}) == Evidence(
        event_id="twilio\0\0SM1\0sent", kind="accepted", provider_id="SM1", channel="sms", detail="sent"
    )


@pytest.mark.parametrize(
    ("status", "error", "effect"),
    [
        ("failed", "21610", "opted_out"),
        ("undelivered", "30005", "closed"),
        ("undelivered", "30006", "closed"),
        ("failed", "21614", "closed"),
        ("undelivered", "30003", ""),
        ("undelivered", "30007", ""),
        ("delivered", "30005", ""),
    ],
)
def test_a_number_that_does_not_exist_is_closed_and_a_phone_that_is_off_is_not(status: str, error: str, effect: str) -> None:
    found = of_status("a1", {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": error})
    assert found is not None
    assert found.effect == effect
