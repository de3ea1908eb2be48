"""A house with everything that is shipped, published and rendered by the real templates."""

from __future__ import annotations

from typing import Any

from nextwave_contracts.documents import read_as
from nextwave_orchestrator.campaigns.compile import compile_campaign
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Template
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.shipped import Folder, shipped
from nextwave_orchestrator.templates import Templates
from unit.orchestrator.decision_world import NO_CAPS, House, catalogue, snapshot

WRITTEN: dict[Folder, type[Any]] = {"segments": Segment, "templates": Template, "campaigns": Campaign}
ALL = {one.path: read_as(one.written, WRITTEN[one.folder]) for one in shipped()}
CAMPAIGNS: dict[str, Campaign] = {path.partition("/")[2]: one for path, one in ALL.items() if isinstance(one, Campaign)}
SEGMENTS: dict[str, Segment] = {path.partition("/")[2]: one for path, one in ALL.items() if isinstance(one, Segment)}
TEMPLATES: dict[str, Template] = {path.partition("/")[2]: one for path, one in ALL.items() if isinstance(one, Template)}


def shipped_catalogue(*keys: str, policy: Policy = NO_CAPS) -> Catalogue:
    """All shipped segments and templates, and these campaigns live; all of them where none is named."""
    live = [compile_campaign(CAMPAIGNS[key], 1, "published") for key in keys or CAMPAIGNS]
    written = [{"key": one.key, "rule": one.rule, "priority": one.priority} for one in SEGMENTS.values()]
    return catalogue(*live, policy=policy, segments=written, render=Templates(TEMPLATES.values()))


def house(*keys: str, policy: Policy = NO_CAPS, **profile: Any) -> House:
    """A customer of such a house."""
    return House(shipped_catalogue(*keys, policy=policy), profile=snapshot(**profile))
