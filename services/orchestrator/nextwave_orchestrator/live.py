"""Holds the catalogue in force; a change anywhere is seen within a second and swapped in whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import structlog
from nextwave_contracts.faults import FaultyError
from nextwave_runtime.database import UNAVAILABLE

from nextwave_orchestrator import metrics
from nextwave_orchestrator.assembly import Compiled, Everything, assemble
from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.catalogue_store import CatalogueSession, CatalogueStore
from nextwave_orchestrator.responses.rates import Responses

POLL_SECONDS = 0.25
LEARN_SECONDS = 60.0
"""How often what was learned of answers is read again."""
POLICY_KEY = "house"

Learned = Callable[[Policy], Awaitable[Responses]]
"""Reads what was learned of answers, by the policy's settings."""

_log = structlog.get_logger()


async def nothing_learned(_policy: Policy) -> Responses:
    """For who needs the owners' rules only."""
    return Responses()


class LiveCatalogue:
    """The current catalogue, for everybody in this process."""

    def __init__(self, store: CatalogueStore, identifier_key: bytes, learned: Learned = nothing_learned) -> None:
        self._store = store
        self._identifier_key = identifier_key
        self._learned = learned
        self._responses = Responses()
        self._compiled: Compiled = {}
        self._current: Catalogue | None = None

    def current(self) -> Catalogue:
        """The catalogue in force; `load` must have run once."""
        assert self._current is not None, "the catalogue is loaded before anything runs"
        return self._current

    async def load(self) -> None:
        """Takes in what is stored now."""
        async with self._store.reading() as session:
            stored = await gather(session)
        assembled = await asyncio.to_thread(assemble, stored, self._identifier_key, self._compiled)
        for name, why in assembled.misfits.items():
            _log.error("document_left_out", document=name, error=why)
        metrics.CATALOGUE_MISFITS.set(len(assembled.misfits))
        self._current = replace(assembled, responses=self._responses)
        metrics.CATALOGUE_REVISION.set(stored.revision)

    async def learn(self) -> None:
        """Takes in what was learned of answers until now."""
        self._responses = await self._learned(self.current().policy)
        self._current = replace(self.current(), responses=self._responses)

    async def keep_learning(self) -> None:
        """Learns again and again, for ever. While the database is away what was learned last stays in force."""
        while True:
            await asyncio.sleep(LEARN_SECONDS)
            try:
                await self.learn()
            except UNAVAILABLE as error:
                _log.warning("learning_unreachable", error=repr(error))

    async def watch(self) -> None:
        """Loads again whenever the revision changed, for ever. While the database is away the last catalogue stays in force."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                if await self._store.revision() != self.current().revision:
                    await self.load()
            except UNAVAILABLE as error:
                _log.warning("catalogue_unreachable", error=repr(error))
            except (FaultyError, msgspec.MsgspecError) as error:
                metrics.CATALOGUE_REFUSED.inc()
                _log.error("catalogue_refused", error=str(error))


async def gather(session: CatalogueSession) -> Everything:
    """Everything stored."""
    return Everything(
        revision=session.revision,
        segments=await session.documents("segments"),
        templates=await session.documents("templates"),
        campaigns=await session.campaigns(),
        versions=await session.versions(),
        ready=await session.readiness(),
        policy=await policy_of(session),
    )


async def policy_of(session: CatalogueSession) -> Policy:
    """The policy in force; the shipped one until somebody writes another."""
    stored = await session.document("policies", POLICY_KEY)
    return Policy() if stored is None else msgspec.json.decode(stored.body, type=Policy)
