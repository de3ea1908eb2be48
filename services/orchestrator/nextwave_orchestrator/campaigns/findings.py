"""What lint says: one finding has one form, whoever finds it."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `pointer` is a JSON pointer into the campaign."""

    level: Literal["error", "warning"]
    code: str
    pointer: str
    detail: str
    fix: str


def error(code: str, pointer: str, detail: str, fix: str) -> Finding:
    """Refuses publication."""
    return Finding(level="error", code=code, pointer=pointer, detail=detail, fix=fix)


def warning(code: str, pointer: str, detail: str, fix: str) -> Finding:
    """Is said, and refuses nothing."""
    return Finding(level="warning", code=code, pointer=pointer, detail=detail, fix=fix)
