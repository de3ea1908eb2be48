"""Hands invitations to the pages that are open here: one loop a replica, woken by work and by new pages, however many pages there are.

A page that opens is looked up by itself, and again from time to time; for all that are open one question tells what became due since the
last one. Only where there is something it is claimed, for one page. What a page did not take, since it was gone, was surely not sent.
What left for a page is `sending` until the page says that it shows it: a connection that takes bytes proves nothing.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count

import structlog
from nextwave_runtime.database import UNAVAILABLE

from nextwave_channels import claiming, metrics
from nextwave_channels.answers import Refused
from nextwave_channels.claiming import Claimed, Desk
from nextwave_channels.dispatcher import AGAIN_SECONDS, STALE, TROUBLE_SECONDS, Bell
from nextwave_channels.horizon import ClaimsWaitError, Waiting
from nextwave_channels.onsite import lookup
from nextwave_channels.onsite.pages import OpenPages, Page
from nextwave_channels.pacing import PACES, idle_seconds
from nextwave_channels.store import Selection

CHANNEL = "onsite"
LOOK_AGAIN_SECONDS = (0.0, 2.0, 30.0)
"""When an open page is looked up by itself: at once, after what a page before it may have given back, and ever so often from then on."""
OVERLAP_SECONDS = 5.0
"""What became due so long before the last question is asked for again: its transaction may have been committed since."""
DRAIN_SECONDS = 5.0
GONE = Refused(detail="the page was gone before it took the invitation", permanent=False)
_log = structlog.get_logger()


class HandingOut:
    """The loop, and what the streams of pages do with it."""

    def __init__(self, desk: Desk, bell: Bell, pages: OpenPages) -> None:
        self._desk = desk
        self._bell = bell
        self._pages = pages
        self._pace = PACES[CHANNEL]
        self._waiting = Waiting(CHANNEL, desk.monotonic)
        self._numbers = count()
        self._looks: list[tuple[float, int, int, Page]] = []
        self._wanting: set[str] = set()
        """Who is to be looked up as soon as that is possible."""
        self._returned: list[tuple[Claimed, Refused]] = []
        self._asked_until = datetime.max.replace(tzinfo=UTC)
        """Up to when all that became due was seen; the first question reaches back by the overlap alone."""

    def open(self, subject: str, source: str) -> Page:
        """A page that listens from now on; others may have to go for it. Raises `DrainingError`."""
        page = self._pages.open(subject, source)
        for old in self._pages.surplus(page):
            old.displaced = True
            self.let_go(old)
        metrics.OPEN_PAGES.set(len(self._pages))
        self._look_later(page, 0)
        self._bell.ring(CHANNEL)
        return page

    def let_go(self, page: Page) -> None:
        """The page has left, or must."""
        untaken = page.close()
        self._pages.forget(page)
        metrics.OPEN_PAGES.set(len(self._pages))
        if untaken is not None:
            self._give_back(untaken, GONE)

    def may_go(self, claimed: Claimed) -> bool:
        """Whether an invitation that a page has taken may leave now; where it may not, it is due again."""
        fresh = claiming.is_fresh(self._desk, claimed, self._pace)
        if not fresh:
            self._give_back(claimed, STALE)
        return fresh

    async def run(self) -> None:
        """Hands out until cancelled; then lets every page go."""
        waited = 0.0
        try:
            while True:
                waited = await self._try_turn(waited)
        finally:
            for page in self._pages.drain():
                self.let_go(page)
            with suppress(*UNAVAILABLE):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._settle()

    async def _try_turn(self, waited: float) -> float:
        try:
            await self._settle()
            handed = await self._turn()
            self._waiting.is_over()
        except ClaimsWaitError as wait:
            self._waiting.goes_on(str(wait))
            await asyncio.sleep(AGAIN_SECONDS)
            return 0.0
        except UNAVAILABLE as error:
            _log.warning("handing_out_waits", error=repr(error)[:300])
            await asyncio.sleep(TROUBLE_SECONDS)
            return 0.0
        if handed:
            return 0.0
        idle = idle_seconds(waited, None, self._desk.monotonic())
        return 0.0 if await self._bell.wait(CHANNEL, idle) else idle

    async def _turn(self) -> int:
        """Looks once and hands out what is there; how many that was."""
        self._wanting.update(page.subject for page in self._due_looks())
        if not self._pages.subjects:
            self._wanting.clear()
            return 0
        clock = self._desk.clock
        async with self._desk.database.connection() as connection:
            now = clock.now()
            since = min(self._asked_until, clock.at(clock.wall() - OVERLAP_SECONDS))
            told, until = await lookup.news(connection, since, now)
            asked = frozenset(self._wanting)
            waited_for = await lookup.waited_for(connection, asked, now)
        ready = waited_for | told.intersection(self._pages.subjects)
        self._wanting |= ready
        handed = sum([await self._hand_out(subject) for subject in sorted(ready)])
        self._wanting -= asked | ready
        self._asked_until = until
        return handed

    async def _hand_out(self, subject: str) -> bool:
        """Claims one invitation for a free page of this visitor."""
        if self._pages.free(subject) is None:
            return False
        claimed = await claiming.claim(self._desk, Selection(CHANNEL, subjects=frozenset({subject})), 1, self._pace)
        for one in claimed or ():
            page = self._pages.free(subject)
            if page is None:
                self._give_back(one, GONE)
            else:
                page.offer(one)
        return bool(claimed)

    def _due_looks(self) -> Iterator[Page]:
        now = self._desk.monotonic()
        while self._looks and self._looks[0][0] <= now:
            _, _, turn, page = heapq.heappop(self._looks)
            if page.is_free:
                self._look_later(page, min(turn + 1, len(LOOK_AGAIN_SECONDS) - 1))
                yield page

    def _look_later(self, page: Page, turn: int) -> None:
        heapq.heappush(self._looks, (self._desk.monotonic() + LOOK_AGAIN_SECONDS[turn], next(self._numbers), turn, page))

    def _give_back(self, claimed: Claimed, why: Refused) -> None:
        self._returned.append((claimed, why))
        self._bell.ring(CHANNEL)

    async def _settle(self) -> None:
        """Records what was given back; while the database is away it is kept, until the leases decide."""
        while self._returned:
            claimed, why = self._returned[0]
            await claiming.record(self._desk, claimed.delivery, why)
            del self._returned[0]
