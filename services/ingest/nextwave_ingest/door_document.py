"""What the doors take and answer, for the OpenAPI document: the framework does not know the routes in front of it."""

from __future__ import annotations

from typing import Any

import msgspec
from nextwave_runtime.problem import MEDIA_TYPE

from nextwave_ingest.admission import BATCH_BYTES_MAX, EVENT_BYTES_MAX, ITEMS_MAX
from nextwave_ingest.doors.cloudevents_mapping import REQUIRED
from nextwave_ingest.doors.posthog import BY_EVENT, LATER, ROUTES
from nextwave_ingest.doors.posthog_settings import FLAGS, SETTINGS
from nextwave_ingest.doors.segment import BATCHES, JITSU, KINDS, REJECTED_MAX

Part = dict[str, Any]
TEXT: Part = {"type": "string"}
COUNT: Part = {"type": "integer", "minimum": 0}
PROBLEM: Part = {
    "type": "object",
    "description": "RFC 9457. `type` is urn:nextwave:problem: and a stable name; `errors` point at the wrong fields.",
    "properties": {
        "type": {"type": "string", "pattern": "^urn:nextwave:problem:"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"pointer": TEXT, "detail": TEXT}, "required": ["pointer", "detail"]},
        },
    },
    "required": ["type", "title", "status", "detail"],
}
REFUSALS: dict[int, str] = {
    400: "what is wrong, by field",
    401: "no key or signature of a source, or no API token",
    403: "this key or token may not do that, or not from that page",
    404: "there is nothing of this name",
    405: "the route has other methods; Allow names them",
    408: "the body did not come in time",
    409: "it changed meanwhile, or others stand on it",
    412: "it is not the version that If-Match names",
    413: "the body is too large",
    415: "a content encoding or event format that is not read",
    422: "what is wrong, by field",
    428: "say which version is meant: If-Match or If-None-Match",
    429: "overloaded; come again after Retry-After seconds",
    503: "nothing is durable for sure; come again after Retry-After seconds",
}
_LATER = (429, 503)
_POSTED = (400, 401, 403, 408, 413, 415, 429, 503)
_OF_METHODS = {"post": (400, 408, 413, 415, 422, 429), "put": (400, 408, 409, 412, 413, 415, 422, 428, 429), "delete": (409, 412, 428)}
_KEYS: list[Part] = [{"writeKeyAsUser": []}, {"writeKey": []}, {"writeKeyHeader": []}]
SCHEMES: Part = {
    "writeKeyAsUser": {"type": "http", "scheme": "basic", "description": "a write key as user name, without a password"},
    "writeKey": {"type": "http", "scheme": "bearer", "description": "a write key"},
    "writeKeyHeader": {"type": "apiKey", "in": "header", "name": "X-Write-Key", "description": "a write key"},
}


def refusals(*statuses: int) -> Part:
    """Answers that are problems."""
    return {str(status): _refusal(status) for status in statuses}


def _refusal(status: int) -> Part:
    told: Part = {"description": REFUSALS[status], "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    if status in _LATER:
        told["headers"] = {"Retry-After": {"required": True, "description": "seconds", "schema": {"type": "integer", "minimum": 1}}}
    return told


def _object(required: tuple[str, ...] = (), **properties: Part) -> Part:
    return {"type": "object", "properties": properties} | ({"required": list(required)} if required else {})


def _list(item: Part, count_max: int) -> Part:
    return {"type": "array", "items": item, "maxItems": count_max}


_REJECTED = _list(_object(("index", "pointer", "detail"), index=COUNT, pointer=TEXT, detail=TEXT), ITEMS_MAX)
_TOLD_OF_BATCH = _object(("success",), success={"const": True}, rejected_count=COUNT, rejected=_REJECTED | {"maxItems": REJECTED_MAX})
_WARNED: Part = {"type": "array", "items": _REJECTED["items"], "description": "of what was taken and may have been meant otherwise"}
_TOLD_OF_EVENTS = _object(("accepted", "rejected"), accepted=COUNT, rejected=_REJECTED, warnings=_WARNED)
_TOLD_OF_ITEMS = _object(("accepted", "ignored", "rejected"), accepted=COUNT, ignored=COUNT, rejected=_REJECTED, warnings=_WARNED)
_STAMP: Part = {"type": ["string", "number", "null"], "description": "RFC 3339, or seconds or milliseconds since the epoch"}
_NAME: Part = {"type": ["string", "integer", "null"]}
_CALL = _object(
    (),
    type={"type": "string", "enum": list(dict.fromkeys(KINDS.values()))},
    event=TEXT,
    name={"type": ["string", "null"]},
    messageId=_NAME,
    userId=_NAME,
    anonymousId=_NAME,
    previousId=_NAME,
    groupId=_NAME,
    properties={"type": "object"},
    traits={"type": "object"},
    context={"type": "object"},
    timestamp=_STAMP,
    originalTimestamp=_STAMP,
    sentAt=_STAMP,
    writeKey={"type": ["string", "null"]},
)
_BATCH = _object(("batch",), batch=_list({"$ref": "#/components/schemas/SegmentCall"}, ITEMS_MAX), sentAt=_STAMP, writeKey=TEXT)
_EVENT = _object(
    REQUIRED,
    specversion={"const": "1.0"},
    id={"type": "string", "minLength": 1, "maxLength": 256},
    source={"type": "string", "minLength": 1},
    type={"type": "string", "minLength": 1, "maxLength": 256},
    time={"type": ["string", "null"], "format": "date-time"},
    subject={"type": ["string", "null"], "description": "kind:value of the customer"},
    datacontenttype={"type": ["string", "null"]},
    data={"description": "an object for JSON, a text for text and XML"},
    data_base64={"type": ["string", "null"], "contentEncoding": "base64"},
)
SCHEMAS: Part = {"Problem": PROBLEM, "SegmentCall": _CALL, "SegmentBatch": _BATCH, "CloudEvent": _EVENT}


def _posting(summary: str, content: Part, success: tuple[int, Part]) -> Part:
    status, schema = success
    taken = {"description": "durable", "content": {"application/json": {"schema": schema}}}
    responses = {str(status): taken} | refusals(*_POSTED)
    body = {"required": True, "content": content}
    return {"post": {"summary": summary, "security": _KEYS, "requestBody": body, "responses": responses, "tags": ["doors"]}}


def _any_type(name: str) -> Part:
    """Clients of pages send JSON as text, to spare themselves a question."""
    schema = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {"application/json": schema, "text/plain": schema}


def _call(kind: str) -> Part:
    told = _object(("success",), success={"const": True})
    return _posting(f"Segment: one {kind} call of at most {EVENT_BYTES_MAX} bytes", _any_type("SegmentCall"), (200, told))


def _batch() -> Part:
    summary = f"Segment: at most {ITEMS_MAX} calls in {BATCH_BYTES_MAX} bytes; the good ones count, the others are named"
    return _posting(summary, _any_type("SegmentBatch"), (200, _TOLD_OF_BATCH))


def _events(summary: str) -> Part:
    event = {"$ref": "#/components/schemas/CloudEvent"}
    content: Part = {
        "application/cloudevents+json": {"schema": event},
        "application/cloudevents-batch+json": {"schema": _list(event, ITEMS_MAX)},
        "application/json": {"schema": {"type": "object", "description": "binary mode: the data; the attributes are headers ce-..."}},
    }
    path = _posting(summary, content, (202, _TOLD_OF_EVENTS))
    names = (*REQUIRED, "subject", "time")
    path["post"]["parameters"] = [_header(f"ce-{name}", "binary mode: an attribute, percent-encoded") for name in names]
    return path | {"options": _handshake()}


def _handshake() -> Part:
    allowed = {name: {"schema": TEXT} for name in ("Allow", "WebHook-Allowed-Origin", "WebHook-Allowed-Rate")}
    return {
        "summary": "The handshake of webhooks: any origin may send at any rate, since its key decides",
        "parameters": [_header("WebHook-Request-Origin", "who wants to send"), _header("WebHook-Request-Rate", "requests a minute")],
        "responses": {"200": {"description": "granted", "headers": allowed}, "204": {"description": "nobody asked"}},
        "tags": ["doors"],
    }


def _header(name: str, description: str) -> Part:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": TEXT}


def _in_path(*names: str) -> list[Part]:
    return [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]


def _inbound() -> Part:
    anything: Part = {"schema": {}}
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "message/rfc822")
    path = _posting("Whatever a foreign system posts, understood by a mapping", dict.fromkeys(kinds, anything), (202, _TOLD_OF_ITEMS))
    post = path["post"]
    post["parameters"] = _in_path("source", "mapping")
    post["security"] = [*_KEYS, {}]
    post["description"] = "With a write key of the source, or with the signature that the mapping names. A mapping may set another answer."
    post["responses"] |= {"2XX": {"description": "durable; what the mapping answers"}} | refusals(404)
    return path | {"options": _handshake() | {"parameters": _in_path("source", "mapping") + _handshake()["parameters"]}}


def _link(summary: str, success: int, media_type: str, *later: int) -> Part:
    """People follow links, so whatever is wrong is said on a page."""
    page: Part = {"content": {"text/html": {"schema": TEXT}}}
    answers = {str(status): {"description": "not durable; a page says so, with the button again"} | page for status in later}
    unknown = {"description": "the token is none of ours, or leads nowhere; a page says so"} | page
    content: Part = {"content": {media_type: {"schema": {}}}} if media_type else {}
    done = {"description": "as asked"} | content
    return {
        "summary": summary,
        "parameters": _in_path("token"),
        "responses": {str(success): done, "404": unknown} | answers,
        "security": [],
        "tags": ["links"],
    }


def _unsubscribing() -> Part:
    path = _link("Unsubscribe (RFC 8058); any body is the one click", 200, "text/html", 429, 503)
    path["responses"] |= refusals(400, 408, 413, 415)
    return path


def _settings() -> Part:
    answer = {"description": "the document", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "summary": "Segment: tells the browser's client to send here",
        "parameters": _in_path("writeKey"),
        "responses": {"200": answer} | refusals(403, 404),
        "security": [],
        "tags": ["doors"],
    }


def _flags() -> Part:
    told: Part = {"200": {"description": "none", "content": {"application/json": {"schema": {"type": "object"}}}}}
    answers = told | refusals(400, 408, 413, 415, 429)
    return {"summary": "PostHog: no feature flags", "responses": answers, "security": [], "tags": ["doors"]}


def _posthog(route: str) -> Part:
    told = _object(("status",), status={"const": 1}, rejected_count=COUNT, rejected=_REJECTED)
    results = {"type": "object", "additionalProperties": _object(("result",), result={"enum": ["ok", "drop"]}, details=TEXT)}
    answer = _object(("results",), results=results) if route == BY_EVENT else told
    anything: Part = {"schema": {"type": ["object", "array"]}}
    path = _posting("PostHog: a batch, a list of events, or one event", {"application/json": anything}, (200, answer))
    for status in LATER:  # told as 503
        del path["post"]["responses"][str(status)]
    return path


def _posthog_settings(media_type: str) -> Part:
    told: Part = {"description": "nothing but events is wanted", "content": {media_type: {"schema": {}}}}
    return {
        "summary": "PostHog: settings of a page",
        "parameters": _in_path("key"),
        "responses": {"200": told},
        "security": [],
        "tags": ["doors"],
    }


PATHS: Part = {
    **{f"/v1/{route}": _call(kind) for route, kind in KINDS.items()},
    **{f"/v1/{route}": _batch() for route in BATCHES},
    **{f"{place}{kind}": _call(kind) for place in JITSU for kind in dict.fromkeys(KINDS.values())},
    **{f"{route}/": _posthog(route) for route in ROUTES},
    f"{SETTINGS}{{key}}/config": {"get": _posthog_settings("application/json")},
    f"{SETTINGS}{{key}}/config.js": {"get": _posthog_settings("text/javascript")},
    **{f"{route}/": {"post": _flags()} for route in FLAGS},
    "/v1/projects/{writeKey}/settings": {"get": _settings()},
    "/v1/touchpoints": _events(f"CloudEvents 1.0: binary, structured or batch mode (at most {ITEMS_MAX} events)"),
    "/v1/calls": _events("CloudEvents 1.0 of a call centre (call.*)"),
    "/v1/inbound/{source}/{mapping}": _inbound(),
    "/u/{token}": {"get": _link("The page that asks whether to unsubscribe", 200, "text/html"), "post": _unsubscribing()},
    "/r/{token}": {"get": _link("Record a click and lead to its target", 302, "")},
    "/o/{token}": {"get": _link("Record an open and show a pixel", 200, "image/gif")},
}


def complete(document: Part) -> None:
    """Adds the doors to the framework's document, and to its own routes the problems that they answer."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            found = [int(status) for status in operation["responses"] if status.isdigit() and int(status) in REFUSALS]
            operation["responses"] |= refusals(401, 403, *((404,) if "{" in path else ()), *_OF_METHODS.get(method, ()), *found, 503)
    document["paths"] = msgspec.json.decode(msgspec.json.encode(PATHS)) | document["paths"]
    components = document.setdefault("components", {})
    schemas = components.get("schemas", {})
    components["schemas"] = {name: schema for name, schema in schemas.items() if "ValidationError" not in name} | SCHEMAS
    components["securitySchemes"] = components.get("securitySchemes", {}) | SCHEMES
