"""What changed between two written documents, as a unified diff of their YAML, so that people read it as they read a diff in git."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

import yaml


def difference(before: Any, after: Any, names: tuple[str, str]) -> str:
    """A unified diff with three lines around; empty when nothing changed. `{}` stands for a document that does not exist."""
    lines = unified_diff(_lines(before), _lines(after), *names, lineterm="")
    return "\n".join(lines)


def _lines(document: Any) -> list[str]:
    if not document:
        return []
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120).splitlines()
