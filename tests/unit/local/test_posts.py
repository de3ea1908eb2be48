"""What people's deeds look like on the wire, checked against the providers' own libraries where there are any."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from nextwave_local.simulator import signatures
from nextwave_local.simulator.errands import Errand
from nextwave_local.simulator.message import Doors, Message, links_in
from nextwave_local.simulator.people import Act
from nextwave_local.simulator.posts import errand_of
from twilio.request_validator import RequestValidator

AT = datetime(2026, 3, 3, 10, tzinfo=UTC)
DOORS = Doors(
    ingest_url="http://ingest",
    channels_url="http://channels",
    write_key="wk",
    twilio_account="AC1",
    twilio_token="token",
    mail_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
)
TEXT = Message(
    provider="twilio",
    kind="sms",
    action_id="a1",
    to="+14155550111",
    sender="+14155550100",
    sid="SM1",
    callback_url="http://channels/v1/callbacks/twilio?action=a1",
)
LINKS = {"o": "http://ingest/o/x", "r": "http://ingest/r/y"}
MAIL = Message(provider="smtp", kind="email", action_id="a1", to="ann@example.com", sid="m1", links=LINKS)


def _post(act: Act, message: Message, user_id: str = "") -> Errand:
    errand = errand_of(act, message, DOORS, user_id)
    assert errand is not None
    return errand


def test_a_status_callback_is_signed_as_twilios_own_library_expects() -> None:
    errand = _post(Act("status", AT, {"status": "delivered"}), TEXT)
    form = dict(parse_qsl(errand.body.decode(), keep_blank_values=True))
    assert form["MessageStatus"] == "delivered"
    assert RequestValidator("token").validate(errand.url, form, errand.headers["x-twilio-signature"])


def test_a_callback_signed_with_another_key_or_not_at_all_is_recognisable() -> None:
    wrong = _post(Act("status", AT, {"status": "sent", "sign_with": "other"}), TEXT)
    form = dict(parse_qsl(wrong.body.decode()))
    assert not RequestValidator("token").validate(wrong.url, form, wrong.headers["x-twilio-signature"])
    assert "x-twilio-signature" not in _post(Act("status", AT, {"status": "sent", "sign_with": ""}), TEXT).headers


def test_the_signature_of_mail_callbacks_is_that_of_the_published_example() -> None:
    signature = signatures.standard_webhook("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}', DOORS.mail_secret)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_mail_callback_is_stamped_with_the_time_at_which_it_is_sent() -> None:
    errand = _post(Act("bounce", AT, {}), MAIL)
    assert json.loads(errand.body)["type"] == "mail.bounced"
    assert errand.stamp is not None
    assert errand.stamp(1234.5)["webhook-timestamp"] == "1234"


def test_links_are_followed_as_people_do() -> None:
    assert (_post(Act("open", AT, {}), MAIL).method, _post(Act("open", AT, {}), MAIL).url) == ("GET", "http://ingest/o/x")
    unsubscribe = _post(Act("unsubscribe", AT, {}), replace(MAIL, links={"u": "http://ingest/u/z"}))
    assert (unsubscribe.method, unsubscribe.url, unsubscribe.body) == ("POST", "http://ingest/u/z", b"List-Unsubscribe=One-Click")


def test_what_the_message_gives_no_way_to_do_is_not_done() -> None:
    assert errand_of(Act("unsubscribe", AT, {}), MAIL, DOORS, "") is None
    assert errand_of(Act("status", AT, {"status": "sent"}), replace(TEXT, callback_url=""), DOORS, "") is None


def test_only_links_and_callbacks_of_ours_are_followed() -> None:
    text = 'see http://ingest/r/tok.en and <a href="http://ingest/o/p&amp;x">, not http://elsewhere/u/t'
    assert links_in(text, "http://ingest") == {"r": "http://ingest/r/tok.en", "o": "http://ingest/o/p"}
    assert errand_of(Act("status", AT, {"status": "sent"}), replace(TEXT, callback_url="http://elsewhere/"), DOORS, "") is None


def test_a_stop_names_the_person_by_phone() -> None:
    event = json.loads(_post(Act("stop", AT, {"body": "STOP"}), TEXT).body)
    assert event["type"] == "sms.received"
    assert event["data"] == {"body": "STOP", "identifiers": ["phone:+14155550111"]}
    assert event["time"] == "2026-03-03T10:00:00.000Z"


def test_a_wrap_up_names_the_action() -> None:
    event = json.loads(_post(Act("wrap_up", AT, {"disposition": "refused", "refusal": True}), replace(TEXT, kind="call")).body)
    assert event["type"] == "call.wrapped_up"
    assert event["data"].items() >= {"action_id": "a1", "disposition": "refused", "refusal": True}.items()


def test_an_order_of_a_known_user_is_a_segment_call() -> None:
    errand = _post(Act("buy", AT, {"amount": 4_250, "currency": "EUR"}), MAIL, "user-1")
    call = json.loads(errand.body)
    assert errand.url == "http://ingest/v1/track"
    assert errand.headers["authorization"] == "Basic " + base64.b64encode(b"wk:").decode()
    assert (call["userId"], call["event"], call["properties"]["total"]) == ("user-1", "Order Completed", 42.5)


def test_an_order_of_an_unknown_user_names_the_address() -> None:
    event = json.loads(_post(Act("buy", AT, {"amount": 4_250, "currency": "EUR"}), MAIL).body)
    assert event["type"] == "order.placed"
    assert event["data"]["identifiers"] == ["email:ann@example.com"]
    assert event["data"]["amount"] == 4_250
