"""The links in messages: who follows them, and what that leaves."""

from __future__ import annotations

import pytest
from nextwave_contracts.actions import TEST_CUSTOMER
from nextwave_contracts.identifiers import blind
from nextwave_contracts.links import Link, sign
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, Stand

LINK = Link(customer_id="c-1", channel="email", purpose="marketing", action_id="a-1", target="https://shop.example/renew?x=1")
TOKEN = sign(LINK, LINK_KEY.encode())


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
        assert (await client.post(f"/u/{TOKEN}")).status_code == 503


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
        assert (await client.get(f"/{route}/{token}")).status_code == 404
    assert ingest.committer.records == []


@pytest.mark.parametrize("target", ["", "javascript:alert(1)", "//evil.example"])
async def test_only_web_addresses_are_followed(ingest: Stand, target: str) -> None:
    token = sign(Link(customer_id="c", channel="email", purpose="", action_id="a", target=target), LINK_KEY.encode())
    async with ingest.client() as client:
        assert (await client.get(f"/r/{token}")).status_code == 404
