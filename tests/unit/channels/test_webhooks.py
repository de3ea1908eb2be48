"""A message to an endpoint is what Standard Webhooks says, by its own library, and the same bytes at every try."""

from __future__ import annotations

import base64
import json
import time

import pytest
from channel_contacts import a_contact
from nextwave_channels.adapters.webhook import interpret
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.endpoints.message import body_of, headers_of, secret_fault
from nextwave_channels.http_port import Reply
from standardwebhooks import Webhook, WebhookVerificationError

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
LETTER = a_contact(channel="letter", address="customer:customer-1")


@pytest.mark.parametrize("known", [OLD, NEW])
def test_who_knows_either_secret_of_a_rotation_verifies_it(known: str) -> None:
    body = body_of(LETTER)
    headers = headers_of(LETTER, body, (OLD, NEW), time.time())
    said = Webhook(known).verify(body, headers)
    assert (said["type"], said["data"]["content"]["text"], said["data"]["cost"]) == ("contact.letter", "Hello Ann", 3)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(known).verify(body.replace(b"Ann", b"Bob"), headers)


def test_every_try_has_the_same_id_and_bytes_and_its_own_time() -> None:
    body = body_of(LETTER)
    first, second = headers_of(LETTER, body, (OLD,), 1000.9), headers_of(LETTER, body_of(LETTER), (OLD,), 2000.0)
    assert (first["webhook-id"], second["webhook-id"]) == ("action-1", "action-1")
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1000", "2000")
    assert body_of(LETTER) == body


def test_the_names_by_which_a_customer_is_stopped_are_not_sent() -> None:
    assert not set(LETTER.subjects) & set(json.dumps(json.loads(body_of(LETTER))).replace('"', " ").split())


NOT_NOW = Refused(detail="", permanent=False)
AWAY = Refused(detail="", permanent=False, down=True)
NEVER = Refused(detail="", permanent=True)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Accepted()),
        (204, Accepted()),
        (301, NEVER),
        (302, NEVER),
        (307, NEVER),
        (400, NEVER),
        (401, AWAY),
        (403, AWAY),
        (404, NEVER),
        (408, NOT_NOW),
        (410, NEVER),
        (422, NEVER),
        (425, NOT_NOW),
        (429, NOT_NOW),
        (503, AWAY),
        (500, Uncertain(detail="")),
        (502, Uncertain(detail="")),
        (504, Uncertain(detail="")),
    ],
)
def test_an_answer_is_sure_or_it_is_not(status: int, expected: Answer) -> None:
    answer = interpret(Reply(status=status, retry_after_seconds=7.0))
    assert type(answer) is type(expected)
    if isinstance(answer, Refused) and isinstance(expected, Refused):
        assert (answer.permanent, answer.down) == (expected.permanent, expected.down)
        assert answer.retry_after_seconds == (None if expected.permanent else 7.0)


@pytest.mark.parametrize(
    ("secret", "is_fine"),
    [
        (OLD, True),
        (OLD.removeprefix("whsec_"), False),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), False),
        ("whsec_" + base64.b64encode(b"x" * 24).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 64).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), False),
        ("whsec_!!!", False),
        ("whsec_ü", False),
        ("", False),
    ],
)
def test_a_secret_is_of_the_specified_form(secret: str, is_fine: bool) -> None:
    assert (secret_fault(secret) == "") is is_fine
