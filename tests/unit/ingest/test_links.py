"""The links in messages: who follows them, and what that leaves."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nextwave_contracts.actions import TEST_CUSTOMER
from nextwave_contracts.identifiers import blind
from nextwave_contracts.links import InvalidTokenError, Link, sign, verify
from nextwave_ingest.link_pages import TEXTS, language_of
from nextwave_ingest.links import destination
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, Stand, stand

LINK = Link(customer_id="c-1", channel="email", purpose="marketing", action_id="a-1", target="https://shop.example/renew?x=1")
TOKEN = sign(LINK, LINK_KEY.encode())
WORDS = st.text(max_size=30)
LINKS = st.builds(Link, customer_id=WORDS, channel=WORDS, purpose=WORDS, action_id=WORDS, target=WORDS)
KEYS = st.binary(min_size=32, max_size=40)


async def test_looking_at_the_unsubscribe_page_unsubscribes_nobody(ingest: Stand) -> None:
    async with ingest.client() as client:
        page = await client.get(f"/u/{TOKEN}")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert '<form method="post">' in page.text
    assert ingest.committer.records == []


async def test_one_click_unsubscribes_with_its_hold(ingest: Stand) -> None:
    async with ingest.client() as client:
        answer = await client.post(f"/u/{TOKEN}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    (seen,), (hold,) = ingest.committer.touchpoints, ingest.committer.holds
    assert (seen.type, seen.identifiers) == ("consent.withdrawn", ("external:nextwave:c-1",))
    assert seen.data == {"action_id": "a-1", "channel": "email", "purpose": "marketing"}
    assert (hold.kind, hold.channel, hold.purpose) == ("opt_out", "email", "marketing")
    assert hold.subjects == (blind("external:nextwave:c-1", IDENTIFIER_KEY.encode()),)


async def test_each_unsubscription_is_a_new_one_so_that_none_after_a_return_is_dropped(ingest: Stand) -> None:
    async with ingest.client() as client:
        await client.post(f"/u/{TOKEN}")
        await client.post(f"/u/{TOKEN}")
    assert len({t.id for t in ingest.committer.touchpoints}) == 2


async def test_an_unsubscription_that_is_not_durable_is_not_confirmed(ingest: Stand) -> None:
    ingest.committer.problem = Problem(503, "log-unavailable", "later", retry_after_seconds=2)
    async with ingest.client() as client:
        page = await client.post(f"/u/{TOKEN}", headers={"accept-language": "de-AT"})
    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert TEXTS["de"].try_again in page.text
    assert '<form method="post">' in page.text


async def test_the_page_offers_this_kind_or_everything_and_the_second_button_stops_all_of_the_channel(ingest: Stand) -> None:
    async with ingest.client() as client:
        asked = await client.get(f"/u/{TOKEN}")
        told = await client.post(f"/u/{TOKEN}", data={"List-Unsubscribe": "All"})
    assert [f'value="{value}"' in asked.text for value in ("One-Click", "All")] == [True, True]
    assert TEXTS["en"].done_with_everything in told.text
    (hold,) = ingest.committer.holds
    assert (hold.kind, hold.channel, hold.purpose) == ("opt_out", "email", "")


async def test_a_link_about_every_kind_leaves_nothing_to_choose(ingest: Stand) -> None:
    token = sign(Link(customer_id="c-1", channel="sms", purpose="", action_id="a-1"), LINK_KEY.encode())
    async with ingest.client() as client:
        asked = await client.get(f"/u/{token}")
        await client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
    assert asked.text.count("<button") == 1
    (hold,) = ingest.committer.holds
    assert (hold.channel, hold.purpose) == ("sms", "")


@pytest.mark.parametrize(
    "sent", [{"files": {"List-Unsubscribe": (None, "One-Click")}}, {"data": {"any": "thing"}}, {"content": b"\xff"}, {}]
)
async def test_whatever_else_is_posted_is_the_one_click(ingest: Stand, sent: dict[str, Any]) -> None:
    async with ingest.client() as client:
        assert (await client.post(f"/u/{TOKEN}", **sent)).status_code == 200
    (hold,) = ingest.committer.holds
    assert (hold.channel, hold.purpose) == ("email", "marketing")


async def test_neither_a_look_at_the_headers_nor_another_method_unsubscribes(ingest: Stand) -> None:
    async with ingest.client() as client:
        looked = await client.head(f"/u/{TOKEN}")
        others = [(await client.request(method, f"/u/{TOKEN}")).status_code for method in ("PUT", "DELETE", "OPTIONS", "PATCH")]
    assert (looked.status_code, looked.content, others) == (200, b"", [405] * 4)
    assert ingest.committer.records == []


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("fr-CA, fr;q=0.9, en;q=0.8", "fr"),
        ("nl, es;q=0.5, en;q=0.4", "es"),
        ("en;q=0.1, DE-at;q=0.9", "de"),
        ("de;q=0, en", "en"),
        ("de;q=0", "en"),
        ("it,*;q=0.5", "en"),
        ("es;q=high, de;q=0.1", "de"),
    ],
)
async def test_the_page_is_in_the_readers_language(ingest: Stand, accepted: str, language: str) -> None:
    async with ingest.client() as client:
        page = await client.get(f"/u/{TOKEN}", headers={"accept-language": accepted})
    assert f'<html lang="{language}">' in page.text
    assert f"<h1>{TEXTS[language].ask}</h1>" in page.text


@given(st.text(alphabet="deqfrsn-;=,. 0189*"))
def test_whatever_languages_are_asked_for_the_page_has_one_of_ours(accepted: str) -> None:
    assert language_of(accepted) in TEXTS


async def test_a_click_is_recorded_and_leads_where_the_token_says(ingest: Stand) -> None:
    async with ingest.client() as client:
        answer = await client.get(f"/r/{TOKEN}", params={"target": "https://evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (302, LINK.target)
    (seen,) = ingest.committer.touchpoints
    assert (seen.type, seen.data["url"]) == ("email.clicked", LINK.target)


async def test_who_looks_at_a_test_is_no_customer_and_leaves_nothing(ingest: Stand) -> None:
    token = sign(
        Link(customer_id=f"{TEST_CUSTOMER}1", channel="email", purpose="transactional", action_id="1", target=LINK.target),
        LINK_KEY.encode(),
    )
    async with ingest.client() as client:
        assert (await client.get(f"/r/{token}")).headers["location"] == LINK.target
        assert (await client.get(f"/o/{token}")).status_code == 200
        assert (await client.post(f"/u/{token}")).status_code == 200
    assert ingest.committer.records == []


async def test_a_person_goes_on_even_when_the_click_cannot_be_recorded(ingest: Stand) -> None:
    ingest.committer.problem = Problem(503, "log-unavailable", "later")
    async with ingest.client() as client:
        assert (await client.get(f"/r/{TOKEN}")).status_code == 302
        assert (await client.get(f"/o/{TOKEN}")).status_code == 200


async def test_a_message_is_opened_once_however_often_its_pixel_is_fetched(ingest: Stand) -> None:
    async with ingest.client() as client:
        pixel = await client.get(f"/o/{TOKEN}")
        await client.get(f"/o/{TOKEN}")
    assert (pixel.headers["content-type"], pixel.content[:6]) == ("image/gif", b"GIF89a")
    assert {(t.id, t.type) for t in ingest.committer.touchpoints} == {("opened/a-1", "email.opened")}


async def test_a_scanner_that_asks_for_headers_leaves_nothing(ingest: Stand) -> None:
    async with ingest.client() as client:
        assert (await client.head(f"/r/{TOKEN}")).status_code == 302
        assert (await client.head(f"/o/{TOKEN}")).content == b""
    assert ingest.committer.records == []


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-2], "A" + TOKEN[1:], sign(LINK, b"another key")])
@pytest.mark.parametrize("route", ["u", "r", "o"])
async def test_a_token_that_is_not_ours_leads_nowhere(ingest: Stand, route: str, token: str) -> None:
    async with ingest.client() as client:
        answer = await client.get(f"/{route}/{token}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert ingest.committer.records == []


@given(LINKS, KEYS, KEYS)
def test_a_link_made_with_the_key_of_before_still_works_and_one_of_no_key_does_not(link: Link, old: bytes, new: bytes) -> None:
    assert verify(sign(link, old), new, old) == link
    if old != new:
        with pytest.raises(InvalidTokenError):
            verify(sign(link, old), new)


@given(LINKS, st.integers(0, 200), st.text(alphabet="Aa0-_=%/", max_size=3))
def test_a_token_that_was_changed_is_refused_or_says_the_same(link: Link, place: int, put: str) -> None:
    token = sign(link, LINK_KEY.encode())
    changed = token[: place % len(token)] + put + token[place % len(token) + len(put) :]
    _says_nothing_else(changed, link)
    _says_nothing_else(token[: place % len(token)], link)
    _says_nothing_else(token + put, link)


def _says_nothing_else(token: str, link: Link) -> None:
    with suppress(InvalidTokenError):
        assert verify(token, LINK_KEY.encode()) == link


@given(st.text())
def test_a_token_that_nobody_signed_is_none(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        verify(token, LINK_KEY.encode())


async def test_the_door_takes_the_links_of_the_key_before(tmp_path: Path) -> None:
    async with stand(tmp_path, link_key="n" * 32, link_key_before=LINK_KEY).client() as client:
        assert (await client.get(f"/u/{TOKEN}")).status_code == 200
    async with stand(tmp_path, link_key="n" * 32).client() as client:
        assert (await client.get(f"/u/{TOKEN}")).status_code == 404


@given(st.text() | st.text(alphabet="/\\@?#:. \r\n\té%").map(lambda rest: f"https://shop.example{rest}"))
@example("https://shop.example/\r\nset-cookie: a=b")
@example("https://shop.example\\@evil.example/")
@example("https://shop.example@evil.example/")
@example("https:///evil.example")
def test_a_destination_is_one_header_value_and_the_host_that_was_signed(target: str) -> None:
    place = destination(target)
    if place is None:
        return
    assert place.isascii()
    assert not any(byte <= 32 or byte == 127 for byte in place)
    assert place.startswith((b"https://", b"http://", b"HTTP"))
    if target.startswith("https://shop.example") and target[20:21] in ("", "/", "?", "#"):
        assert httpx.URL(place.decode()).host == "shop.example"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://shop.example/a?b=c%20d&e=1#f", "https://shop.example/a?b=c%20d&e=1#f"),
        ("https://shop.example/größe?q=ü", "https://shop.example/gr%C3%B6%C3%9Fe?q=%C3%BC"),
        ("HTTPS://shop.example:8443", "HTTPS://shop.example:8443"),
        ("https://shop.example/@ann", "https://shop.example/@ann"),
    ],
)
async def test_a_destination_arrives_as_it_was_meant(ingest: Stand, target: str, location: str) -> None:
    token = sign(Link(customer_id="c", channel="email", purpose="", action_id="a", target=target), LINK_KEY.encode())
    async with ingest.client() as client:
        assert (await client.get(f"/r/{token}")).headers["location"] == location


@pytest.mark.parametrize(
    "target",
    [
        "",
        "javascript:alert(1)",
        "//evil.example",
        "https://",
        "https:///evil.example",
        "https://shop.example@evil.example",
        "https://shop.example/\r\nset-cookie: a=b",
        "https://shop.example\\.evil.example",
        " https://shop.example",
        "data:text/html,https://shop.example",
    ],
)
async def test_only_web_addresses_are_followed(ingest: Stand, target: str) -> None:
    token = sign(Link(customer_id="c", channel="email", purpose="", action_id="a", target=target), LINK_KEY.encode())
    async with ingest.client() as client:
        assert (await client.get(f"/r/{token}")).status_code == 404
    assert ingest.committer.records == []
