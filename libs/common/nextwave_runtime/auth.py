"""Who may call: write keys (may only post) and API tokens (with roles), stored as keyed hashes and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Literal, get_args

import msgspec

from nextwave_runtime.problem import Problem

Role = Literal["viewer", "editor", "approver", "operator", "agent", "privacy"]
ROLES: tuple[str, ...] = get_args(Role)
SEE_ADDRESSES = frozenset({"agent", "privacy"})
"""Roles that are shown names and addresses; to all others they are masked (`nextwave_contracts.masking`)."""
RELOAD_SECONDS = 1.0


class Rate(msgspec.Struct, frozen=True):
    """How much one replica of ingest takes from a source: items per second on the long run, and `burst` items at once."""

    per_second: float
    burst: int


class Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stored key. `kind` `write` has a `source`, `kind` `api` has roles. `not_after` ends it (rotation with overlap).

    What a write key may do: report `types` (whole names, or beginnings as `order.*`) from pages of `origins`, as often as `rate` allows.
    Empty: anything.
    """

    name: str
    kind: Literal["write", "api"]
    hash: str
    roles: tuple[str, ...] = ()
    not_after: datetime | None = None
    types: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    rate: Rate | None = None

    @property
    def sees_addresses(self) -> bool:
        """Whether who calls with it is shown names and addresses."""
        return not SEE_ADDRESSES.isdisjoint(self.roles)


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file: a random pepper and the keys hashed with it."""

    pepper: str
    keys: tuple[Key, ...] = ()


def new_secret(prefix: str) -> str:
    """A fresh 256-bit key, `prefix_...`; shown once, never stored."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str, pepper: str) -> str:
    """The keyed hash that is stored."""
    return hmac.new(pepper.encode(), secret.encode(), hashlib.sha256).hexdigest()


class Keyring:
    """The keys in force, reread at most once a second when the file changed, so that a revoked key stops within seconds."""

    def __init__(self, path: Path, *, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._wall = wall
        self._stamp: tuple[int, int] = (0, 0)
        self._checked = -RELOAD_SECONDS
        self._file = KeyFile(pepper="")
        self._sources: dict[str, Key] = {}
        self._presented: dict[tuple[str, str], Key] = {}
        """Whose the secrets are that were presented since the file was read, so that each is hashed once. A dictionary compares only what
        is equal in whole or nearly so by chance, hence its time tells nothing about a part of a secret; wrong ones are not kept."""
        self._reload()

    def write_source(self, secret: str) -> str | None:
        """The source that a write key belongs to, or None when it is unknown."""
        key = self._find(secret, "write")
        return key.name if key else None

    def write_sources(self) -> tuple[str, ...]:
        """The sources that have a write key, by name."""
        self._reload()
        return tuple(sorted(self._sources))

    def source(self, name: str) -> Key | None:
        """The newest write key of a source: what its keys may do is the same for all of them. The same object until the file changes."""
        self._reload()
        return self._sources.get(name)

    def source_has(self, source: str, roles: Collection[str]) -> bool:
        """Whether the source's write key was made with one of these roles, whose people may say what no page may."""
        self._reload()
        return any(role in roles for key in self._file.keys if key.kind == "write" and key.name == source for role in key.roles)

    def require(self, authorization: str, *roles: str) -> Key:
        """The API key of a `Bearer` header that has one of `roles`. Raises a 401 or 403 `Problem`."""
        scheme, _, secret = authorization.partition(" ")
        key = self._find(secret.strip(), "api") if scheme.lower() == "bearer" else None
        if key is None:
            raise Problem(401, "unauthenticated", "send an API token as 'Authorization: Bearer <token>'; `nextwave keys` makes one")
        if roles and not set(roles) & set(key.roles):
            raise Problem(403, "forbidden", f"this token has the roles {', '.join(key.roles)}; one of {', '.join(roles)} is needed")
        return key

    def _find(self, secret: str, kind: str) -> Key | None:
        self._reload()
        found = self._presented.get((secret, kind)) or self._search(secret, kind)
        expired = found is not None and found.not_after is not None and found.not_after <= self._wall()
        return None if expired else found

    def _search(self, secret: str, kind: str) -> Key | None:
        digest = hash_secret(secret, self._file.pepper)
        found = None
        for key in self._file.keys:
            if hmac.compare_digest(key.hash, digest) and key.kind == kind:
                found = key
        if found is not None:
            self._presented[secret, kind] = found
        return found

    def _reload(self) -> None:
        if monotonic() - self._checked < RELOAD_SECONDS:
            return
        self._checked = monotonic()
        status = self._path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            self._file = msgspec.json.decode(self._path.read_bytes(), type=KeyFile)
            self._sources = {key.name: key for key in self._file.keys if key.kind == "write"}
            self._presented = {}
            self._stamp = stamp
