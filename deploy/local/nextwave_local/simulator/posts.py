"""From what a person does to what is posted about it: links followed, touchpoints, orders, and the provider's own callbacks."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec

from nextwave_local.simulator.callbacks import callback
from nextwave_local.simulator.errands import Errand
from nextwave_local.simulator.instants import written
from nextwave_local.simulator.message import Doors, Message
from nextwave_local.simulator.people import Act


def errand_of(act: Act, message: Message, doors: Doors, user_id: str) -> Errand | None:
    """What is posted for an act; None when the message gives no way to do it (no such link, no callback wanted, nobody's name)."""
    if act.deed == "status":
        return callback(message, act, doors)
    if act.deed in ("bounce", "spam"):
        return callback(message, Act("status", act.at, {"status": "bounced" if act.deed == "bounce" else "complained"}), doors)
    if act.deed in _BY_LINK:
        return _follow(act, message)
    return _touchpoint(act, message, doors, user_id) if doors.ingest_url else None


_BY_LINK: Mapping[str, tuple[str, str]] = {"open": ("GET", "o"), "click": ("GET", "r"), "unsubscribe": ("POST", "u")}


def _follow(act: Act, message: Message) -> Errand | None:
    method, kind = _BY_LINK[act.deed]
    url = message.links.get(kind)
    if url is None:
        return None
    form = {"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    return Errand(kind=act.deed, method=method, url=url, headers=form, body=b"List-Unsubscribe=One-Click" if form else b"")


def _touchpoint(act: Act, message: Message, doors: Doors, user_id: str) -> Errand | None:
    if act.deed == "buy" and user_id:
        return _order(act, message, doors, user_id)
    return None if message.kind == "webpush" else _event(act, message, doors)


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
        "time": written(act.at),
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
        "timestamp": written(act.at),
        "properties": properties,
    }
    headers = {"content-type": "application/json", "authorization": _basic(doors.write_key)}
    return Errand(kind="buy", method="POST", url=f"{doors.ingest_url}/v1/track", headers=headers, body=msgspec.json.encode(call))


def _basic(write_key: str) -> str:
    return "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()
