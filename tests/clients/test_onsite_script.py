"""The shop's script in the real Chromium, on a page with a strict policy: it shows the invitation and reports what the visitor does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from channels_place import HandClock, Place
from clients.minify import BROWSER, MINIFIED, minified
from clients.serving import Served
from fastapi import FastAPI
from fastapi.responses import Response
from nextwave_channels.onsite.routes import served_script
from nextwave_contracts.actions import Content
from nextwave_contracts.identifiers import blind
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from node_tools import installed, run_node
from open_pages import ANN, IDENTIFIER_KEY, Porch, invitation, open_porch, serving
from stack import Stack
from unit.ingest.fakes import WRITE_KEY


@dataclass
class Shop:
    """A shop with pages, the invitations of its visitors, and the touchpoints that they report."""

    url: str
    porch: Porch
    served: Served

    async def visit(self, path: str, *steps: dict[str, Any]) -> dict[str, Any]:
        """What a browser sees and hears there while it does this."""
        script = await asyncio.to_thread(installed, BROWSER)
        arguments = (f"{self.url}{path}", json.dumps(steps))
        told: dict[str, Any] = json.loads(await asyncio.to_thread(run_node, script / "visit.mjs", *arguments, timeout_seconds=120))
        assert told["faults"] == []
        return told

    def touchpoints(self) -> list[tuple[str, tuple[str, ...], Any]]:
        """Type, identifiers and action of what the page reported at ingest."""
        return [(t.type, t.identifiers, t.data["action_id"]) for t in self.served.committer.touchpoints]


@pytest.fixture
async def shop(stack: Stack, served: Served, tmp_path: Path) -> AsyncIterator[Shop]:
    dsn = await stack.create_database("channels")
    await asyncio.to_thread(upgrade, "nextwave_channels.migrations", dsn)
    database, folder = Database(dsn), tmp_path / "channels"
    folder.mkdir()
    try:
        async with open_porch(Place(database, HandClock()), folder, ingest_url=served.url) as porch, pages(porch, served) as url:
            yield Shop(url, porch, served)
    finally:
        await database.close()


@asynccontextmanager
async def pages(porch: Porch, served: Served) -> AsyncIterator[str]:
    """The shop's pages: `/anonymous` names its visitor itself, `/known` leaves that to what analytics.js keeps."""
    app = FastAPI()
    policy = f"default-src 'none'; script-src 'self' {porch.url}; connect-src {porch.url} {served.url}"

    def page(tag: str) -> Response:
        body = f'<!doctype html><title>Shop</title><script src="/analytics.js"></script><h1>Shop</h1>{tag}'
        return Response(body, media_type="text/html", headers={"content-security-policy": policy})

    @app.get("/analytics.js")
    async def analytics() -> Response:
        return Response(f"localStorage.ajs_anonymous_id = JSON.stringify('{ANN}')", media_type="text/javascript")

    @app.get("/anonymous")
    async def anonymous() -> Response:
        return page(f'<script async src="{porch.url}/v1/onsite.js" data-key="{WRITE_KEY}" data-anonymous-id="{ANN}"></script>')

    @app.get("/known")
    async def known() -> Response:
        return page(f'<script async src="{porch.url}/v1/onsite.js" data-key="{WRITE_KEY}" data-yes="Ja" data-no="Nein"></script>')

    @app.get("/{elsewhere}")
    async def chat(elsewhere: str) -> Response:
        return Response(f"<!doctype html><title>{elsewhere}</title>", media_type="text/html")

    async with serving(app) as url:
        yield url


async def states(shop: Shop, wanted: str) -> None:
    async def reached() -> bool:
        return (await shop.porch.place.states()) == {"action-1": wanted}

    await shop.porch.place.until(reached)


async def test_an_anonymous_visitor_sees_the_invitation_and_a_click_leads_there_and_is_reported(shop: Shop) -> None:
    subjects = (blind(f"anonymous_id:{ANN}", IDENTIFIER_KEY),)
    page = f'<a href="{shop.url}/chat">Chat with us</a>'
    content = Content(text="Can we help you?\n<img src=x>", subject="Need a hand?", html=page, language="en")
    await shop.porch.put(invitation(subjects=subjects, content=content))
    told = await shop.visit("/anonymous", {"do": "wait"}, {"do": "read"}, {"do": "click", "role": "link", "name": "Chat with us"})
    (seen,) = told["read"]
    assert seen["text"].split("\n")[:3] == ["Need a hand?", "", "Can we help you?"]
    assert (seen["role"], seen["markup"]) == (["dialog", "Need a hand?", "en", "fixed"], 0)
    assert told["url"] == f"{shop.url}/chat"
    await states(shop, "clicked")
    assert shop.touchpoints() == [("onsite.clicked", (f"anonymous_id:{ANN}",), "action-1")]


async def test_a_known_customer_is_reached_by_the_id_that_analytics_keeps_and_the_page_hears_the_click(shop: Shop) -> None:
    await shop.porch.put(invitation(content=Content(text="Can we help you?")))
    told = await shop.visit("/known", {"do": "wait"}, {"do": "click", "role": "button", "name": "Ja"}, {"do": "read"})
    assert [what for what, _ in told["heard"]] == ["shown", "clicked"]
    assert told["heard"][1][1]["id"] == "action-1"
    assert told["read"][0]["shown"] == 0
    await states(shop, "clicked")
    assert [kind for kind, *_ in shop.touchpoints()] == ["onsite.clicked"]
    outcomes = await shop.porch.place.outcomes()
    assert {"clicked"} <= {o.kind for o in outcomes} <= {"delivered", "clicked"}  # the two reports race each other
    assert sum(o.taken for o in outcomes) == 1


@pytest.mark.parametrize(
    "step", [{"do": "click", "role": "button", "name": "Nein"}, {"do": "press", "at": "nextwave-invitation section >> a", "key": "Escape"}]
)
async def test_who_closes_it_was_reached_and_is_shown_no_more(shop: Shop, step: dict[str, Any]) -> None:
    await shop.porch.put(invitation())
    told = await shop.visit("/known", {"do": "wait"}, step, {"do": "absent", "ms": 4000}, {"do": "read"})
    assert told["read"][0]["shown"] == 0
    await states(shop, "opened")
    assert [kind for kind, *_ in shop.touchpoints()] == ["onsite.dismissed"]


async def test_an_invitation_that_comes_while_the_page_is_open_appears_and_one_at_a_time(shop: Shop) -> None:
    visiting = asyncio.create_task(
        shop.visit("/known", {"do": "wait"}, {"do": "absent", "ms": 1500}, {"do": "read"}, {"do": "click", "role": "button", "name": "Ja"},
                   {"do": "wait"}, {"do": "read"})
    )  # fmt: skip
    async with asyncio.timeout(60):
        while not len(shop.porch.pages):  # noqa: ASYNC110  (the browser starts in its own time)
            await asyncio.sleep(0.05)
    one, two = (Content(text=text) for text in ("first", "second"))
    await shop.porch.put(invitation("one", content=one, value=2.0), invitation("two", content=two, value=1.0))
    told = await visiting
    assert [(seen["shown"], seen["text"].split("\n")[0]) for seen in told["read"]] == [(1, "first"), (1, "second")]


async def test_a_withdrawn_invitation_never_appears(shop: Shop) -> None:
    await shop.porch.put(invitation())
    await shop.porch.place.ask("update deliveries set state = 'withdrawn'")
    told = await shop.visit("/known", {"do": "absent", "ms": 3000}, {"do": "read"})
    assert (told["read"][0]["shown"], told["heard"]) == (0, [])


def test_what_is_served_is_the_source_minified_and_at_most_two_kilobytes() -> None:
    assert minified() == MINIFIED.read_text(), "run `make script`"
    assert len(served_script("https://ingest.nextwave.example")) <= 2048
