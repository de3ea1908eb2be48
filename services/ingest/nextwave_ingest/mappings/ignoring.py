"""Why no rule of a mapping fits an item, told so that whoever sends it sees it at once. PURE."""

from __future__ import annotations

from typing import Any

import msgspec

from nextwave_ingest import hidden
from nextwave_ingest.admission import Ignored, RefusedError
from nextwave_ingest.mappings.paths import Path
from nextwave_ingest.mappings.seeing import HEADERS


def why_ignored(path: Path, item: Any, mapping: str) -> Ignored:
    """By what lies at the path of the closest rule's first condition that fails. A value that may be somebody's is hidden."""
    try:
        found = path.values(item, 1)
    except RefusedError:  # nothing was refused for it: it would have taken too much to say more
        found = []
    steps = path.steps or ()
    if not found and steps[:1] == (HEADERS,):
        return Ignored("no_header", path.pointer, f"the header {steps[-1]} is not there; mapping {mapping} tells by it what came: send it")
    if not found:
        return Ignored("no_value", path.pointer, f'nothing lies at "{path.written:.80}", where mapping {mapping} looks')
    value = _shown(str(steps[-1]) if steps else "", found[0])
    return Ignored("other_value", path.pointer, f'mapping {mapping} has no rule for {value} at "{path.written:.80}"')


def _shown(field: str, value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return msgspec.json.encode(hidden.item({field: value})[field]).decode()
