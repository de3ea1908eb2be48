"""Write keys and API tokens of a deployment: made, rotated with overlap, revoked, in the key file that every service reads."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
from nextwave_runtime.auth import ROLES, Key, KeyFile, hash_secret, new_secret

Kind = Literal["write", "api"]
PREFIXES: dict[Kind, str] = {"write": "nww", "api": "nwt"}


class UnusableKeyError(ValueError):
    """The key cannot be made or changed; the message says what to do."""


@dataclass(frozen=True)
class Name:
    """Which key: a write key is named by its source, an API token by its user."""

    kind: Kind
    name: str


def create(path: Path, name: Name, roles: tuple[str, ...] = ()) -> str:
    """Adds a key and returns its secret, which is stored nowhere. Raises `UnusableKeyError`."""
    if unknown := sorted(set(roles) - set(ROLES)):
        raise UnusableKeyError(f"unknown role {', '.join(unknown)}; roles are {', '.join(ROLES)}")
    if name.kind == "api" and not roles:
        raise UnusableKeyError(f"an API token needs at least one role of {', '.join(ROLES)}")
    return _change(path, lambda file: _created(file, name, roles))


def rotate(path: Path, name: Name, *, overlap: timedelta, now: datetime) -> str:
    """Adds a new secret for a key; the old one ends after `overlap`. Returns the new secret. Raises `UnusableKeyError`."""
    return _change(path, lambda file: _rotated(file, name, now + overlap, now))


def revoke(path: Path, name: Name) -> None:
    """Takes a key away at once (services notice within a second). Raises `UnusableKeyError`."""
    _change(path, lambda file: _revoked(file, name))


def listing(path: Path) -> tuple[Key, ...]:
    """The keys, without secrets (they are not stored)."""
    return _read(path).keys


def _created(file: KeyFile, name: Name, roles: tuple[str, ...]) -> tuple[KeyFile, str]:
    if _named(file, name):
        raise UnusableKeyError(f"there is a {name.kind} key {name.name} already; rotate or revoke it")
    secret = new_secret(PREFIXES[name.kind])
    key = Key(name=name.name, kind=name.kind, hash=hash_secret(secret, file.pepper), roles=roles)
    return msgspec.structs.replace(file, keys=(*file.keys, key)), secret


def _rotated(file: KeyFile, name: Name, ends: datetime, now: datetime) -> tuple[KeyFile, str]:
    old = _named(file, name)
    if not old:
        raise UnusableKeyError(f"there is no {name.kind} key {name.name}")
    secret = new_secret(PREFIXES[name.kind])
    fresh = Key(name=name.name, kind=name.kind, hash=hash_secret(secret, file.pepper), roles=old[-1].roles)
    kept = [_ending(key, ends) if key in old else key for key in file.keys if key.not_after is None or key.not_after > now]
    return msgspec.structs.replace(file, keys=(*kept, fresh)), secret


def _ending(key: Key, ends: datetime) -> Key:
    return msgspec.structs.replace(key, not_after=min(ends, key.not_after or ends))


def _revoked(file: KeyFile, name: Name) -> tuple[KeyFile, str]:
    gone = _named(file, name)
    if not gone:
        raise UnusableKeyError(f"there is no {name.kind} key {name.name}")
    return msgspec.structs.replace(file, keys=tuple(key for key in file.keys if key not in gone)), ""


def _named(file: KeyFile, name: Name) -> list[Key]:
    return [key for key in file.keys if (key.kind, key.name) == (name.kind, name.name)]


def _change(path: Path, change: Callable[[KeyFile], tuple[KeyFile, str]]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(path):
        file, secret = change(_read(path))
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=2))
        fresh.replace(path)
    return secret


def _read(path: Path) -> KeyFile:
    if not path.exists():
        return KeyFile(pepper=secrets.token_hex(32))
    return msgspec.json.decode(path.read_bytes(), type=KeyFile)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def now() -> datetime:
    """The wall clock: keys end by it, not by business time."""
    return datetime.now(UTC)
