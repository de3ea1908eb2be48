"""The campaigns that come with the product, with the segments and templates they name: plain YAML, to be installed, read and changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from nextwave_contracts.documents import read_as, read_document

from nextwave_orchestrator.campaigns.checks import steps_of
from nextwave_orchestrator.campaigns.definition import Campaign

Folder = Literal["segments", "templates", "campaigns"]
FOLDERS: tuple[Folder, ...] = ("segments", "templates", "campaigns")
"""In the order in which they are written: what is named stands before what names it."""


class Shipped(NamedTuple):
    """One document as plain values; its key is the name of its file."""

    folder: Folder
    key: str
    written: dict[str, Any]

    @property
    def path(self) -> str:
        """As people name it, for instance `campaigns/recovery-apology`."""
        return f"{self.folder}/{self.key}"


def shipped() -> tuple[Shipped, ...]:
    """All documents, by folder and key."""
    return tuple(document for folder in FOLDERS for document in _in(folder))


def with_what_they_name(documents: Sequence[Shipped], campaigns: Collection[str]) -> list[Shipped]:
    """These campaigns and the segments and templates that they name. Raises `KeyError` for a campaign that is not shipped."""
    wanted: set[str] = set()
    by_path = {document.path: document for document in documents}
    for key in campaigns:
        wanted.add(f"campaigns/{key}")
        wanted |= named_by(read_as(by_path[f"campaigns/{key}"].written, Campaign))
    return [document for document in documents if document.path in wanted]


def named_by(campaign: Campaign) -> set[str]:
    """The paths of the segments and templates that a campaign names."""
    on = campaign.entry.on
    segments = {campaign.entry.audience.segment, *on.entered.get("segment", ()), *on.left.get("segment", ())}
    segments |= {mix.segment for wave in campaign.waves for mix in wave.mixes}
    templates = {step.template for wave in campaign.waves for _, step in steps_of(wave, "")}
    return {f"segments/{key}" for key in segments - {"*"}} | {f"templates/{key}" for key in templates - {""}}


def _in(folder: Folder) -> Iterator[Shipped]:
    places = sorted(files(__package__).joinpath(folder).iterdir(), key=lambda place: place.name)
    for place in places:
        key, dot, kind = place.name.rpartition(".")
        if dot and kind == "yaml":
            yield Shipped(folder, key, {"key": key, **read_document(place.read_bytes(), "application/yaml")})
