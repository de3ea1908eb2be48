"""A provider's signed word on a message, posted to where the caller wants it: Twilio's forms, and Standard Webhooks of all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from nextwave_local.simulator import signatures
from nextwave_local.simulator.errands import Errand
from nextwave_local.simulator.instants import written
from nextwave_local.simulator.message import Doors, Message
from nextwave_local.simulator.people import Act

CALL_TYPES: Mapping[str, str] = {
    "initiated": "call.started",
    "in-progress": "call.answered",
    "completed": "call.ended",
    "busy": "call.ended",
    "no-answer": "call.ended",
    "failed": "call.ended",
    "expired": "call.ended",
}
"""What the dialler tells of a call's status; the outcome is in the data. It does not tell that a phone rings."""


TEXT_TYPES: Mapping[str, str] = {"sent": "accepted", "delivered": "delivered", "undelivered": "bounced"}
"""What the second SMS provider tells of a text's status, in the words of the generic callback."""


def callback(message: Message, act: Act, doors: Doors) -> Errand | None:
    """None where nobody listens. `sign_with` in the act's detail: another key, or none (`""`)."""
    if message.kind == "email":
        return _of_mail(message, act, doors) if doors.channels_url else None
    if not message.callback_url or not doors.channels_url or not message.callback_url.startswith(f"{doors.channels_url}/"):
        return None
    match message.provider:
        case "twilio":
            return _of_twilio(message, act, doors)
        case "httpsms":
            return _of_httpsms(message, act, doors)
        case "dialler":
            return _of_dialler(message, act, doors)
    return None


def _of_twilio(message: Message, act: Act, doors: Doors) -> Errand:
    form = _twilio_form(message, act, doors.twilio_account)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    key = act.detail.get("sign_with")
    if key != "":
        headers["x-twilio-signature"] = signatures.twilio(message.callback_url, form, key or doors.twilio_token)
    return Errand(
        kind=f"callback.{message.kind}",
        method="POST",
        url=message.callback_url,
        headers=headers,
        body=urlencode(form).encode(),
        touchpoint=False,
    )


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


def _of_mail(message: Message, act: Act, doors: Doors) -> Errand:
    status = act.detail["status"]
    data = {"action_id": message.action_id, "detail": "550 5.1.1 no such mailbox" if status == "bounced" else ""}
    told = {"type": f"mail.{status}", "timestamp": written(act.at), "data": data}
    return _webhook(message, act, (f"{doors.channels_url}/v1/callbacks/mail", doors.mail_secret), told)


def _of_httpsms(message: Message, act: Act, doors: Doors) -> Errand:
    status = str(act.detail["status"])
    data = {
        "action_id": message.action_id,
        "provider_id": message.sid,
        "detail": str(act.detail.get("code", "")),
        "permanent": False,
        "price": {"amount": message.price, "currency": message.currency},
    }
    told = {"type": f"delivery.{TEXT_TYPES[status]}", "timestamp": written(act.at), "data": data}
    return _webhook(message, act, (message.callback_url, doors.mail_secret), told)


def _of_dialler(message: Message, act: Act, doors: Doors) -> Errand | None:
    status = str(act.detail["status"])
    if status not in CALL_TYPES:
        return None
    data = {
        "entry_id": message.sid,
        "reference": message.action_id,
        "to": message.to,
        "outcome": {"completed": "answered", "initiated": "", "in-progress": ""}.get(status, status.replace("-", "_")),
        "answered_by": act.detail.get("answered_by", ""),
        "seconds": act.detail.get("seconds", 0),
        "price": {"amount": message.price, "currency": message.currency},
    }
    told = {"type": CALL_TYPES[status], "timestamp": written(act.at), "data": data}
    return _webhook(message, act, (message.callback_url, doors.mail_secret), told)


def _webhook(message: Message, act: Act, place: tuple[str, str], told: Mapping[str, Any]) -> Errand:
    """A Standard Webhook to a `place`: its URL and its secret."""
    url, secret = place
    body = msgspec.json.encode(told)
    key = act.detail.get("sign_with")
    return Errand(
        kind=f"callback.{message.kind}",
        method="POST",
        url=url,
        headers={"content-type": "application/json"},
        body=body,
        touchpoint=False,
        stamp=None if key == "" else _stamp(f"{message.sid}-{act.detail['status']}", body, key or secret),
    )


def _stamp(event_id: str, body: bytes, secret: str) -> Callable[[float], Mapping[str, str]]:
    def stamp(wall: float) -> Mapping[str, str]:
        signature = signatures.standard_webhook(event_id, int(wall), body, secret)
        return {"webhook-id": event_id, "webhook-timestamp": str(int(wall)), "webhook-signature": signature}

    return stamp
