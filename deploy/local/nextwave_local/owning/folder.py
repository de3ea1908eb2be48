"""The files of a folder that is kept in git, as they are planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True)
class Layout:
    """What a folder should hold: the folders within it in which every file is meant as a document, and what to put where, in words."""

    folders: tuple[str, ...]
    wanted: str


class FolderError(ValueError):
    """The folder cannot be read; the message says why."""


def files_in(folder: Path, layout: Layout) -> dict[str, str]:
    """By path within the folder what is in each document, and in whatever else could be meant as one, which the plan refuses.

    Raises `FolderError`.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder} is no folder")
    files = {str(path): text_of(folder / path) for path in _documents(folder, layout)}
    if not files:
        raise FolderError(f"{folder} holds no document: keep {layout.wanted} in it")
    return files


def text_of(file: Path) -> str:
    """What is in a file. Raises `FolderError`."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{file} cannot be read: {error}") from error


def _documents(folder: Path, layout: Layout) -> Iterator[Path]:
    linked = (path for name in layout.folders if (folder / name).is_dir() for path in (folder / name).iterdir())
    found = {path.relative_to(folder) for path in (*folder.rglob("*"), *linked) if path.is_file()}
    yield from sorted(path for path in found if _is_meant(path, layout))


def _is_meant(path: Path, layout: Layout) -> bool:
    """Every YAML and JSON file and, in the layout's folders, all but notes; nothing that is hidden."""
    if any(part.startswith(".") for part in path.parts):
        return False
    return path.suffix in SUFFIXES or (path.parts[0] in layout.folders and path.suffix.lower() != ".md")
