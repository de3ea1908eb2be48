"""Invitations and the pages that are open: who is shown what, once; and what becomes of an invitation that no page takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from channel_contacts import NOON
from channels_place import Place
from nextwave_channels import stopping
from nextwave_channels.claiming import settle_lapsed
from nextwave_channels.delivery import withdraw
from nextwave_channels.gate import Fact
from nextwave_channels.store import lock_one, report
from nextwave_contracts.actions import Span
from nextwave_contracts.identifiers import blind
from open_pages import ANN, IDENTIFIER_KEY, Porch, invitation, listening, open_porch
from unit.ingest.fakes import WRITE_KEY

BOB = "anonymous-bob-0002"


@pytest.fixture
async def porch(place: Place, tmp_path: Path) -> AsyncIterator[Porch]:
    async with open_porch(place, tmp_path) as opened:
        yield opened


async def state(place: Place, action_id: str = "action-1") -> str:
    return (await place.states())[action_id]


async def test_an_open_page_is_shown_what_comes_for_its_visitor_and_for_nobody_else(porch: Porch) -> None:
    async with listening(porch) as ann, listening(porch, BOB) as bob:
        await porch.put(invitation())
        assert await ann.next() == {
            "id": "action-1",
            "title": "Need a hand?",
            "text": "Can we help you? Chat at https://shop.example/chat now.",
            "links": [{"url": "https://shop.example/chat", "label": "shop.example/chat"}],
            "language": "",
        }
        assert await bob.next(1) is None
    assert await state(porch.place) == "sending"


async def test_a_page_that_opens_is_shown_what_waited_for_it(porch: Porch) -> None:
    await porch.put(invitation())
    await asyncio.sleep(0.5)
    assert await state(porch.place) == "due"
    async with listening(porch) as ann:
        assert ((await ann.next()) or {})["id"] == "action-1"


async def test_what_another_replica_took_in_is_shown_without_a_word_from_it(porch: Porch) -> None:
    async with listening(porch) as ann:
        await asyncio.sleep(0.6)
        porch.place.clock.instant = NOON + timedelta(minutes=1)
        await porch.place.put(invitation(), due_at=NOON + timedelta(minutes=1))
        assert ((await ann.next(3)) or {})["id"] == "action-1"


async def test_of_all_pages_of_a_visitor_one_shows_it_and_coming_again_repeats_nothing(porch: Porch) -> None:
    async with listening(porch) as one, listening(porch) as two:
        await porch.put(invitation())
        told = await asyncio.gather(one.next(2), two.next(2))
        assert [t is not None for t in told].count(True) == 1
    async with listening(porch, **{"last-event-id": "action-1"}) as again:
        assert await again.next(1) is None


async def test_a_stream_ends_with_its_invitation_so_that_the_next_one_waits_until_the_page_listens_again(porch: Porch) -> None:
    await porch.put(invitation("one", value=2.0), invitation("two", value=1.0))
    async with listening(porch) as ann:
        assert ((await ann.next()) or {})["id"] == "one"
        assert await ann.next() is None
    async with listening(porch) as ann:
        assert ((await ann.next()) or {})["id"] == "two"


async def test_what_the_page_reports_raises_the_state_and_counts_once(porch: Porch) -> None:
    async with listening(porch) as ann:
        await porch.put(invitation())
        await ann.next()
    assert [await porch.say(what) for what in ("clicked", "shown", "clicked", "shown")] == [204] * 4
    assert await state(porch.place) == "clicked"
    assert [(o.kind, o.taken) for o in await porch.place.outcomes()] == [("clicked", True)]


async def test_a_dismissal_is_a_contact_that_reached_and_no_refusal(porch: Porch) -> None:
    async with listening(porch) as ann:
        await porch.put(invitation())
        await ann.next()
    assert [await porch.say(what) for what in ("shown", "dismissed")] == [204, 204]
    assert sorted((o.kind, o.reach) for o in await porch.place.outcomes()) == [("delivered", None), ("opened", "reached")]


async def test_nobody_reports_for_another_visitor_with_a_foreign_key_or_before_it_was_handed_out(porch: Porch) -> None:
    await porch.put(invitation())
    assert await porch.say("shown") == 404
    async with listening(porch) as ann:
        await ann.next()
    assert await porch.say("shown", anonymous_id=BOB) == 404
    assert await porch.say("shown", key="wk_other") == 401
    assert await porch.say("shown", action_id="nobody") == 404
    assert await porch.say("sold") == 422
    assert await state(porch.place) == "sending"


async def test_what_a_page_never_confirms_is_unknown_and_is_shown_to_nobody_again(porch: Porch) -> None:
    async with listening(porch) as ann:
        await porch.put(invitation())
        await ann.next()
    await porch.place.ask("update deliveries set held_until = clock_timestamp()")
    assert await settle_lapsed(porch.place.desk) == 1
    async with listening(porch) as again:
        assert await again.next(1) is None
    assert await state(porch.place) == "unknown"


async def test_a_stopped_or_withdrawn_invitation_never_appears(porch: Porch) -> None:
    place, subject = porch.place, blind(f"anonymous_id:{ANN}", IDENTIFIER_KEY)
    await porch.put(invitation("stopped"), invitation("taken-back", run_id="run-2", purpose="transactional"))
    async with place.database.transaction() as connection:
        stored = await lock_one(connection, "taken-back")
        assert stored is not None
        await report(connection, [withdraw(stored, place.clock.now(), "responded")], 4)
    async with place.database.transaction() as connection:
        said = [Fact(subject=subject, kind="opt", channel="onsite", stopped=True, at=NOON)]
        await stopping.record_facts(connection, said, NOON, 4)
    async with listening(porch) as ann:
        await porch.put(invitation("later"))
        assert await ann.next(1.5) is None
    assert await place.states() == {"stopped": "withdrawn", "taken-back": "withdrawn", "later": "withdrawn"}


async def test_outside_its_hours_it_waits_for_them(porch: Porch) -> None:
    opens = NOON + timedelta(hours=2)
    async with listening(porch) as ann:
        await porch.put(invitation(permitted=(Span(start=opens, end=opens + timedelta(hours=1)),)))
        assert await ann.next(1) is None
        told = None
        for minutes in range(3):  # what a stall of this process made stale is due again after a while of business time
            porch.place.clock.instant = opens + timedelta(minutes=minutes)
            told = told or await ann.next(3)
        assert (told or {}).get("id") == "action-1"


async def test_what_a_page_takes_after_a_stall_is_not_shown_but_claimed_anew(place: Place, tmp_path: Path) -> None:
    behind = 0.0
    place.monotonic = lambda: asyncio.get_running_loop().time() + behind
    async with open_porch(place, tmp_path) as porch:
        handing = porch.app.state.handing
        page = handing.open(blind(f"anonymous_id:{ANN}", IDENTIFIER_KEY), "shop")
        await porch.put(invitation())
        claimed = await page.take(5)
        behind = 1.0
        assert not handing.may_go(claimed)
        await place.until(lambda: _is(place, "due"))
        assert await place.ask("select attempt, detail from deliveries") == [(1, "not sent: too long after its claim")]


async def _is(place: Place, wanted: str) -> bool:
    return wanted in (await place.states()).values()


async def test_what_a_page_did_not_take_before_it_left_is_due_again(porch: Porch) -> None:
    handing = porch.app.state.handing
    page = handing.open(blind(f"anonymous_id:{ANN}", IDENTIFIER_KEY), "shop")
    await porch.put(invitation())
    await porch.place.until(lambda: _is(porch.place, "sending"))
    handing.let_go(page)
    await porch.place.until(lambda: _is(porch.place, "due"))
    async with listening(porch) as ann:
        assert ((await ann.next(5)) or {})["id"] == "action-1"


async def test_one_page_too_many_takes_the_place_of_the_oldest_of_the_source_with_the_most(place: Place, tmp_path: Path) -> None:
    async with open_porch(place, tmp_path, most=3) as porch:
        handing, pages = porch.app.state.handing, porch.pages
        one_of_another = handing.open("visitor", "another")
        async with listening(porch) as oldest, listening(porch, BOB) as bob, listening(porch, "anonymous-eve-0003"):
            assert await oldest.next(5) is None
            assert oldest.retry_ms >= 30_000, "it does not come back at once and take the place of the next one"
            assert (len(pages), one_of_another.closed) == (3, False)
            await porch.put(invitation(anonymous_id=BOB))
            assert await bob.next() is not None
        handing.let_go(one_of_another)
        async with asyncio.timeout(5):
            while len(pages):  # noqa: ASYNC110  (the server notices in its own time)
                await asyncio.sleep(0.01)


async def test_of_too_many_pages_of_one_visitor_the_oldest_are_let_go(porch: Porch) -> None:
    async with listening(porch) as oldest:
        opened = [listening(porch) for _ in range(6)]
        for one in opened:
            await one.__aenter__()
        assert await oldest.next() is None
        assert len(porch.pages) == 6
        for one in opened:
            await one.__aexit__(None, None, None)


async def test_a_drain_ends_every_stream_at_once_and_takes_no_new_one(place: Place, tmp_path: Path) -> None:
    async with open_porch(place, tmp_path) as porch, listening(porch) as ann:
        porch.app.state.loop.cancel()
        assert await ann.next(2) is None
        async with httpx.AsyncClient() as client:
            assert (await client.get(porch.stream())).status_code == 503


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"write_key": "wk_nobody", "anonymous_id": ANN}, 401),
        ({"write_key": WRITE_KEY, "anonymous_id": "7"}, 422),
        ({"write_key": WRITE_KEY, "customer_id": "c-1"}, 422),
        ({"anonymous_id": ANN}, 422),
    ],
)
async def test_a_page_shows_a_write_key_and_a_random_id_since_a_customer_id_can_be_guessed(
    porch: Porch, query: dict[str, str], status: int
) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{porch.url}/v1/onsite/stream", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["access-control-allow-origin"] == "*"
