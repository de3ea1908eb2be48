"""The project's Python files as the architecture tests read them."""

from __future__ import annotations

import ast
import configparser
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
PRODUCT = ("libs", "services", "deploy")
TESTS = ("tests",)
PACKAGES = tuple(sorted(path.parent for path in ROOT.glob("*/*/nextwave_*/__init__.py")))


class Source(NamedTuple):
    """One file: its path from the root (posix), its lines and its syntax tree."""

    path: str
    lines: int
    tree: ast.Module


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below `folders`."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(_read(path) for path in paths)


@cache
def pure_modules() -> tuple[str, ...]:
    """The modules and packages that `.importlinter` declares pure."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    return tuple(config["importlinter:contract:pure"]["source_modules"].split())


@cache
def pure_sources() -> tuple[Source, ...]:
    """Every file of a pure module or package, and every service's `fold`, which is called with the time and never asks for it."""
    folders = {package.name: package for package in PACKAGES}
    places = [folders[name.split(".")[0]].joinpath(*name.split(".")[1:]) for name in pure_modules()]
    places += [package / "fold" for package in PACKAGES]
    paths = {path for place in places for path in (place.with_suffix(".py"), *place.rglob("*.py")) if path.is_file()}
    return tuple(_read(path) for path in sorted(paths))


def _read(path: Path) -> Source:
    text = path.read_text()
    return Source(path.relative_to(ROOT).as_posix(), len(text.splitlines()), ast.parse(text))
