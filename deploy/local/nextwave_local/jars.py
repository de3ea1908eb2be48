"""The broker's jars: fetched once into the user's Maven cache, exactly those of `jgo.lock.toml`, each checked against its SHA-256."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jgo.config import GlobalSettings
from jgo.env import EnvironmentBuilder, EnvironmentSpec, LockFile
from jgo.maven import MavenContext

HERE = Path(__file__).parent
SPEC = HERE / "jgo.toml"
LOCK = HERE / "jgo.lock.toml"
PARALLEL_DOWNLOADS = 8
TRIES = 3


class JarError(RuntimeError):
    """A jar cannot be had, or is not the one that was locked."""


def classpath() -> str:
    """The class path of the locked jars; downloads what is missing (67 MB the first time). Raises `JarError`."""
    context = _context()
    locked = LockFile.load(LOCK).dependencies
    with _only_one(Path(context.repo_cache)), ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        paths = list(pool.map(lambda one: _fetch(context, one), locked))
    return os.pathsep.join(str(path) for path in paths)


def relock() -> int:
    """Resolves `jgo.toml` afresh into `jgo.lock.toml`; the number of jars."""
    with tempfile.TemporaryDirectory() as scratch:
        builder = EnvironmentBuilder(context=_context(), cache_dir=Path(scratch))
        lock = builder.resolve_lockfile(EnvironmentSpec.load(SPEC))
    lock.save(LOCK)
    return len(lock.dependencies)


def _context() -> Any:
    logging.getLogger("jgo").setLevel(logging.WARNING)
    return MavenContext(repo_cache=GlobalSettings.load().repo_cache)


def _fetch(context: Any, locked: Any) -> Path:
    artifact = context.project(locked.groupId, locked.artifactId).at_version(locked.version).artifact()
    trouble = "no try was made"
    for _ in range(TRIES):
        try:
            path = Path(artifact.resolve())
        except (OSError, RuntimeError) as failed:
            trouble = str(failed).splitlines()[0]
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == locked.sha256:
            return path
        path.unlink()
        trouble = "its SHA-256 is not the locked one"
    raise JarError(f"{locked.artifactId} {locked.version}: {trouble}. The Maven cache is {context.repo_cache}; is the registry reachable?")


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".nextwave.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    print(f"{relock()} jars locked")
