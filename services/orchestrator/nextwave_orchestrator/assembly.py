"""Makes the catalogue out of everything stored; what did not change is not compiled again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import msgspec

from nextwave_orchestrator.campaigns.compile import compile_campaign, compile_segment
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Template
from nextwave_orchestrator.catalogue import CampaignState, Catalogue, LiveCampaign, LiveSegment
from nextwave_orchestrator.templates import Templates


class Stored(NamedTuple):
    """A document and the catalogue's revision at its last change."""

    key: str
    revision: int
    body: bytes


class CampaignRow(NamedTuple):
    """A campaign's state and newest version."""

    key: str
    state: CampaignState
    version: int


class Version(NamedTuple):
    """A published version; it never changes."""

    key: str
    version: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """All that is stored, as one revision had it."""

    revision: int
    segments: Sequence[Stored]
    templates: Sequence[Stored]
    campaigns: Sequence[CampaignRow]
    versions: Sequence[Version]
    ready: Mapping[str, bool]
    policy: Policy


def assemble(stored: Everything, identifier_key: bytes) -> Catalogue:
    """The catalogue. Raises `FaultyError` or `msgspec.ValidationError` when something stored does not fit this release."""
    rows = {row.key: row for row in stored.campaigns}
    compiled = {(v.key, v.version): replace(_campaign(v.body, v.version), state=rows[v.key].state) for v in stored.versions}
    newest = (compiled[row.key, row.version] for row in sorted(rows.values()) if row.state == "published")
    return Catalogue(
        revision=stored.revision,
        segments=tuple(sorted((_segment(s.body) for s in stored.segments), key=lambda s: (s.priority, s.key))),
        campaigns=compiled,
        live=tuple(newest),
        states={key: row.state for key, row in rows.items()},
        ready=dict(stored.ready),
        policy=stored.policy,
        render=Templates(msgspec.json.decode(t.body, type=Template) for t in stored.templates),
        identifier_key=identifier_key,
    )


@lru_cache(maxsize=4096)
def _campaign(body: bytes, version: int) -> LiveCampaign:
    return compile_campaign(msgspec.json.decode(body, type=Campaign), version, "published")


@lru_cache(maxsize=4096)
def _segment(body: bytes) -> LiveSegment:
    return compile_segment(msgspec.json.decode(body, type=Segment))
