"""Sealing and signing as RFC 8291 and RFC 8292 say, judged by the RFC's own example, by a browser's side, and by PyJWT."""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from nextwave_channels.push.endpoints import UnusableError, recipient
from nextwave_channels.push.sealing import BODY_MAX, TEXT_MAX, Recipient, opened, point_of, seal, sender, unpadded
from nextwave_local.simulator.browser import Keys, sender_of

POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SECRET = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
WALL = 1_764_000_000.0


def key(secret: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(opened(secret)), ec.SECP256R1())


def test_the_example_of_rfc_8291_is_reproduced_to_the_byte() -> None:
    to = Recipient("https://push.example", opened(POINT), opened(AUTH))
    once, salt = key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), opened("DGv6ra1nlYgDCS1FRnbzlw")
    body = seal(b"When I grow up, I want to be a watermelon", to, once, salt)
    assert unpadded(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1"
        "CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("length", [0, 1, 100, TEXT_MAX])
def test_the_browser_alone_reads_what_was_sealed_for_it_and_it_fits_one_message(length: int) -> None:
    browser, other = (Keys(ec.generate_private_key(ec.SECP256R1()), bytes(16)) for _ in range(2))
    to = Recipient("https://push.example", browser.public, browser.auth)
    body = seal(b"x" * length, to, ec.generate_private_key(ec.SECP256R1()), b"s" * 16)
    assert len(body) <= BODY_MAX
    assert browser.open(body) == b"x" * length
    with pytest.raises(ValueError, match="encrypted for other keys"):
        other.open(body)


def test_a_text_that_does_not_fit_one_message_is_refused() -> None:
    to = Recipient("https://push.example", opened(POINT), opened(AUTH))
    with pytest.raises(ValueError, match="at most 3993 bytes"):
        seal(b"x" * (TEXT_MAX + 1), to, ec.generate_private_key(ec.SECP256R1()), bytes(16))


def test_the_senders_word_is_a_token_for_the_push_services_origin_that_pyjwt_verifies() -> None:
    ours = sender(SECRET, "mailto:push@shop.example")
    scheme, parts = ours.word("https://push.example:8443/send/abc?x=1", WALL).split(" ", 1)
    named = dict(part.split("=", 1) for part in parts.split(", "))
    assert (scheme, named["k"]) == ("vapid", unpadded(point_of(key(SECRET).public_key())))
    told = jwt.decode(
        named["t"],
        key(SECRET).public_key(),
        algorithms=["ES256"],
        audience="https://push.example:8443",
        options={"verify_exp": False, "require": ["exp", "aud", "sub"]},
    )
    assert told["sub"] == "mailto:push@shop.example"
    assert 0 < told["exp"] - WALL <= 24 * 3600
    assert sender_of(ours.word("https://push.example/abc", WALL), "https://push.example", WALL) == named["k"]


@pytest.mark.parametrize("secret", ["", "short", "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM9!"])
def test_a_key_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        sender(secret, "mailto:push@shop.example")


def test_a_subscription_is_taken_as_the_browser_gives_it_padded_or_not() -> None:
    taken = recipient("https://push.example/abc", POINT + "=", AUTH + "==", loopback=False)
    assert taken == Recipient("https://push.example/abc", opened(POINT), opened(AUTH))


@pytest.mark.parametrize(
    ("endpoint", "p256dh", "auth", "pointer"),
    [
        ("http://push.example/abc", POINT, AUTH, "/endpoint"),
        ("http://127.0.0.1/abc", POINT, AUTH, "/endpoint"),
        ("https://user@push.example/abc", POINT, AUTH, "/endpoint"),
        ("https://push.example/" + "a" * 2048, POINT, AUTH, "/endpoint"),
        ("ftp://push.example/abc", POINT, AUTH, "/endpoint"),
        ("https://push.example/abc", "B" + "A" * 86, AUTH, "/keys"),
        ("https://push.example/abc", "no base64!", AUTH, "/keys"),
        ("https://push.example/abc", POINT, "AAAA", "/keys"),
    ],
)
def test_a_subscription_that_cannot_be_sent_to_is_refused_by_field(endpoint: str, p256dh: str, auth: str, pointer: str) -> None:
    with pytest.raises(UnusableError) as refused:
        recipient(endpoint, p256dh, auth, loopback=False)
    assert refused.value.pointer == pointer
