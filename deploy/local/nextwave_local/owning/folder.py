"""The files of a campaign folder, as they are sent to be planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
FOLDERS = ("segments", "templates", "campaigns")


class FolderError(ValueError):
    """The folder cannot be read; the message says why."""


def files_in(folder: Path) -> dict[str, str]:
    """By path within the folder what is in each document, and in whatever else could be meant as one, which the plan refuses.

    Raises `FolderError`.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder} is no folder")
    try:
        files = {str(path): (folder / path).read_text("utf-8") for path in _documents(folder)}
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{folder} cannot be read: {error}") from error
    if not files:
        raise FolderError(f"{folder} holds no document: keep {', '.join(FOLDERS)} and policy.yaml in it")
    return files


def _documents(folder: Path) -> Iterator[Path]:
    linked = (path for name in FOLDERS if (folder / name).is_dir() for path in (folder / name).iterdir())
    found = {path.relative_to(folder) for path in (*folder.rglob("*"), *linked) if path.is_file()}
    yield from sorted(path for path in found if _is_meant(path))


def _is_meant(path: Path) -> bool:
    """Every YAML and JSON file and, in the three folders, all but notes; nothing that is hidden."""
    if any(part.startswith(".") for part in path.parts):
        return False
    return path.suffix in SUFFIXES or (path.parts[0] in FOLDERS and path.suffix.lower() != ".md")
