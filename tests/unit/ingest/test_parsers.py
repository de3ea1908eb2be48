"""Whatever bytes come, a door's parser reads them or refuses them with a reason; nothing else ever leaves it."""

from __future__ import annotations

import base64
import gzip
import string
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nextwave_contracts.faults import FaultyError
from nextwave_ingest import admission, occurrence
from nextwave_ingest.admission import BATCH_BYTES_MAX, RefusedError, judge
from nextwave_ingest.doors import cloudevents_mapping, exchange, posthog_mapping, provider_signatures, segment_mapping
from nextwave_ingest.doors.exchange import Request, Room
from nextwave_ingest.doors.provider_signatures import Signed
from nextwave_ingest.mappings.bodies import Body, read_body
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import Document, Signature, read
from nextwave_ingest.mappings.library import shipped
from nextwave_ingest.reception import presented_key
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW

MAPPINGS = {document.name: Compiled(document) for document in shipped() if not document.extends}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12
)


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have fields of these names now and then, with any value."""
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=8), JSON, max_size=8)


def cut_or_changed(written: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """As it is, cut, or with a byte changed."""

    def damage(body: bytes, at: int, byte: int) -> bytes:
        place = at % (len(body) + 1)
        return body if byte > 300 else body[:place] if byte > 255 else body[:place] + bytes([byte]) + body[place + 1 :]

    return st.builds(damage, written, st.integers(0, 500), st.integers(0, 400))


def encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError):  # a lone surrogate, an integer of 65 bits: nobody can send that as JSON of ours
        return b"{}"


CALLS = objects(
    "type", "event", "userId", "anonymousId", "messageId", "previousId", "groupId", "properties", "traits", "context", "timestamp", "sentAt"
)
EVENTS = objects("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data", "data_base64", "traceparent")
POSTHOG = objects("event", "distinct_id", "properties", "timestamp", "uuid", "$set", "api_key")
SEGMENT = segment_mapping.Envelope(source="shop", received_at=NOW)
UNDERSTANDING: dict[str, tuple[Any, Callable[[bytes], Any]]] = {
    "segment": (CALLS, lambda item: segment_mapping.understand(item, SEGMENT)),
    "cloudevents": (EVENTS, lambda item: cloudevents_mapping.understand(item, key_source="shop", received_at=NOW)),
    "posthog": (POSTHOG, lambda item: posthog_mapping.understand(item, SEGMENT)),
}
IDEAL: dict[str, dict[str, Any]] = {
    "segment": {"type": "track", "event": "Order Completed", "userId": "7"},
    "cloudevents": {"specversion": "1.0", "id": "1", "source": "/c", "type": "sms.received", "subject": "customer_id:7"},
    "posthog": {"event": "Order Completed", "distinct_id": "7"},
}


@pytest.mark.parametrize("door", UNDERSTANDING)
@given(data=st.data())
@settings(max_examples=60)
def test_any_item_is_a_touchpoint_or_a_refusal(door: str, data: st.DataObject) -> None:
    fields, understand = UNDERSTANDING[door]
    whole = IDEAL[door] | data.draw(fields)
    item = data.draw(st.binary(max_size=80) | cut_or_changed(st.just(encoded(whole))))
    verdict = judge(item, understand, NOW, lambda name: name)
    if isinstance(verdict, admission.Admitted):
        assert msgspec.json.decode(msgspec.json.encode(verdict.touchpoint))["received_at"]
    else:
        assert verdict.error.detail


HEADER_VALUES = st.binary(max_size=40) | st.text(string.printable, max_size=40).map(str.encode)


@given(
    headers=st.dictionaries(
        st.sampled_from([b"ce-id", b"ce-source", b"ce-type", b"ce-specversion", b"ce-time", b"content-type"]), HEADER_VALUES
    ),
    body=st.binary(max_size=80) | EVENTS.map(encoded),
)
def test_any_headers_are_an_event_or_a_refusal(headers: dict[bytes, bytes], body: bytes) -> None:
    with suppress(RefusedError):
        item = cloudevents_mapping.from_headers(headers, body)
        assert judge(item, UNDERSTANDING["cloudevents"][1], NOW, lambda name: name)
        cloudevents_mapping.trace_of(item)


@given(st.binary(max_size=200) | cut_or_changed(st.binary(max_size=500).map(gzip.compress)))
@example(gzip.compress(b" " * 3_000_000))
def test_any_gzip_is_inflated_within_its_bound_or_a_problem(raw: bytes) -> None:
    with suppress(Problem, exchange.TooLargeError):
        assert len(exchange.inflate(raw, 1000)) <= 1000


@given(
    st.binary(max_size=60)
    | st.binary(max_size=60).map(lambda said: b"Basic " + base64.b64encode(said))
    | st.binary(max_size=30).map(b"Bearer ".__add__)
)
def test_any_authorization_has_a_key_or_none(authorization: bytes) -> None:
    async def nothing() -> dict[str, Any]:
        return {}

    scope = {"method": "POST", "path": "/", "headers": [(b"authorization", authorization)]}
    assert isinstance(presented_key(Request(scope, nothing, Room(1))), str)


FORMS = st.lists(st.tuples(st.text(max_size=10), st.text(max_size=20)), max_size=6).map(
    lambda pairs: "&".join(f"{a}={b}" for a, b in pairs)
)
MULTIPART = st.builds(
    lambda name, value, more: b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n--b--\r\n' % (name, more, value),
    st.binary(max_size=12),
    st.binary(max_size=60),
    st.sampled_from([b"", b'; filename="x"', b"\r\nContent-Type: text/plain; charset=x", b"\r\nContent-Transfer-Encoding: base64"]),
)
MAILS = st.builds(
    lambda name, value, body: b"From: Ann <ann@example.com>\r\n%b: %b\r\n\r\n%b" % (name, value, body),
    st.sampled_from(
        [b"Subject", b"To", b"Date", b"Content-Type", b"Content-Transfer-Encoding", b"Message-ID", b"In-Reply-To", b"MIME-Version"]
    ),
    st.binary(max_size=60)
    | st.sampled_from([b"multipart/mixed; boundary=b", b"=?utf-8?b?/w==?=", b"text/plain; charset=unknown", b"base64"]),
    st.binary(max_size=120),
)
BODIES: dict[Body, st.SearchStrategy[bytes]] = {
    "json": JSON.map(encoded),
    "form": FORMS.map(lambda form: form.encode("utf-8", "surrogatepass")),
    "multipart": MULTIPART,
    "mime": MAILS,
}
CONTENT_TYPES = st.sampled_from(
    ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=b", 'multipart/form-data; boundary="']
)


@pytest.mark.parametrize("kind", BODIES)
@given(data=st.data())
@settings(max_examples=60)
def test_any_body_is_read_or_refused(kind: Body, data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=150) | cut_or_changed(BODIES[kind]))
    content_type = data.draw(CONTENT_TYPES | st.text(max_size=40))
    with suppress(RefusedError):
        value = read_body(kind, body, content_type)
        assert len(msgspec.json.encode(value)) <= 20 * BATCH_BYTES_MAX


@pytest.mark.parametrize("word", [b"=?\x80?b??=", b"=??b?/?=", b"=?utf-8?b?a?="])
def test_a_broken_word_in_a_header_costs_no_mail(word: bytes) -> None:
    assert read_body("mime", b"From: a@b.de\r\nSubject: " + word + b"\r\n\r\nSTOP", "")["text"] == "STOP"


@pytest.mark.parametrize("name", MAPPINGS)
@given(data=st.data())
@settings(max_examples=20)
def test_any_body_is_understood_or_refused_by_every_mapping_that_is_shipped(name: str, data: st.DataObject) -> None:
    mapping = MAPPINGS[name]
    body = data.draw(st.binary(max_size=80) | cut_or_changed(BODIES[mapping.document.body]))
    headers = {header.lower().encode(): data.draw(HEADER_VALUES) for header in mapping.document.headers}
    with suppress(RefusedError):
        for item in mapping.items(body, "multipart/form-data; boundary=b", headers):
            for found in mapping.understand_all(item, source="shop", received_at=NOW):
                assert isinstance(found, admission.Report | RefusedError)


PATHS = st.text(max_size=30) | st.text("$.[]*?@()'\"abc0123,:&|!=<> -", max_size=40).map("$".__add__)
VALUES = PATHS | st.text("{}%| item.abfor'\"=0123 assign", max_size=60) | JSON
RULES = st.fixed_dictionaries(
    {"type": VALUES, "identifiers": st.dictionaries(st.sampled_from(["phone", "email", "external", "x"]), VALUES, max_size=2)},
    optional={
        "when": st.dictionaries(PATHS, JSON, max_size=2),
        "id": VALUES,
        "occurred_at": VALUES,
        "data": st.dictionaries(st.text(max_size=5), VALUES),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "A B", ""]), "touchpoints": st.lists(RULES, max_size=2)},
    optional={"items": VALUES, "tables": JSON, "body": st.sampled_from(["json", "form", "x"]), "signature": JSON, "extends": SCALARS},
)


@given(written=cut_or_changed(DOCUMENTS.map(encoded)) | st.binary(max_size=80), item=JSON)
@settings(max_examples=120)
def test_any_document_is_a_mapping_or_faults_with_a_fix(written: bytes, item: Any) -> None:
    try:
        document: Document = read(written)
        mapping = Compiled(document)
    except FaultyError as wrong:
        faults = wrong.faults
    else:
        faults = ()
        mapping.understand_all(encoded(item), source="shop", received_at=NOW)
    assert all(fault.detail and fault.fix for fault in faults)


SIGNATURES = [Signature(scheme) for scheme in ("twilio", "sendgrid", "shopify", "woocommerce")] + [
    Signature("hmac", header="x-sign", prefix="v=")
]
SIGNED_HEADERS = st.sampled_from(
    [
        "x-twilio-signature",
        "x-twilio-webhooks-signature-settings",
        "x-twilio-email-event-webhook-signature",
        "x-twilio-email-event-webhook-timestamp",
        "x-shopify-hmac-sha256",
        "x-wc-webhook-signature",
        "x-sign",
        "content-type",
    ]
)
HEADER_TEXTS = HEADER_VALUES.map(lambda value: value.decode("latin-1"))


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.scheme)
@given(
    headers=st.dictionaries(SIGNED_HEADERS, HEADER_TEXTS),
    body=st.binary(max_size=60),
    query=st.text(string.printable, max_size=30),
    secret=st.text(max_size=20),
)
def test_no_forged_signature_is_anybodys(signature: Signature, headers: dict[str, str], body: bytes, query: str, secret: str) -> None:
    request = Signed(url=f"https://shop.example/v1?{query}", headers=headers, body=body, wall=NOW.timestamp())
    assert provider_signatures.is_signed(request, signature, [secret]) is False
    assert provider_signatures.is_signed(request, signature, []) is False


@given(st.text(max_size=40) | st.integers() | st.floats())
def test_any_stamp_is_an_instant_or_unreadable(stamp: str | float) -> None:
    with suppress(occurrence.UnreadableTimeError):
        assert occurrence.instant(stamp).tzinfo is UTC
