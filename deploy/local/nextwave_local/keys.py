"""Write keys and API tokens of a deployment: made, rotated with overlap, revoked, in the key file that every service reads."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
from nextwave_runtime.auth import ROLES, Key, KeyFile, Rate, hash_secret, new_secret

Kind = Literal["write", "api"]
PREFIXES: dict[Kind, str] = {"write": "nww", "api": "nwt"}
BURST_SECONDS = 10
"""A burst that is not named: what comes in this time at the rate."""
PER_SECOND_MAX = 1_000_000
"""More than any replica takes."""
_SOURCE = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,64}")
"""A new write key's name stands in URLs (whose clients fold `.` and `..` away), in logs and as the source of touchpoints.

Keys that are there keep whatever name they have.
"""
WRITE_ROLES = ("agent", "operator")
"""Whose people may say what no page may (reviews, own interactions, separating customers)."""
_ORIGIN = re.compile(r"[a-z][a-z0-9+.\-]*://[^/\s,*]+")
_OWN_PORTS = (("http://", ":80"), ("https://", ":443"))


class UnusableKeyError(ValueError):
    """The key cannot be made or changed; the message says what to do."""


@dataclass(frozen=True)
class Name:
    """Which key: a write key is named by its source, an API token by its user."""

    kind: Kind
    name: str


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a write key may do; None leaves as it is, and an empty tuple or a rate of 0 means without bounds."""

    types: tuple[str, ...] | None = None
    types_added: tuple[str, ...] = ()
    types_removed: tuple[str, ...] = ()
    origins: tuple[str, ...] | None = None
    per_second: float | None = None
    burst: int | None = None

    def on(self, key: Key) -> Key:
        """The key with these bounds. Raises `UnusableKeyError`."""
        if key.kind != "write" and self != Bounds():
            raise UnusableKeyError("types, origins and a rate are of write keys; an API token has roles")
        types = self._types(key.types)
        origins = key.origins if self.origins is None else tuple(map(_origin, self.origins))
        return msgspec.structs.replace(key, types=types, origins=origins, rate=self._rate(key.rate))

    def _types(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """A list never grows or shrinks into "anything" or out of it: that is a wish of its own."""
        added, removed = tuple(map(_type, self.types_added)), frozenset(self.types_removed)
        if self.types is not None and (added or removed):
            raise UnusableKeyError("--types is the whole list: leave it out to add to the list that is there, or to take from it")
        if self.types is not None or not (added or removed):
            return before if self.types is None else tuple(map(_type, self.types))
        if not before:
            raise UnusableKeyError("this key may report anything; --types bounds it to a list, to which can be added then")
        if strange := sorted(removed - set(before)):
            raise UnusableKeyError(f"this key has no type {', '.join(strange)}; it has {','.join(before)}")
        if not (left := tuple(kind for kind in dict.fromkeys((*before, *added)) if kind not in removed)):
            raise UnusableKeyError(
                "no type would be left, and a key without types may report anything: `revoke` it, or --types '' for anything"
            )
        return left

    def _rate(self, before: Rate | None) -> Rate | None:
        per_second = self.per_second if self.per_second is not None else before.per_second if before else 0
        if per_second == 0 and self.burst is None:
            return None
        if per_second == 0:
            raise UnusableKeyError("a burst needs a rate of more than 0 items per second: name --rate too")
        if not 0 < per_second <= PER_SECOND_MAX or (self.burst is not None and self.burst < 1):
            raise UnusableKeyError(f"a rate is more than 0 and at most {PER_SECOND_MAX} items per second, with a burst of at least 1 item")
        kept = before.burst if before and self.per_second is None else max(1, round(per_second * BURST_SECONDS))
        return Rate(per_second, kept if self.burst is None else self.burst)


def create(path: Path, name: Name, roles: tuple[str, ...] = (), bounds: Bounds | None = None) -> str:
    """Adds a key and returns its secret, which is stored nowhere. Raises `UnusableKeyError`."""
    if unknown := sorted(set(roles) - set(ROLES)):
        raise UnusableKeyError(f"unknown role {', '.join(unknown)}; roles are {', '.join(ROLES)}")
    if name.kind == "write":
        _check_source(name.name, roles)
    if name.kind == "api" and not roles:
        raise UnusableKeyError(f"an API token needs at least one role of {', '.join(ROLES)}")
    return _change(path, lambda file: _created(file, name, roles, bounds or Bounds()))


def rotate(path: Path, name: Name, *, overlap: timedelta, now: datetime) -> str:
    """Adds a new secret for a key; the old one ends after `overlap`. Returns the new secret. Raises `UnusableKeyError`."""
    return _change(path, lambda file: _rotated(file, name, now + overlap, now))


def bound(path: Path, name: Name, bounds: Bounds) -> None:
    """Changes what a write key may do, with all of its secrets. Raises `UnusableKeyError`."""
    _change(path, lambda file: _bounded(file, name, bounds))


def revoke(path: Path, name: Name) -> None:
    """Takes a key away at once (services notice within a second). Raises `UnusableKeyError`."""
    _change(path, lambda file: _revoked(file, name))


def listing(path: Path) -> tuple[Key, ...]:
    """The keys, without secrets (they are not stored)."""
    return _read(path).keys


def _check_source(name: str, roles: tuple[str, ...]) -> None:
    if _SOURCE.fullmatch(name) is None:
        raise UnusableKeyError(
            f"{name!r:.80} is no name of a source: use 1 to 64 letters (a-z), digits, '-', '_' and '.', not '.' or '..' alone"
        )
    if wrong := sorted(set(roles) - set(WRITE_ROLES)):
        raise UnusableKeyError(f"a write key has no role {', '.join(wrong)}: it may have {' or '.join(WRITE_ROLES)}, or none")


def _created(file: KeyFile, name: Name, roles: tuple[str, ...], bounds: Bounds) -> tuple[KeyFile, str]:
    if _named(file, name):
        change = f"`nextwave keys change write {name.name}` changes what it may do; " if name.kind == "write" else ""
        raise UnusableKeyError(f"there is a {name.kind} key {name.name} already; {change}rotate its secret, or revoke it")
    secret = new_secret(PREFIXES[name.kind])
    key = bounds.on(Key(name=name.name, kind=name.kind, hash=hash_secret(secret, file.pepper), roles=roles))
    return msgspec.structs.replace(file, keys=(*file.keys, key)), secret


def _rotated(file: KeyFile, name: Name, ends: datetime, now: datetime) -> tuple[KeyFile, str]:
    old = _named(file, name)
    if not old:
        raise UnusableKeyError(f"there is no {name.kind} key {name.name}")
    secret = new_secret(PREFIXES[name.kind])
    fresh = msgspec.structs.replace(old[-1], hash=hash_secret(secret, file.pepper), not_after=None)
    kept = [_ending(key, ends) if key in old else key for key in file.keys if key.not_after is None or key.not_after > now]
    return msgspec.structs.replace(file, keys=(*kept, fresh)), secret


def _bounded(file: KeyFile, name: Name, bounds: Bounds) -> tuple[KeyFile, str]:
    if not (named := _named(file, name)):
        raise UnusableKeyError(f"there is no {name.kind} key {name.name}")
    return msgspec.structs.replace(file, keys=tuple(bounds.on(key) if key in named else key for key in file.keys)), ""


def _type(pattern: str) -> str:
    if not pattern or "*" in pattern[:-1] or (pattern.endswith("*") and not pattern.endswith(".*")):
        raise UnusableKeyError(f"{pattern!r} is no type: use a whole name, as order.placed, or a subject, as order.*")
    return pattern


def _origin(origin: str) -> str:
    """As browsers write it in the header Origin, so that it can be compared as it is."""
    if _ORIGIN.fullmatch(origin) is None or origin != origin.lower():
        raise UnusableKeyError(f"{origin!r} is no origin: use scheme and host in small letters, as https://shop.example, without a path")
    if any(origin.startswith(scheme) and origin.endswith(port) for scheme, port in _OWN_PORTS):
        raise UnusableKeyError(f"{origin!r}: browsers leave a scheme's own port out; use {origin.rpartition(':')[0]}")
    return origin


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
