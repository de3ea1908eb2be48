"""Reads what the house says of its business: a TOML file with the tables `economics`, `lifecycle` and `scale`, each value optional."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any

import msgspec

from nextwave_scoring.assessment import House
from nextwave_scoring.lifecycle import Lifecycle
from nextwave_scoring.relationship import Scale
from nextwave_scoring.value.assumptions import Economics

_TABLES: Mapping[str, type] = {"economics": Economics, "lifecycle": Lifecycle, "scale": Scale}
_ELSEWHERE = {"currency", "current_min", "potential_min"}
"""Set by settings, not by the file."""


class HouseError(ValueError):
    """The file cannot be used; the message names the table and the value."""


def read_house(text: str, house: House) -> House:
    """`house` with what the file says. Raises `HouseError`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise HouseError(f"the house file is no TOML: {wrong}") from wrong
    if unknown := sorted(set(tables) - set(_TABLES)):
        raise HouseError(f"the house file has a table {unknown[0]}: use {', '.join(_TABLES)}")
    return replace(house, **{name: _read(name, getattr(house, name), told) for name, told in tables.items()})


def _read(name: str, known: Any, told: Any) -> Any:
    kind = _TABLES[name]
    names = {field.name for field in msgspec.structs.fields(kind)} if not is_dataclass(kind) else set(kind.__dataclass_fields__)
    if not isinstance(told, Mapping):
        raise HouseError(f"{name} must be a table: [{name}]")
    if unknown := sorted(set(told) - (names - _ELSEWHERE)):
        raise HouseError(f"{name}.{unknown[0]} is not known: use {', '.join(sorted(names - _ELSEWHERE))}")
    try:
        return msgspec.convert({**msgspec.to_builtins(known), **told}, kind)
    except msgspec.ValidationError as wrong:
        raise HouseError(f"{name}: {wrong}") from wrong
