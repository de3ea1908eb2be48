"""How many customers an editor may let a campaign reach alone: by publishing it, or by widening the segment that it names."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from nextwave_runtime.auth import Key
from nextwave_runtime.problem import Problem

from nextwave_orchestrator.api.control import Control
from nextwave_orchestrator.api.surroundings import started
from nextwave_orchestrator.assembly import Stored
from nextwave_orchestrator.campaigns.definition import Rule, Segment
from nextwave_orchestrator.campaigns.lifecycle import may_publish, too_many
from nextwave_orchestrator.catalogue import Facts
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.parse import read_rule

EVERYBODY = "*"


class Audience(NamedTuple):
    """A segment as it was when it was counted; `size` None: nobody counts, or it is not there."""

    key: str
    segment: Stored | None = None
    size: int | None = None


async def counted(control: Control, key: str) -> Audience:
    """The audience of this key. Counting takes its time, and is done before the catalogue is locked."""
    if control.sizes is None:
        return Audience(key)
    if key == EVERYBODY:
        return Audience(key, None, await control.sizes(_everybody))
    async with control.store.reading() as session:
        segment = await session.document("segments", key)
    return Audience(key, segment, segment and await _size(control, msgspec.json.decode(segment.body, type=Segment).rule))


async def still(session: CatalogueSession, audience: Audience, key: str) -> int | None:
    """The size, where the audience of this key is what was counted."""
    is_same = key == audience.key and await session.document("segments", key) == audience.segment
    return audience.size if is_same else None


async def size_to_approve(control: Control, by: Key, segment: Segment) -> int | None:
    """About how many customers there are by a rule that an editor writes where a campaign's audience is of it; else None."""
    if "approver" in by.roles:
        return None
    async with control.store.reading() as session:
        is_reached = await _is_reached(session, segment.key)
    return await _size(control, segment.rule) if is_reached else None


async def approve_widening(session: CatalogueSession, control: Control, by: Key, segment: Segment, size: int | None) -> None:
    """Refuses what only an approver may do to the audience of a campaign. Raises a 403 `Problem`."""
    if control.sizes is None or await _is_same(session, segment) or not await _is_reached(session, segment.key):
        return
    require_approval(by, too_many(control.limits, size))


def require_approval(by: Key, large: str) -> None:
    """Raises a 403 `Problem` for an editor where it is too large."""
    if not may_publish(by.roles, large):
        raise Problem(403, "approval-needed", f"{large}: ask an approver to do this")


async def _is_same(session: CatalogueSession, segment: Segment) -> bool:
    stored = await session.document("segments", segment.key)
    rule = stored and msgspec.json.decode(stored.body, type=Segment).rule
    return msgspec.json.encode(rule) == msgspec.json.encode(segment.rule)  # in bytes, since 1 and true are equal in Python


async def _is_reached(session: CatalogueSession, segment: str) -> bool:
    return any(campaign.entry.audience.segment == segment for campaign in await started(session))


async def _size(control: Control, rule: Rule) -> int | None:
    return None if control.sizes is None else await control.sizes(compile_rule(read_rule(rule, "/rule")))


def _everybody(_: Facts) -> bool:
    return True
