"""What a grant must say, and a withdrawal may: a grant names its scope or is none, a withdrawal without one is for everything. PURE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from nextwave_contracts.actions import Channel, Purpose

GRANTED = "consent.granted"
WITHDRAWN = "consent.withdrawn"
ALL = "all"
"""The word for every channel or purpose: who agrees again after a stop of everything says so once. Behind the door it is empty."""
SCOPES: Mapping[str, frozenset[str]] = {"channel": frozenset(get_args(Channel)), "purpose": frozenset(get_args(Purpose))}
_ALIKE = 0.7
Fault = tuple[str, str]
"""A pointer into the data, and what to do."""


def faults_of_grant(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Why it grants nothing. What else it says (where it was given, what proves it) is kept as it is."""
    for field, known in SCOPES.items():
        said = data.get(field)
        if not said and (near := _near(field, data)):
            yield f"/data/{near}", f"a grant has no field {near:.40}; did you mean {field}?"
        elif not _is_one_of(said, {*known, ALL}):
            yield f"/data/{field}", f"name the {field} that is agreed to: {', '.join(sorted(known))}, or {ALL} for every one"


def fault_of_grant(data: Mapping[str, Any]) -> Fault | None:
    """The first of them."""
    return next(faults_of_grant(data), None)


def doubts_of_withdrawal(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Where it is not sure which scope was meant, so that it counts for all."""
    for field, known in SCOPES.items():
        if said := data.get(field):
            if not _is_one_of(said, {*known, ALL}):
                yield f"/data/{field}", f"is no {field}, so it counts for every {field}; use {', '.join(sorted(known))} or {ALL}"
        elif near := _near(field, data):
            yield f"/data/{near}", f"nothing reads {near:.40}, so it counts for every {field}; did you mean {field}?"


def scoped(data: dict[str, Any]) -> dict[str, Any]:
    """The data with its scope, empty for all; so is what is not understood, which a grant never has (`fault_of_grant`)."""
    scope = {field: said if _is_one_of(said := data.get(field), known) else "" for field, known in SCOPES.items()}
    return data | scope


def _is_one_of(said: Any, known: frozenset[str] | set[str]) -> bool:
    return isinstance(said, str) and said in known


def _near(field: str, data: Mapping[str, Any]) -> str:
    """A name in the data that may be this one misspelt; empty where there is none."""
    alike = (name for name in data if name not in SCOPES and get_close_matches(name.casefold(), [field], n=1, cutoff=_ALIKE))
    return next(alike, "")
