"""From what a person does to what is posted about it: links followed, touchpoints, orders, and the provider's own callbacks."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from nextwave_local.simulator import signatures
from nextwave_local.simulator.errands import Errand
from nextwave_local.simulator.people import Act

_LINK = re.compile(r"https?://[^\s\"'<>]+/([oru])/[\w.~=-]+")


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Where Nextwave listens, and with what we show who we are. An empty URL: there is no such service here."""

    ingest_url: str
    channels_url: str
    write_key: str
    twilio_account: str
    twilio_token: str
    mail_secret: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message as the provider took it. `links` are those of ours found in it: `o` open, `r` click, `u` unsubscribe."""

    kind: Literal["email", "sms", "call"]
    action_id: str
    to: str
    sender: str = ""
    sid: str = ""
    callback_url: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


def links_in(text: str, base: str) -> dict[str, str]:
    """The first link of each kind below `base`; others are not ours to follow."""
    found: dict[str, str] = {}
    for match in _LINK.finditer(unescape(text)):
        if base and match.group(0).startswith(f"{base}/"):
            found.setdefault(match.group(1), match.group(0))
    return found


def errand_of(act: Act, message: Message, doors: Doors, user_id: str) -> Errand | None:
    """What is posted for an act; None when the message gives no way to do it (no such link, no callback wanted)."""
    if act.deed == "status":
        return callback(message, act, doors)
    if act.deed in ("bounce", "spam"):
        return callback(message, Act("status", act.at, {"status": "bounced" if act.deed == "bounce" else "complained"}), doors)
    if act.deed in _BY_LINK:
        return _follow(act, message)
    if not doors.ingest_url:
        return None
    if act.deed == "buy" and user_id:
        return _order(act, message, doors, user_id)
    return _event(act, message, doors)


def callback(message: Message, act: Act, doors: Doors) -> Errand | None:
    """The provider's signed word on a message; `sign_with` in the act's detail: another key, or none (`""`)."""
    token = act.detail.get("sign_with")
    if message.kind == "email":
        return _mail_callback(message, act, doors, token) if doors.channels_url else None
    if not message.callback_url or not doors.channels_url or not message.callback_url.startswith(f"{doors.channels_url}/"):
        return None
    form = _twilio_form(message, act, doors.twilio_account)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if token != "":
        headers["x-twilio-signature"] = signatures.twilio(message.callback_url, form, token or doors.twilio_token)
    kind = f"callback.{message.kind}"
    return Errand(kind=kind, method="POST", url=message.callback_url, headers=headers, body=urlencode(form).encode(), touchpoint=False)


_BY_LINK: Mapping[str, tuple[str, str]] = {"open": ("GET", "o"), "click": ("GET", "r"), "unsubscribe": ("POST", "u")}


def _follow(act: Act, message: Message) -> Errand | None:
    method, kind = _BY_LINK[act.deed]
    url = message.links.get(kind)
    if url is None:
        return None
    form = {"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    return Errand(kind=act.deed, method=method, url=url, headers=form, body=b"List-Unsubscribe=One-Click" if form else b"")


def _event(act: Act, message: Message, doors: Doors) -> Errand:
    kind = {"stop": "sms.received", "wrap_up": "call.wrapped_up", "complain": "complaint.opened", "resolve": "complaint.resolved"}
    name = f"{'email' if message.kind == 'email' else 'phone'}:{message.to}"
    data = {**act.detail, "identifiers": [name]}
    if act.deed == "wrap_up":
        data["action_id"] = message.action_id
    if act.deed == "buy":
        data["order_id"] = f"order-{message.action_id}"
    event = {
        "specversion": "1.0",
        "id": f"{act.deed}-{message.action_id}",
        "source": "simulator",
        "type": kind.get(act.deed, "order.placed"),
        "time": _written(act.at),
        "datacontenttype": "application/json",
        "data": data,
    }
    headers = {"content-type": "application/cloudevents+json", "authorization": _basic(doors.write_key)}
    return Errand(kind=act.deed, method="POST", url=f"{doors.ingest_url}/v1/touchpoints", headers=headers, body=msgspec.json.encode(event))


def _order(act: Act, message: Message, doors: Doors, user_id: str) -> Errand:
    amount = int(act.detail["amount"])
    properties = {"order_id": f"order-{message.action_id}", "total": amount / 100, "currency": act.detail["currency"]}
    call = {
        "messageId": f"buy-{message.action_id}",
        "userId": user_id,
        "event": "Order Completed",
        "timestamp": _written(act.at),
        "properties": properties,
    }
    headers = {"content-type": "application/json", "authorization": _basic(doors.write_key)}
    return Errand(kind="buy", method="POST", url=f"{doors.ingest_url}/v1/track", headers=headers, body=msgspec.json.encode(call))


def _twilio_form(message: Message, act: Act, account: str) -> dict[str, str]:
    common = {"AccountSid": account, "From": message.sender, "To": message.to}
    status = str(act.detail["status"])
    if message.kind == "sms":
        code = {"ErrorCode": str(act.detail["code"])} if "code" in act.detail else {}
        return {**common, "MessageSid": message.sid, "SmsSid": message.sid, "MessageStatus": status, **code}
    form = {**common, "CallSid": message.sid, "CallStatus": status, "Direction": "outbound-api"}
    if "answered_by" in act.detail:
        form["AnsweredBy"] = str(act.detail["answered_by"])
    if "seconds" in act.detail:
        form["CallDuration"] = str(act.detail["seconds"])
    return form


def _mail_callback(message: Message, act: Act, doors: Doors, token: str | None) -> Errand:
    event_id = f"{message.sid}-{act.detail['status']}"
    data = {"action_id": message.action_id, "detail": "550 5.1.1 no such mailbox" if act.detail["status"] == "bounced" else ""}
    body = msgspec.json.encode({"type": f"mail.{act.detail['status']}", "timestamp": _written(act.at), "data": data})
    return Errand(
        kind="callback.email",
        method="POST",
        url=f"{doors.channels_url}/v1/callbacks/mail",
        headers={"content-type": "application/json"},
        body=body,
        touchpoint=False,
        stamp=None if token == "" else _stamp(event_id, body, token or doors.mail_secret),
    )


def _stamp(event_id: str, body: bytes, secret: str) -> Callable[[float], Mapping[str, str]]:
    def stamp(wall: float) -> Mapping[str, str]:
        signature = signatures.standard_webhook(event_id, int(wall), body, secret)
        return {"webhook-id": event_id, "webhook-timestamp": str(int(wall)), "webhook-signature": signature}

    return stamp


def _basic(write_key: str) -> str:
    return "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()


def _written(instant: datetime) -> Any:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
