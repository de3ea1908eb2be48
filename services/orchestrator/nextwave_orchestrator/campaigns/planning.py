"""What a folder of files would change among what is stored, so that campaigns can be kept in git and reviewed before they act."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import msgspec
from nextwave_contracts.differences import difference
from nextwave_contracts.documents import read_document, read_written
from nextwave_contracts.faults import Fault, FaultyError

from nextwave_orchestrator.campaigns.checks import campaign_faults, policy_faults, segment_faults
from nextwave_orchestrator.campaigns.contents import broken_by
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Template, Written
from nextwave_orchestrator.campaigns.findings import Finding
from nextwave_orchestrator.campaigns.lint import Surroundings, lint
from nextwave_orchestrator.templates import template_faults

MOST_FILES = 1000
PUBLISHED_BY_PLAN = frozenset({"draft", "published"})
"""States of campaigns that are published from a folder."""
_PATH = re.compile(r"(?:(segments|templates|campaigns)/([^/]+)|policy)\.(?:ya?ml|json)")


class Kind(NamedTuple):
    """A kind of document: what it is read as, and its checks."""

    written: type[Written]
    faults: Callable[[Any], list[Fault]]


KINDS: Mapping[str, Kind] = {
    "policy": Kind(Policy, policy_faults),
    "segments": Kind(Segment, segment_faults),
    "templates": Kind(Template, template_faults),
    "campaigns": Kind(Campaign, campaign_faults),
}
"""By path of the API, in the order in which they depend on each other."""


class Held(NamedTuple):
    """A document as it is stored, with its revision; of a campaign also its state and newest version."""

    body: bytes
    revision: int
    state: str = "draft"
    published: bytes | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of one file. `path` is that of the API; `revision` what a change replaces; `diff` is unified.

    `publishes`: publishing would make a new version. `faults` refuse the file, `findings` are lint's over the whole folder.
    """

    file: str
    path: str
    action: Literal["create", "change", "keep", "refuse"]
    revision: int | None = None
    diff: str = ""
    publishes: bool = False
    faults: tuple[Fault, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was understood."""

    file: str
    kind: str
    key: str
    value: Any

    @property
    def path(self) -> str:
        return f"/v1/{self.kind}/{self.key}" if self.key else f"/v1/{self.kind}"


def plan(files: Mapping[str, str], stored: Mapping[str, Held], around: Surroundings) -> list[Planned]:
    """One entry for each file, in the order in which they can be written. `stored` is by path of the API.

    Campaigns are linted among everything stored and in the folder, as it would be then.
    """
    read = [_read(file, text) for file, text in sorted(files.items())]
    understood = sorted((one for one in read if isinstance(one, _Read)), key=lambda one: (list(KINDS).index(one.kind), one.key))
    refused = [*(one for one in read if isinstance(one, Planned)), *_twice(understood), *_breaking(understood, stored, around)]
    taken = [one for one in understood if all(one.file != other.file for other in refused)]
    then = _then(taken, around)
    return [*refused, *(_planned(one, stored.get(one.path), then) for one in taken)]


def _read(file: str, text: str) -> _Read | Planned:
    found = _PATH.fullmatch(file)
    if found is None:
        fix = "keep segments/KEY.yaml, templates/KEY.yaml, campaigns/KEY.yaml and policy.yaml (or .json) in the folder"
        return _refused(file, "", (Fault("", "this is no document of a campaign folder", fix),))
    kind, key = found[1] or "policy", found[2] or ""
    try:
        return _Read(file, kind, key, _checked(file, text, kind, key))
    except FaultyError as wrong:
        return _refused(file, _Read(file, kind, key, None).path, wrong.faults)


def _checked(file: str, text: str, kind: str, key: str) -> Any:
    raw = read_document(text.encode(), "json" if file.endswith(".json") else "yaml")
    return read_written(raw, KINDS[kind].written, KINDS[kind].faults, key)


def _twice(read: Sequence[_Read]) -> list[Planned]:
    """Two files for one document, such as a.yaml and a.json."""
    seen: dict[str, str] = {}
    twice = [(one, seen[one.path]) for one in read if seen.setdefault(one.path, one.file) != one.file]
    return [_refused(one.file, one.path, (Fault("", f"{other} is the same document", "keep one of both"),)) for one, other in twice]


def _breaking(read: Sequence[_Read], stored: Mapping[str, Held], around: Surroundings) -> Iterator[Planned]:
    """Templates act as soon as they are written, before the folder's campaigns are published; see `broken_by`."""
    for one in read:
        held = stored.get(one.path)
        if not isinstance(one.value, Template) or (held is not None and held.body == msgspec.json.encode(one.value)):
            continue
        broken = broken_by(one.value, around.others, around.policy)
        if broken:
            yield _refused(one.file, one.path, tuple(broken))


def _refused(file: str, path: str, faults: tuple[Fault, ...]) -> Planned:
    return Planned(file=file, path=path, action="refuse", faults=faults)


def _then(read: Sequence[_Read], around: Surroundings) -> Surroundings:
    """What will exist when all of this is written and published."""
    new: dict[str, dict[str, Any]] = {kind: {one.key: one.value for one in read if one.kind == kind} for kind in KINDS}
    others = {one.key: one for one in around.others} | new["campaigns"]
    return replace(
        around,
        segments={**around.segments, **new["segments"]},
        templates={**around.templates, **new["templates"]},
        policy=new["policy"].get("", around.policy),
        others=tuple(others.values()),
    )


def _planned(one: _Read, held: Held | None, then: Surroundings) -> Planned:
    body = msgspec.json.encode(one.value)
    is_campaign = isinstance(one.value, Campaign)
    publishes = is_campaign and (held is None or held.published != body)
    is_closed = publishes and held is not None and held.state not in PUBLISHED_BY_PLAN
    findings = _closed(held.state) if held is not None and is_closed else ()
    return Planned(
        file=one.file,
        path=one.path,
        action="create" if held is None else "keep" if held.body == body else "change",
        revision=None if held is None else held.revision,
        diff=difference(
            msgspec.json.decode(held.body) if held else {}, msgspec.json.decode(body), ("stored" if held else "nothing", one.file)
        ),
        publishes=publishes and not is_closed,
        findings=(*findings, *lint(one.value, then)) if is_campaign else (),
    )


def _closed(state: str) -> Iterator[Finding]:
    """Publishing would let people in again where somebody has stopped it; that is for a person to decide."""
    detail = f"the campaign is {state}, so it is not published from a folder"
    yield Finding(level="warning", code="not_open", pointer="", detail=detail, fix="resume it, or publish it by hand")
