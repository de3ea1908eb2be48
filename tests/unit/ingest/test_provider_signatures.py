"""Whose signature opens the inbound door: the providers' own code signs, or their published recipe."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64encode
from pathlib import Path
from typing import get_args
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nextwave_ingest.doors.provider_signatures import Signed, is_signed
from nextwave_ingest.mappings.document import Document, Rule, Scheme, Signature
from nextwave_ingest.settings import IngestSettings
from sendgrid.helpers.eventwebhook import EventWebhook
from twilio.request_validator import RequestValidator
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, stand

URL = "https://in.example.com/v1/inbound/shop/x"
SENT = "x-twilio-signature"
BODY = b'{"id":1}'
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(headers: dict[str, str], body: bytes = BODY, url: str = URL) -> Signed:
    return Signed(url=url, headers=headers, body=body, wall=1_000.0)


def keyed(body: bytes, secret: str, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).digest()


@pytest.mark.parametrize(("scheme", "header"), [("shopify", "x-shopify-hmac-sha256"), ("woocommerce", "x-wc-webhook-signature")])
def test_shops_sign_the_body_with_a_keyed_hash_in_base64(scheme: str, header: str) -> None:
    signature = Signature(scheme)  # type: ignore[arg-type]
    sent = {header: b64encode(keyed(BODY, "new")).decode()}
    given = signed(sent)
    assert is_signed(given, signature, ["old", "new"])
    assert not is_signed(given, signature, ["old"])
    assert not is_signed(given, signature, [])
    assert not is_signed(signed(sent, BODY + b" "), signature, ["new"])
    assert not is_signed(signed({}), signature, ["new"])
    assert not is_signed(signed({header: "\u00e4"}), signature, ["new"])


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "sha512"])
def test_any_other_system_may_sign_with_a_keyed_hash_of_its_own_form(algorithm: str) -> None:
    digest = keyed(BODY, "s", algorithm)
    plain = Signature("hmac", header="X-Sig", algorithm=algorithm)  # type: ignore[arg-type]
    prefixed = Signature("hmac", header="X-Sig", algorithm=algorithm, prefix="v=", encoding="base64")  # type: ignore[arg-type]
    assert is_signed(signed({"x-sig": digest.hex().upper()}), plain, ["s"])
    assert is_signed(signed({"x-sig": "v=" + b64encode(digest).decode()}), prefixed, ["s"])
    assert not is_signed(signed({"x-sig": b64encode(digest).decode()}), prefixed, ["s"])
    assert not is_signed(signed({"x-sig": digest.hex()[:-2]}), plain, ["s"])


def test_twilio_signs_forms_and_json_as_its_own_package_does() -> None:
    form = {"From": "+1415", "Body": "a & b \u00e4", "Empty": ""}
    by_form = signed({SENT: RequestValidator("t").compute_signature(URL, form)}, urlencode(form).encode())
    assert is_signed(by_form, Signature("twilio"), ["t"])
    url = f"{URL}?bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    by_json = signed({SENT: RequestValidator("t").compute_signature(url, {})}, BODY, url)
    assert is_signed(by_json, Signature("twilio"), ["t"])
    assert not is_signed(signed(dict(by_json.headers), BODY + b" ", url), Signature("twilio"), ["t"])
    assert not is_signed(signed({SENT: "x"}, b"\xff=1"), Signature("twilio"), ["t"])


def test_twilios_published_example_holds() -> None:
    """Token, URL, form and signature of its page on the security of webhooks."""
    form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675310", "Digits": "1234", "From": "+14158675310", "To": "+18005551212"}
    given = signed({SENT: "L/OH5YylLD5NRKLltdqwSvS0BnU="}, urlencode(form).encode(), "https://example.com/myapp.php?foo=1&bar=2")
    assert is_signed(given, Signature("twilio"), ["12345"])


def test_sendgrid_signs_parsed_mail_as_it_does_events() -> None:
    signature = b64encode(KEY.sign(b"1000" + BODY, ec.ECDSA(SHA256()))).decode()
    assert EventWebhook(PUBLIC).verify_signature(BODY.decode(), signature, "1000")
    headers = {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": "1000"}
    assert is_signed(signed(headers), Signature("sendgrid"), [PUBLIC])
    assert not is_signed(signed(headers, BODY + b" "), Signature("sendgrid"), [PUBLIC])
    assert not is_signed(signed(headers), Signature("sendgrid"), ["no key"])
    assert not is_signed(Signed(URL, headers, BODY, wall=1_000_000.0), Signature("sendgrid"), [PUBLIC])


def signed_with_what_everybody_knows(scheme: Scheme, body: bytes) -> dict[str, str]:
    """As the scheme signs, by the public key's text or by its owner."""
    at, keyed_hash = str(int(time.time())), b64encode(keyed(body, PUBLIC)).decode()
    match scheme:
        case "twilio":
            return {SENT: RequestValidator(PUBLIC).compute_signature(URL, {"a": "1"})}
        case "sendgrid":
            signature = b64encode(KEY.sign(at.encode() + body, ec.ECDSA(SHA256()))).decode()
            return {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": at}
        case "shopify":
            return {"x-shopify-hmac-sha256": keyed_hash}
        case "woocommerce":
            return {"x-wc-webhook-signature": keyed_hash}
        case "hmac":
            return {"x-sig": keyed(body, PUBLIC).hex()}


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("given", get_args(Scheme))
async def test_a_secret_opens_the_mappings_of_its_own_scheme_and_no_other(tmp_path: Path, given: Scheme, scheme: Scheme) -> None:
    signature = Signature(scheme, header="X-Sig" if scheme == "hmac" else "")
    document = Document("x", body="form", signature=signature, touchpoints=(Rule("a.b", identifiers={"phone": "$.from"}),))
    secrets = dict.fromkeys(get_args(Scheme), "another secret") | {given: PUBLIC}
    door = stand(tmp_path, documents=[document], source_secrets={"shop": secrets}, ingest_url="https://in.example.com")
    async with door.client() as client:
        headers = {"content-type": "application/x-www-form-urlencoded"} | signed_with_what_everybody_knows(scheme, b"a=1")
        answer = await client.post("/v1/inbound/shop/x", content=b"a=1", headers=headers)
    assert answer.status_code == (202 if given == scheme else 401)


def test_a_secret_without_its_scheme_is_refused_with_the_fix_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shopify") as wrong:
        IngestSettings(
            keys_file=tmp_path,
            identifier_key=IDENTIFIER_KEY,
            link_key=LINK_KEY,
            source_secrets={"shop": "s3cret"},
        )
    assert '{"shop": {"shopify": "..."}}' in str(wrong.value)
    assert "s3cret" not in str(wrong.value)
