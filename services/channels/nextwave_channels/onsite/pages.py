"""The pages that are open at this replica, by whom they show: bounded, one invitation each, and all let go on a drain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from nextwave_channels.claiming import Claimed

OF_ONE_VISITOR_MAX = 6
"""So many connections a browser makes to one host; of more the oldest is let go."""


class FullError(Exception):
    """No further page can be kept open here; the text says why."""


class Page:
    """One open page of a visitor, `subject` (keyed hash). It is given one invitation at most: while it shows that, it does not listen."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
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
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def subjects(self) -> Iterable[str]:
        """Whose pages are open."""
        return self._by_subject.keys()

    def open(self, subject: str) -> Page:
        """A new page of this visitor. Raises `FullError`."""
        if self._draining:
            raise FullError("this replica is stopping")
        if self._count >= self._most:
            raise FullError(f"{self._most} pages are open here, which is the most")
        page = Page(subject)
        self._by_subject.setdefault(subject, []).append(page)
        self._count += 1
        return page

    def surplus(self, subject: str) -> list[Page]:
        """The oldest pages of a visitor who has too many."""
        return self._by_subject.get(subject, [])[:-OF_ONE_VISITOR_MAX]

    def forget(self, page: Page) -> None:
        """The page is gone."""
        same = self._by_subject.get(page.subject, [])
        if page in same:
            same.remove(page)
            self._count -= 1
        if not same:
            self._by_subject.pop(page.subject, None)

    def free(self, subject: str) -> Page | None:
        """The visitor's newest page that can be given an invitation."""
        return next((page for page in reversed(self._by_subject.get(subject, [])) if page.is_free), None)

    def drain(self) -> list[Page]:
        """No new page from now on; those that are to be let go."""
        self._draining = True
        return [page for same in self._by_subject.values() for page in same]
