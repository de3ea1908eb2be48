"""Reads what the house says of its business: a TOML file with the tables `economics`, `lifecycle` and `scale`, each value optional."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_type_hints

import msgspec
from msgspec.inspect import DictType, FloatType, IntType, LiteralType

from nextwave_scoring.assessment import House
from nextwave_scoring.lifecycle import Lifecycle
from nextwave_scoring.relationship import Scale
from nextwave_scoring.value.assumptions import Economics

_TABLES: Mapping[str, type] = {"economics": Economics, "lifecycle": Lifecycle, "scale": Scale}
ELSEWHERE = {"currency", "current_min", "potential_min"}
"""Set by settings, not by the file."""


class HouseError(ValueError):
    """The file cannot be used; the message names the table, the value and what is permitted."""


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
    if not isinstance(told, Mapping):
        raise HouseError(f"{name} must be a table: [{name}]")
    kinds = {key: kind for key, kind in get_type_hints(_TABLES[name], include_extras=True).items() if key not in ELSEWHERE}
    if unknown := sorted(set(told) - set(kinds)):
        raise HouseError(f"{name}.{unknown[0]} is not known: use {', '.join(sorted(kinds))}")
    read = {key: _value(f"{name}.{key}", kinds[key], getattr(known, key), value) for key, value in told.items()}
    return replace(known, **read)


def _value(name: str, kind: Any, known: Any, told: Any) -> Any:
    """One value; a map says what is different from the known one."""
    whole = {**known, **told} if isinstance(known, Mapping) and isinstance(told, Mapping) else told
    try:
        return msgspec.convert(whole, kind)
    except msgspec.ValidationError as wrong:
        raise HouseError(f"{name}: {wrong}; it must be {_permitted(msgspec.inspect.type_info(kind))}, not {told!r:.80}") from wrong


def _permitted(kind: Any) -> str:
    match kind:
        case IntType():
            return f"a whole number from {kind.ge} to {kind.le}"
        case FloatType():
            return f"a number from {kind.ge:g} to {kind.le:g}"
        case DictType():
            keys = kind.key_type
            named = ", ".join(map(str, keys.values)) if isinstance(keys, LiteralType) else "names"
            return f"{named}, each {_permitted(kind.value_type)}"
        case _:
            return f"up to {kind.max_length} texts"
