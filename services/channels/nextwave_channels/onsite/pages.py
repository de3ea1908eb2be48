"""The pages that are open at this replica, by whom they show: bounded, one invitation each, and all let go on a drain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from nextwave_channels.claiming import Claimed

OF_ONE_VISITOR_MAX = 6
"""So many connections a browser makes to one host; of more the oldest is let go."""


class DrainingError(Exception):
    """No further page is taken here."""


class Page:
    """One open page of a visitor, `subject` (keyed hash), at a source. It is given one invitation at most: while it shows that, it does
    not listen. `displaced`: it had to make room.
    """

    def __init__(self, subject: str, source: str) -> None:
        self.subject = subject
        self.source = source
        self.displaced = False
        self.closed = False
        self.is_free = True
        self._offered: Claimed | None = None
        self._changed = asyncio.Event()

    def offer(self, claimed: Claimed) -> None:
        """Gives it its invitation."""
        assert self.is_free
        self.is_free = False
        self._offered = claimed
        self._changed.set()

    async def take(self, seconds: float) -> Claimed | None:
        """The invitation, once; None after `seconds` without one, or when the page is let go."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return None
        return self._pick_up()

    def close(self) -> Claimed | None:
        """Lets the page go; what was not taken comes back."""
        self.closed = True
        self.is_free = False
        self._changed.set()
        return self._pick_up()

    def _pick_up(self) -> Claimed | None:
        claimed, self._offered = self._offered, None
        return claimed


class OpenPages:
    """All of them. `most`: so many are kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._draining = False
        self._by_subject: dict[str, list[Page]] = {}
        self._by_source: dict[str, dict[Page, None]] = {}
        """The oldest first."""

    def __len__(self) -> int:
        return sum(map(len, self._by_source.values()))

    @property
    def subjects(self) -> Iterable[str]:
        """Whose pages are open."""
        return self._by_subject.keys()

    def open(self, subject: str, source: str) -> Page:
        """A new page of this visitor. Raises `DrainingError`."""
        if self._draining:
            raise DrainingError
        page = Page(subject, source)
        self._by_subject.setdefault(subject, []).append(page)
        self._by_source.setdefault(source, {})[page] = None
        return page

    def surplus(self, page: Page) -> list[Page]:
        """Who must go for a new page: the oldest of a visitor who has too many, else of the source with the most where all are too many."""
        of_visitor = self._by_subject[page.subject][:-OF_ONE_VISITOR_MAX]
        if of_visitor or len(self) <= self._most:
            return of_visitor
        of_source = max(self._by_source.values(), key=len)
        return [next(iter(of_source))]

    def forget(self, page: Page) -> None:
        """The page is gone."""
        same = self._by_subject.get(page.subject, [])
        if page in same:
            same.remove(page)
            del self._by_source[page.source][page]
        if not same:
            self._by_subject.pop(page.subject, None)
        if not self._by_source.get(page.source):
            self._by_source.pop(page.source, None)

    def free(self, subject: str) -> Page | None:
        """The visitor's newest page that can be given an invitation."""
        return next((page for page in reversed(self._by_subject.get(subject, [])) if page.is_free), None)

    def drain(self) -> list[Page]:
        """No new page from now on; those that are to be let go."""
        self._draining = True
        return [page for same in self._by_subject.values() for page in same]
