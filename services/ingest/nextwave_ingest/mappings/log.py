"""The mappings that people wrote, as the topic has them: heard in its order, written by the same group commit as touchpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from nextwave_contracts.mappings import MappingVersion
from nextwave_contracts.places import CONTENT_TYPE_HEADER
from nextwave_contracts.topics import MAPPINGS
from nextwave_contracts.wire import decode, encode

from nextwave_ingest.follower import Follower
from nextwave_ingest.lane import unavailable
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.history import History
from nextwave_ingest.mappings.library import Library
from nextwave_ingest.reception import Committer
from nextwave_ingest.records import Record

HEARD_SECONDS = 5.0
"""How long a writer waits for what it wrote to come back."""
LOOK_SECONDS = 5.0
"""How often it is looked at which mappings are left out."""

_log = structlog.get_logger()


class MappingLog:
    """Puts into the library what counts of the topic, and writes to it."""

    def __init__(self, committer: Committer, library: Library) -> None:
        self.history = History()
        self.library = library
        self._committer = committer
        self._unheard: Callable[[], str] = lambda: ""
        self._left_out: dict[str, str] = {}
        self._awaited: dict[asyncio.Future[MappingVersion], tuple[str, int]] = {}

    def follower(self, bootstrap: str) -> Follower:
        """Who hears the topic for it. Until all of it is heard nobody can say which mapping is in force."""
        follower = Follower(bootstrap, MAPPINGS, self.take)
        self._unheard = lambda: follower.fault
        return follower

    def find(self, name: str) -> Compiled | None:
        """The mapping in force under this name, or None: there is none, or `fault` says why it cannot be used."""
        return self.library.find(name)

    def fault(self, name: str) -> str:
        """Why nobody can say now what this mapping makes of a body, or an empty text."""
        return self._unheard() or self.library.fault(name)

    async def run(self) -> None:
        """Tells which mappings are left out, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.tell()

    def tell(self) -> None:
        """Says in the log, once, which mappings this build cannot use and why, and when that is over."""
        if self._unheard():
            return
        left_out = {name: self.library.fault(name) for name in self.library.left_out()}
        for name, why in left_out.items():
            if self._left_out.get(name) != why:
                _log.error("mapping_left_out", mapping=name, error=why[:300])
        for name in self._left_out.keys() - left_out.keys():
            _log.info("mapping_left_out_no_more", mapping=name)
        self._left_out = left_out

    def take(self, value: bytes) -> None:
        """Hears a record of the topic. Raises whatever a stranger's record brings about, with nothing taken."""
        written: MappingVersion = decode(value, MappingVersion)
        if not self.history.take(written):
            return
        if written.retired:
            self.library.lift(written.name)
        else:
            self.library.lay(written.name, written.document)
        for heard, place in self._awaited.items():
            if place == (written.name, written.version) and not heard.done():
                heard.set_result(written)

    async def write(self, written: MappingVersion) -> bool:
        """Writes the successor of what was heard so far; whether it counts, and not another writer's. Raises a 429 or 503 `Problem`."""
        heard: asyncio.Future[MappingVersion] = asyncio.get_running_loop().create_future()
        self._awaited[heard] = (written.name, written.version)
        headers = [(CONTENT_TYPE_HEADER, b"application/json")]
        try:
            async with asyncio.timeout(HEARD_SECONDS):
                await self._committer.commit([Record(MAPPINGS.name, MAPPINGS.key(written).encode(), encode(written), headers)])
                return (await heard).id == written.id
        except TimeoutError as late:
            raise unavailable() from late
        finally:
            del self._awaited[heard]
