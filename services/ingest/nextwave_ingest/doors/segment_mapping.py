"""What Segment's calls mean to us: the event table as data, and who and what a call speaks of. PURE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

import msgspec
from nextwave_contracts.identifiers import WEB_PUSH, InvalidIdentifierError, identifier, is_unset

from nextwave_ingest.admission import TEXT_MAX, RefusedError, Report, body_id, data_object, misfit, name_of, text
from nextwave_ingest.amounts import money_field, with_amount
from nextwave_ingest.occurrence import Occurrence, UnreadableTimeError, given_instant, occurrence
from nextwave_ingest.untimed import unnamed, untimed

Data = dict[str, Any]
Arrange = Callable[[Data, str], Data]
"""Properties and the default currency to the touchpoint's data."""


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The part of a call's context that we use; whatever clients write there, no call is lost for it."""

    timezone: Any = None
    locale: Any = None
    traits: Any = None
    """Where RudderStack's clients in apps put the traits of an identify."""
    device: Any = None
    """Where its `token` is one of ours, that is where web push reaches the browser."""


Stated = Context | list[Any] | str | float | bool | None
"""A context as it comes: libraries of PHP write an empty one as a list, and for no other fault is anything lost."""
NOTHING = Context()
LOCALE_CHARACTERS_MAX = 64
"""Of a time zone or locale that a batch's context says for all of its calls."""


class Call(msgspec.Struct, rename="camel", gc=False):
    """One call of the Segment protocol; fields we do not use are ignored."""

    type: str | None = None
    event: str | None = None
    name: Any = None
    category: Any = None
    message_id: str | int | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    previous_id: str | int | None = None
    group_id: str | int | None = None
    properties: msgspec.Raw = msgspec.Raw(b"")
    traits: msgspec.Raw = msgspec.Raw(b"")
    context: Stated = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says for all of its calls. `kind` is empty where each call names its own; `complaints` are normal event names."""

    source: str
    received_at: datetime
    kind: str = ""
    sent_at: datetime | None = None
    context: Context = NOTHING
    complaints: frozenset[str] = frozenset()
    currency: str = "EUR"


def stated(context: Stated) -> Context:
    """The context of a call or batch."""
    return context if isinstance(context, Context) else NOTHING


def shared(context: Stated) -> Context:
    """What a batch's context says for each of its calls: it is kept with every one that is refused, so no more than is used."""
    said = stated(context)
    timezone, locale = (
        value if isinstance(value, str) and len(value) <= LOCALE_CHARACTERS_MAX else None for value in (said.timezone, said.locale)
    )
    token = said.device.get("token") if isinstance(said.device, dict) else None
    named = isinstance(token, str) and len(token) <= TEXT_MAX
    return Context(timezone=timezone, locale=locale, device={"token": token} if named else None)


@lru_cache(maxsize=4096)
def normal(event: str) -> str:
    """An event's name case-folded, without spaces and underscores: clients differ in both."""
    return re.sub(r"[\s_]+", "", event.casefold())


def _as_it_is(data: Data, _currency: str) -> Data:
    return data


def _all_email(data: Data, _currency: str) -> Data:
    return data | {"channel": "email", "purpose": ""}


def _by_agent(data: Data, _currency: str) -> Data:
    """The customer received it: these are not their words."""
    return data | {"by": "agent"}


def _ticket(data: Data, _currency: str) -> Data:
    reference = data.get("reference") or data.get("ticket_id") or data.get("ticketId")
    return data if reference is None else data | {"reference": str(reference)}


EVENTS: Mapping[str, tuple[str, Arrange]] = {
    normal(event): (kind, arrange)
    for event, kind, arrange in (
        ("Product Viewed", "product.viewed", _as_it_is),
        ("Product List Viewed", "product.viewed", _as_it_is),
        ("Products Searched", "product.searched", _as_it_is),
        ("Product Added", "cart.updated", _as_it_is),
        ("Product Removed", "cart.updated", _as_it_is),
        ("Cart Viewed", "cart.updated", _as_it_is),
        ("Checkout Started", "checkout.started", _as_it_is),
        ("Checkout Step Completed", "checkout.started", _as_it_is),
        ("Order Completed", "order.placed", with_amount),
        ("Order Refunded", "order.returned", with_amount),
        ("Order Cancelled", "order.cancelled", with_amount),
        ("Email Opened", "email.opened", _as_it_is),
        ("Email Link Clicked", "email.clicked", _as_it_is),
        ("Email Marked as Spam", "consent.withdrawn", _all_email),
        ("Unsubscribed", "consent.withdrawn", _all_email),
        ("Support Ticket Created", "complaint.opened", _ticket),
        ("Live Chat Conversation Started", "chat.started", _as_it_is),
        ("Live Chat Message Sent", "chat.message_received", _as_it_is),
        ("Live Chat Message Received", "chat.message_received", _by_agent),
        ("Live Chat Conversation Ended", "chat.ended", _as_it_is),
        ("Signed Up", "customer.registered", _as_it_is),
    )
}
"""Track events with built-in meaning; any other is kept under its own name."""

_calls = msgspec.json.Decoder(Call)


def understand(item: bytes, envelope: Envelope) -> Report:
    """What one call reports. Raises `RefusedError`."""
    try:
        call = _calls.decode(item)
    except (ValueError, RecursionError) as wrong:
        raise misfit(wrong) from wrong
    return report(call, item, envelope)


def report(call: Call, item: bytes, envelope: Envelope) -> Report:
    """What a call reports; where it has no id, what its `item` says is the id. Raises `RefusedError`."""
    read = _READERS.get(envelope.kind or call.type or "")
    if read is None:
        raise RefusedError("/type", f"{'must be' if call.type else 'is missing; use'} one of {', '.join(_READERS)}")
    kind, names, data, raw = read(call, envelope)
    occurred, fault = _occurrence(call, envelope)
    is_named = call.message_id not in (None, "")
    reported = Report(
        id=str(call.message_id) if is_named else body_id(item),
        source=envelope.source,
        type=kind,
        identifiers=names,
        occurrence=occurred,
        data=data,
        raw=raw,
        explain=partial(_in_a_tracks_words, data) if read is _track else None,
    )
    if fault is not None:
        reported = untimed(reported, fault)
    return reported if is_named else unnamed(reported)


def _in_a_tracks_words(data: Data, error: RefusedError) -> RefusedError:
    """A refusal of its type or data as one of the event or property that says so."""
    if error.pointer == "/type":
        return RefusedError("/event", error.detail, error.reason)
    if error.pointer == "/data/amount" and (field := money_field(data)):
        return RefusedError(f"/properties/{field}", "an order's must be 0 or more; what is given back is Order Refunded", error.reason)
    within, _, place = error.pointer.partition("/data/")
    return error if within or not place else RefusedError(f"/properties/{place}", error.detail, error.reason)


Reading = tuple[str, tuple[str, ...], Data, msgspec.Raw | None]
"""Type, identifiers, data, and the bytes of the data where it was not changed."""


def _track(call: Call, envelope: Envelope) -> Reading:
    name, kind, arrange = _event((call.event or "").strip())
    data = _object(call.properties, "/properties")
    if name in envelope.complaints:
        kind, arrange = "complaint.opened", _ticket
    arranged = arrange(data, envelope.currency)
    return kind, _names(call, envelope), arranged, call.properties if arranged is data else None


@lru_cache(maxsize=4096)
def _event(name: str) -> tuple[str, str, Arrange]:
    """An event's normal name, and what it means unless it is a complaint. Raises `RefusedError`, so none of any length is kept."""
    known = normal(text("/event", name))
    return known, *EVENTS.get(known, (name, _as_it_is))


def _page(call: Call, envelope: Envelope) -> Reading:
    data = _object(call.properties, "/properties")
    said = (("name", call.name), ("category", call.category))
    beside = {key: value for key, value in said if value and isinstance(value, str) and key not in data}
    return "page.viewed", _names(call, envelope), data | beside, None if beside else call.properties


def _identify(call: Call, envelope: Envelope) -> Reading:
    data = _object(call.traits, "/traits")
    context = stated(call.context)
    beside: Data = context.traits if not data and isinstance(context.traits, dict) else {}
    for trait in ("timezone", "locale"):
        told = getattr(context, trait) or getattr(envelope.context, trait)
        if isinstance(told, str) and told and trait not in data and not (trait == "locale" and "language" in data):
            beside = {trait: told} | beside
    return "customer.identified", _names(call, envelope), data | beside, None if beside else call.traits


def _group(call: Call, envelope: Envelope) -> Reading:
    group = text("/groupId", _written(call.group_id))
    return "account.joined", _names(call, envelope), _object(call.traits, "/traits") | {"group_id": group}, None


def _alias(call: Call, envelope: Envelope) -> Reading:
    previous = _written(call.previous_id)
    if not previous:
        raise RefusedError("/previousId", "name the identity that becomes part of userId")
    formers = [name_of("anonymous_id", previous, "/previousId")]
    if previous != _written(call.anonymous_id):  # it may have been either: clients alias user ids and anonymous ids alike
        formers.append(name_of("customer_id", previous, "/previousId"))
    return "identities.linked", tuple(dict.fromkeys((*_names(call, envelope), *formers))), {}, None


_READERS: dict[str, Callable[[Call, Envelope], Reading]] = {
    "track": _track,
    "identify": _identify,
    "page": _page,
    "screen": _page,
    "group": _group,
    "alias": _alias,
}


def _names(call: Call, envelope: Envelope) -> tuple[str, ...]:
    user = "" if call.user_id is None else str(call.user_id)
    anonymous = "" if call.anonymous_id is None else str(call.anonymous_id)
    if not user and not anonymous:
        raise RefusedError("/userId", "send userId or anonymousId")
    if user and anonymous and is_unset(user) != is_unset(anonymous):  # beside a name what stands for none is as good as left out
        user, anonymous = ("", anonymous) if is_unset(user) else (user, "")
    names: tuple[str, ...] = (name_of("customer_id", user, "/userId"),) if user else ()
    if device := (isinstance(call.context, Context) and call.context.device) or envelope.context.device:
        names += _device(device)
    return (*names, name_of("anonymous_id", anonymous, "/anonymousId")) if anonymous else names


def _device(device: Any) -> tuple[str, ...]:
    """The browser's token as a name; a call is not lost for one that is none, and a native app's (of APNs or FCM) is none of ours."""
    token = device.get("token") if isinstance(device, dict) else None
    try:
        return (identifier("device_token", token),) if isinstance(token, str) and token.startswith(WEB_PUSH) and "\0" not in token else ()
    except InvalidIdentifierError:
        return ()


def _occurrence(call: Call, envelope: Envelope) -> tuple[Occurrence, RefusedError | None]:
    """When it happened; its reception, and why, where that cannot be read."""
    pointer = "/originalTimestamp"
    try:
        original = given_instant(call.original_timestamp)
        pointer = "/timestamp"
        stamped = given_instant(call.timestamp)
        pointer = "/sentAt"
        sent_at = given_instant(call.sent_at) or envelope.sent_at
    except UnreadableTimeError as wrong:
        return occurrence(None, None, envelope.received_at), RefusedError(pointer, str(wrong))
    return occurrence(stamped if original is None else original, sent_at, envelope.received_at), None


def _object(raw: msgspec.Raw, pointer: str) -> Data:
    """An object of the call; libraries of PHP write an empty one as a list. Raises `RefusedError`."""
    try:
        return data_object(raw, pointer)
    except RefusedError:
        if bytes(raw).strip() == b"[]":
            return {}
        raise


def _written(value: str | int | None) -> str:
    return "" if value is None else str(value)
