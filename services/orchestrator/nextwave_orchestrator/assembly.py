"""Makes the catalogue out of everything stored; what did not change is not compiled again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

import msgspec

from nextwave_orchestrator.campaigns.checks import steps_of
from nextwave_orchestrator.campaigns.compile import compile_campaign, compile_segment
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Template
from nextwave_orchestrator.catalogue import CampaignState, Catalogue, LiveCampaign, LiveSegment
from nextwave_orchestrator.templates import Templates

Written = TypeVar("Written")
Read = TypeVar("Read")


class Stored(NamedTuple):
    """A document and the catalogue's revision at its last change."""

    key: str
    revision: int
    body: bytes


class CampaignRow(NamedTuple):
    """A campaign's state and newest version.

    `migrates_to`: the version to which whoever is in an older one goes over (0: nobody does). `drains`: nobody enters any more.
    """

    key: str
    state: CampaignState
    version: int
    migrates_to: int = 0
    drains: bool = False


class Version(NamedTuple):
    """A published version; it never changes."""

    key: str
    version: int
    body: bytes
    published_at: datetime | None = None
    published_by: str = ""


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


Compiled = dict[tuple[str, int], LiveCampaign]
"""By key and version, what was compiled already: a version never changes, so each is compiled once, however many there come to be."""


def assemble(stored: Everything, identifier_key: bytes, known: Compiled | None = None) -> Catalogue:
    """The catalogue. What it compiles it adds to `known`.

    A segment, template or version that another release stored and this one does not take is left out and named in `misfits`: nobody is in
    such a segment, nothing is said by such a template, nobody enters such a version, and who is in it stands still.
    """
    misfits: dict[str, str] = {}
    rows = {row.key: row for row in stored.campaigns}
    templates = Templates(_fitting(((f"templates/{t.key}", t.body) for t in stored.templates), _template, misfits))
    known = {} if known is None else known
    versions = _fitting(((f"campaigns/{v.key}/versions/{v.version}", v) for v in stored.versions), partial(_compiled, known=known), misfits)
    compiled = {(one.key, one.version): _in_force(one, rows[one.key].state, templates) for one in versions}
    segments = _fitting(((f"segments/{s.key}", s.body) for s in stored.segments), _segment, misfits)
    open_now = (row for row in sorted(rows.values()) if row.state == "published" and not row.drains)
    return Catalogue(
        revision=stored.revision,
        segments=tuple(sorted(segments, key=lambda s: (s.priority, s.key))),
        campaigns=compiled,
        live=tuple(compiled[row.key, row.version] for row in open_now if (row.key, row.version) in compiled),
        states={key: row.state for key, row in rows.items()},
        migrations={key: row.migrates_to for key, row in rows.items() if row.migrates_to},
        ready=dict(stored.ready),
        policy=stored.policy,
        render=templates,
        identifier_key=identifier_key,
        misfits=misfits,
    )


def _fitting(stored: Iterable[tuple[str, Written]], read: Callable[[Written], Read], misfits: dict[str, str]) -> list[Read]:
    """What can be read, in order; why the others cannot, by name, goes to `misfits`."""
    found = []
    for name, document in stored:
        try:
            found.append(read(document))
        except (ValueError, msgspec.MsgspecError) as error:
            misfits[name] = str(error)
    return found


def _template(body: bytes) -> Template:
    return msgspec.json.decode(body, type=Template)


def _compiled(version: Version, known: Compiled) -> LiveCampaign:
    name = version.key, version.version
    if name not in known:
        known[name] = compile_campaign(msgspec.json.decode(version.body, type=Campaign), version.version, "published")
    return known[name]


def _in_force(campaign: LiveCampaign, state: CampaignState, templates: Templates) -> LiveCampaign:
    """Of the event that lets customers in, also what the campaign's templates show is remembered."""
    event = campaign.definition.entry.on.event
    named = (one.template for wave in campaign.definition.waves for _, one in steps_of(wave, ""))
    shown = {(event, name) for template in named for name in templates.entry_fields(template)} if event else set()
    return replace(campaign, state=state, asked=campaign.asked | shown)


@lru_cache(maxsize=4096)
def _segment(body: bytes) -> LiveSegment:
    return compile_segment(msgspec.json.decode(body, type=Segment))
