"""Keys: what is unknown, ended, of the wrong kind or without the role is refused, and changes of the file act within seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from nextwave_runtime import auth
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret, new_secret
from nextwave_runtime.problem import Problem


def written(path: Path, *keys: Key) -> Path:
    path.write_bytes(msgspec.json.encode(KeyFile(pepper="salt", keys=keys)))
    return path


def key(secret: str, **fields: object) -> Key:
    return msgspec.convert({"name": "shop", "kind": "write", "hash": hash_secret(secret, "salt"), **fields}, Key)


def test_a_write_key_names_its_source_and_nothing_else(tmp_path: Path) -> None:
    ring = Keyring(written(tmp_path / "keys", key("w")))
    assert ring.write_source("w") == "shop"
    assert ring.write_source("x") is None
    with pytest.raises(Problem) as refused:
        ring.require("Bearer w")
    assert refused.value.status == 401


def test_a_token_needs_one_of_the_roles(tmp_path: Path) -> None:
    ring = Keyring(written(tmp_path / "keys", key("t", kind="api", roles=("viewer",))))
    assert ring.require("Bearer t", "viewer", "editor").name == "shop"
    with pytest.raises(Problem) as refused:
        ring.require("Bearer t", "operator")
    assert refused.value.status == 403


def test_an_ended_key_is_refused(tmp_path: Path) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    ring = Keyring(written(tmp_path / "keys", key("w", not_after=at)), wall=lambda: at)
    assert ring.write_source("w") is None


def test_a_revoked_key_stops_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "RELOAD_SECONDS", 0.0)
    ring = Keyring(written(tmp_path / "keys", key("w")))
    assert ring.write_source("w") == "shop"
    written(tmp_path / "keys")
    assert ring.write_source("w") is None


def test_secrets_are_long_and_never_equal() -> None:
    made = {new_secret("nw") for _ in range(100)}
    assert len(made) == 100
    assert all(len(s) >= 43 for s in made)
