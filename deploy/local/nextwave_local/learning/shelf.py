"""Puts a model on the shelf that scoring reads, and changes what it is used for; every file appears whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import msgspec
from nextwave_scoring.churn.card import FILES, Card, Role, Window
from nextwave_scoring.instants import instant
from nextwave_scoring.registry.folder import CARD, model_of, places, read_card, read_shelf

from nextwave_local.learning.history import InputError
from nextwave_local.learning.trial import Trial

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def put(folder: Path, trial: Trial, name: str, role: Role, forced: str = "") -> Card:
    """Writes the model as the next version of `name`. Raises `CardError` where it may not be live, `InputError` for a wrong name."""
    check_name(name)
    split = trial.parts
    card = Card(
        name=name,
        version=str(_next_version(folder, name)),
        kind=trial.fitted.kind,
        role=role,
        features=trial.fitted.names,
        horizon_days=trial.data.horizon_days,
        data=trial.data.source,
        window=Window(start=_day(split.start), end=_day(split.check_at)) if split else None,
        calibration=trial.calibration,
        ranges=trial.fitted.ranges,
        metrics=trial.metrics,
        forced=forced,
    )
    if role == "live":
        card.check_live()
    model_of(card, trial.fitted.file)  # what the service would refuse is not written
    place, draft = folder / card.full_name, folder / f".{card.full_name}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (draft / FILES[card.kind]).write_bytes(trial.fitted.file)
    _write(draft, card)
    draft.rename(place)
    if role == "live":
        _retire(folder, card)
    return card


def check_name(name: str) -> None:
    """Raises `InputError`."""
    if not NAME.fullmatch(name):
        raise InputError(f"--name {name!r}: use up to 40 small letters, digits and hyphens")


def give_role(folder: Path, full_name: str, role: Role, forced: str = "") -> Card:
    """Makes a model `live` (what was live before is `off` then), `shadow` or `off`. Raises `CardError` or `InputError`."""
    place = folder / full_name
    if place not in places(folder):
        known = ", ".join(one.name for one in places(folder)) or "none"
        raise InputError(f"{full_name}: there is no such model in {folder}; there are {known}")
    card = msgspec.structs.replace(_card(place), role=role)
    if forced:
        card = msgspec.structs.replace(card, forced=forced)
    if role == "live":
        card.check_live()
    _write(place, card)
    if role == "live":
        _retire(folder, card)
    return card


def _retire(folder: Path, live: Card) -> None:
    """After the new one is there: with two live for a moment the service keeps what it had. What is broken is live for nobody."""
    for card, _ in read_shelf(folder).models:
        if card.role == "live" and card.full_name != live.full_name:
            _write(folder / card.full_name, msgspec.structs.replace(card, role="off"))


def _card(place: Path) -> Card:
    try:
        return read_card(place)
    except (OSError, ValueError) as wrong:
        raise InputError(f"{place / CARD}: {wrong}; mend it, or move the folder away") from wrong


def _write(place: Path, card: Card) -> None:
    draft = place / f".{CARD}"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2))
    os.replace(draft, place / CARD)  # noqa: PTH105  (atomic, also over what is there)


def _next_version(folder: Path, name: str) -> int:
    versions = (place.name.rpartition("@") for place in places(folder))
    return max((int(version) for known, _, version in versions if known == name and version.isdigit()), default=0) + 1


def _day(at: int) -> str:
    return instant(at).date().isoformat()
