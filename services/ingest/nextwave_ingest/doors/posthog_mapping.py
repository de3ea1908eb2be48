"""What PostHog's events mean to us: each is read as the call of the Segment protocol that says the same. PURE."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from nextwave_ingest.admission import RefusedError, Report, data_object, misfit
from nextwave_ingest.doors.segment_mapping import Call, Data, Envelope, report
from nextwave_ingest.untimed import untimed

OF_THE_SOFTWARE: frozenset[str] = frozenset(
    {
        "$exception",
        "$feature_flag_called",
        "$performance_event",
        "$snapshot",
        "$web_vitals",
        "$$client_ingestion_warning",
        "$$heatmap",
    }
)
"""Events that tell how a program runs and not what a customer did (`$ai_...` as well): they are taken and left out."""
NOBODY = "$posthog_cookieless"
"""What its library for pages calls everybody whose browser may keep nothing: a name that all of them share names nobody."""
_POINTERS = {
    "/userId": "/distinct_id",
    "/anonymousId": "/distinct_id",
    "/previousId": "/properties/alias",
    "/groupId": "/properties/$group_key",
    "/traits": "/properties/$set",
    "/messageId": "/uuid",
    "/sentAt": "/sent_at",
}
"""Fields of the Segment protocol, in PostHog's words."""
_NO_REFERRER = "$direct"
"""What its library for pages writes where nothing led to the page."""
_PLACES = (("url", "$current_url"), ("path", "$pathname"), ("referrer", "$referrer"))


class Event(msgspec.Struct):
    """One event as PostHog's clients send it."""

    event: str | None = None
    distinct_id: str | int | None = None
    uuid: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"")
    set_always: msgspec.Raw = msgspec.field(default=msgspec.Raw(b""), name="$set")
    set_once: msgspec.Raw = msgspec.field(default=msgspec.Raw(b""), name="$set_once")
    timestamp: Any = None
    offset: Any = None
    """Milliseconds between the event and its sending, in place of a timestamp."""

    options: Any = None
    """Where the newer protocol has what the older one says in `$process_person_profile`."""


class _Whose(msgspec.Struct):
    distinct_id: Any = None


class _Named(msgspec.Struct):
    event: Any = None
    distinct_id: Any = None
    properties: _Whose | list[Any] | str | float | bool | None = None


class _Identified(msgspec.Struct):
    uuid: str = ""


_events = msgspec.json.Decoder(Event)
_named = msgspec.json.Decoder(_Named)
_identified = msgspec.json.Decoder(_Identified)


def is_left_out(item: bytes) -> bool:
    """Whether the event tells of a program only, or of nobody. What cannot be read is none: it is refused with its reason later."""
    try:
        said = _named.decode(item)
    except (ValueError, RecursionError):
        return False
    event, whose = said.event, said.properties.distinct_id if isinstance(said.properties, _Whose) else None
    if NOBODY in (said.distinct_id, whose):
        return True
    return isinstance(event, str) and (event in OF_THE_SOFTWARE or event.startswith("$ai_"))


def id_of(item: bytes) -> str:
    """The id that the event carries, or nothing."""
    try:
        return _identified.decode(item).uuid
    except (ValueError, RecursionError):
        return ""


def understand(item: bytes, envelope: Envelope) -> Report:
    """What one event reports. Raises `RefusedError`."""
    try:
        event = _events.decode(item)
    except (ValueError, RecursionError) as wrong:
        raise misfit(wrong) from wrong
    properties = data_object(event.properties, "/properties")
    call = _call(event, properties)
    call.message_id = event.uuid or properties.get("$insert_id")
    call.timestamp, fault = event.timestamp, None
    if event.offset is not None and event.timestamp is None:
        call.timestamp, call.sent_at, fault = _ago(event.offset, envelope)
    try:
        reported = report(call, item, envelope)
        return reported if fault is None else untimed(reported, fault)
    except RefusedError as error:
        raise RefusedError(_POINTERS.get(error.pointer, error.pointer), error.detail, error.reason) from error


def _call(event: Event, properties: Data) -> Call:
    name, who = event.event or "", _who(event, properties)
    user, anonymous = ("", who) if _is_anonymous(who, event, properties) else (who, "")
    if name == "$identify":
        former = _written(properties.get("$anon_distinct_id"))
        return Call(type="identify", user_id=who, anonymous_id=former, traits=_known(event, properties))
    if name in ("$set", "$set_once"):
        return Call(type="identify", user_id=user, anonymous_id=anonymous, traits=_known(event, properties))
    if name in ("$create_alias", "$merge_dangerously"):  # both ids are of one space there: which was the anonymous one is not said
        return Call(type="alias", user_id=user, anonymous_id=who, previous_id=_written(properties.get("alias")))
    if name == "$groupidentify":
        group = {"group_type": properties.get("$group_type")} | _traits(properties, "$group_set")
        named = _written(properties.get("$group_key"))
        return Call(type="group", user_id=user, anonymous_id=anonymous, group_id=named, traits=_raw(group))
    if name in ("$pageview", "$screen"):
        shown = properties.get("$screen_name") or properties.get("title")
        return Call(type="page", name=shown, properties=_raw(_placed(properties)), user_id=user, anonymous_id=anonymous)
    return Call(type="track", event=name, properties=event.properties, user_id=user, anonymous_id=anonymous)


def _known(event: Event, properties: Data) -> msgspec.Raw:
    beside = data_object(event.set_once, "/$set_once") | data_object(event.set_always, "/$set")
    return _raw(_traits(properties, "$set_once") | _traits(properties, "$set") | beside)


def _who(event: Event, properties: Data) -> str:
    who = _written(event.distinct_id) or _written(properties.get("distinct_id"))
    if not who:
        raise RefusedError("/distinct_id", "is missing: name the customer")
    if event.event == "$groupidentify" and who == f"${properties.get('$group_type')}_{properties.get('$group_key')}":
        raise RefusedError("/distinct_id", "names the group only: name the customer who belongs to it")
    return who


def _is_anonymous(who: str, event: Event, properties: Data) -> bool:
    """Clients send an id that they made themselves until somebody is identified."""
    profiled = event.options.get("process_person_profile") if isinstance(event.options, dict) else None
    said = (profiled, properties.get("$process_person_profile"), properties.get("$is_identified"))
    return any(one is False for one in said) or properties.get("$device_id") == who


def _traits(properties: Data, field: str) -> Data:
    given = properties.get(field)
    return given if isinstance(given, dict) else {}


def _placed(properties: Data) -> Data:
    """The page's place under the names that all page views have."""
    url = properties.get("$current_url")
    places = {name: properties[theirs] for name, theirs in _PLACES if isinstance(properties.get(theirs), str)}
    if places.get("referrer") == _NO_REFERRER:
        del places["referrer"]
    if isinstance(url, str) and "path" not in places:
        try:
            places["path"] = urlsplit(url).path
        except ValueError:  # what cannot be read as an address is kept as it is
            return places | properties
    return places | properties


def _ago(offset: Any, envelope: Envelope) -> tuple[str | None, str | None, RefusedError | None]:
    """The time of the event and of its sending, by the clock of neither: it was so long before its reception. Or why not."""
    try:
        at = envelope.received_at - timedelta(milliseconds=offset)
    except (OverflowError, ValueError, TypeError):
        return None, None, RefusedError("/offset", "must be the milliseconds since the event")
    return at.isoformat(), envelope.received_at.isoformat(), None


def _written(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != NOBODY else ""


def _raw(data: Data) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(data))
