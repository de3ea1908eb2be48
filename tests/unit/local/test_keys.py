"""Keys: shown once, checked by the services' keyring, rotated with overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nextwave_local import keys
from nextwave_local.keys import Name, UnusableKeyError
from nextwave_runtime.auth import Keyring

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def _keyring(path: Path, at: datetime = NOW) -> Keyring:
    return Keyring(path, wall=lambda: at)


def test_a_new_write_key_opens_the_door_for_its_source(tmp_path: Path) -> None:
    secret = keys.create(tmp_path / "keys.json", Name("write", "shop"))
    assert _keyring(tmp_path / "keys.json").write_source(secret) == "shop"


def test_the_secret_is_not_in_the_file_and_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    secret = keys.create(path, Name("write", "shop"))
    assert secret not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_after_rotation_both_secrets_work_until_the_overlap_ends(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    old = keys.create(path, Name("api", "ann"), ("viewer",))
    new = keys.rotate(path, Name("api", "ann"), overlap=timedelta(hours=1), now=NOW)
    during, after = _keyring(path, NOW + timedelta(minutes=59)), _keyring(path, NOW + timedelta(hours=1))
    assert [during.require(f"Bearer {secret}", "viewer").name for secret in (old, new)] == ["ann", "ann"]
    assert after.require(f"Bearer {new}").roles == ("viewer",)
    with pytest.raises(Exception, match="send an API token"):
        after.require(f"Bearer {old}")


def test_a_second_rotation_never_prolongs_an_ending_secret(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys.create(path, Name("write", "shop"))
    keys.rotate(path, Name("write", "shop"), overlap=timedelta(hours=1), now=NOW)
    keys.rotate(path, Name("write", "shop"), overlap=timedelta(hours=9), now=NOW)
    assert [key.not_after for key in keys.listing(path)] == [NOW + timedelta(hours=1), NOW + timedelta(hours=9), None]


def test_rotation_clears_secrets_that_have_ended(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys.create(path, Name("write", "shop"))
    keys.rotate(path, Name("write", "shop"), overlap=timedelta(hours=1), now=NOW)
    keys.rotate(path, Name("write", "shop"), overlap=timedelta(hours=1), now=NOW + timedelta(days=1))
    assert len(keys.listing(path)) == 2


def test_a_revoked_key_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    secret = keys.create(path, Name("write", "shop"))
    keys.revoke(path, Name("write", "shop"))
    assert _keyring(path).write_source(secret) is None


@pytest.mark.parametrize(
    ("name", "roles", "reason"),
    [
        (Name("api", "ann"), (), "at least one role"),
        (Name("api", "ann"), ("king",), "unknown role king"),
        (Name("write", "shop"), (), "already"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_reason(tmp_path: Path, name: Name, roles: tuple[str, ...], reason: str) -> None:
    path = tmp_path / "keys.json"
    keys.create(path, Name("write", "shop"))
    with pytest.raises(UnusableKeyError, match=reason):
        keys.create(path, name, roles)


def test_what_does_not_exist_cannot_be_rotated_or_revoked(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(UnusableKeyError, match="no write key"):
        keys.rotate(path, Name("write", "shop"), overlap=timedelta(), now=NOW)
    with pytest.raises(UnusableKeyError, match="no api key"):
        keys.revoke(path, Name("api", "ann"))
