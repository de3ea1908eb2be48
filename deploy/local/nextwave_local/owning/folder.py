"""The files of a campaign folder, as they are sent to be planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
FOLDERS = ("segments", "templates", "campaigns")


class FolderError(ValueError):
    """The folder cannot be read; the message says why."""


def files_in(folder: Path) -> dict[str, str]:
    """By path within the folder what is in each document: `policy.yaml` and those of the three folders. Raises `FolderError`."""
    if not folder.is_dir():
        raise FolderError(f"{folder} is no folder")
    try:
        files = {str(path.relative_to(folder)): path.read_text("utf-8") for path in _documents(folder)}
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{folder} cannot be read: {error}") from error
    if not files:
        raise FolderError(f"{folder} holds no document: keep {', '.join(FOLDERS)} and policy.yaml in it")
    return files


def _documents(folder: Path) -> Iterator[Path]:
    places = [folder.glob("policy.*"), *((folder / name).iterdir() for name in FOLDERS if (folder / name).is_dir())]
    yield from sorted(path for place in places for path in place if path.suffix in SUFFIXES and not path.name.startswith("."))
