"""Reads the logs of a stack, each line behind the name of its process, and goes on reading as they grow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep

from nextwave_local.folder import Folder

POLL_SECONDS = 0.2


def logs_of(folder: Folder, service: str) -> dict[str, Path]:
    """The log of each process: all, those of one service, or one replica's."""
    found = {path.stem: path for path in sorted((folder.path / "logs").glob("*.log"))}
    return {name: path for name, path in found.items() if service in ("", name, name.rpartition("-")[0])}


def read(logs: dict[str, Path], *, lines: int, follow: bool) -> Iterator[str]:
    """The last `lines` of each log, prefixed; with `follow` what comes after, without end."""
    width = max(map(len, logs))
    places = {}
    for name, path in logs.items():
        text = path.read_bytes()
        complete = text[: text.rfind(b"\n") + 1]
        places[name] = len(complete)
        yield from _prefixed(name, width, complete.splitlines()[-lines:] if lines else [])
    while follow:
        sleep(POLL_SECONDS)
        for name, path in logs.items():
            fresh = _complete_lines(path, places[name])
            places[name] += len(fresh)
            yield from _prefixed(name, width, fresh.splitlines())


def _complete_lines(path: Path, place: int) -> bytes:
    with path.open("rb") as log:
        log.seek(place)
        text = log.read()
    return text[: text.rfind(b"\n") + 1]


def _prefixed(name: str, width: int, lines: list[bytes]) -> Iterator[str]:
    for line in lines:
        yield f"{name:{width}} | {line.decode(errors='replace')}"
