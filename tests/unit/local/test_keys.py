"""Keys: shown once, checked by the services' keyring, rotated with overlap."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nextwave_local import keys
from nextwave_local.command import app
from nextwave_local.keys import Bounds, Name, UnusableKeyError
from nextwave_runtime.auth import Keyring, Rate
from typer.testing import CliRunner

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


@pytest.mark.parametrize("hours", ["inf", "nan", "-1", "1e9", "8785"])
def test_an_overlap_that_is_none_or_would_never_end_is_told_what_it_may_be(tmp_path: Path, hours: str) -> None:
    path = tmp_path / "keys.json"
    keys.create(path, Name("write", "shop"))
    said = CliRunner().invoke(app, ["keys", "rotate", "write", "shop", "--file", str(path), f"--overlap-hours={hours}"])
    assert (said.exit_code, "--overlap-hours" in said.output) == (2, True)
    assert [key.not_after for key in keys.listing(path)] == [None]


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
        (Name("write", "desk"), ("editor", "agent"), "no role editor: it may have agent or operator"),
        *((Name("write", name), (), "letters") for name in ("", ".", "..", "a/b", "a\n", "a b", "x" * 65, "café")),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_reason(tmp_path: Path, name: Name, roles: tuple[str, ...], reason: str) -> None:
    path = tmp_path / "keys.json"
    keys.create(path, Name("write", "shop"))
    with pytest.raises(UnusableKeyError, match=reason):
        keys.create(path, name, roles)


def test_a_write_key_of_an_older_file_may_go_on_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"pepper": "p", "keys": [{"name": "a/b", "kind": "write", "hash": "h", "roles": ["editor"], "not_after": null}]}')
    keys.bound(path, Name("write", "a/b"), Bounds(types=("order.*",)))
    secret = keys.rotate(path, Name("write", "a/b"), overlap=timedelta(), now=NOW)
    assert _keyring(path).write_source(secret) == "a/b"


def test_a_write_key_may_have_a_name_of_64_letters_and_the_roles_of_people_at_desks(tmp_path: Path) -> None:
    name = Name("write", "Shop_1.de-" + "x" * 54)
    keys.create(tmp_path / "keys.json", name, ("agent", "operator"))
    assert [(key.name, key.roles) for key in keys.listing(tmp_path / "keys.json")] == [(name.name, ("agent", "operator"))]
    for dotted in (".a", "...", "a.", "..b"):
        assert keys.create(tmp_path / "keys.json", Name("write", dotted))


def test_what_does_not_exist_cannot_be_rotated_or_revoked(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(UnusableKeyError, match="no write key"):
        keys.rotate(path, Name("write", "shop"), overlap=timedelta(), now=NOW)
    with pytest.raises(UnusableKeyError, match="no api key"):
        keys.revoke(path, Name("api", "ann"))


def test_what_a_key_may_do_is_kept_by_a_rotation_and_changed_for_both_secrets(tmp_path: Path) -> None:
    path, shop = tmp_path / "keys.json", Name("write", "shop")
    keys.create(path, shop, ("operator",), Bounds(types=("order.*",), origins=("https://shop.example",), per_second=50))
    keys.rotate(path, shop, overlap=timedelta(hours=1), now=NOW)
    kept = keys.listing(path)
    assert [(key.roles, key.types, key.origins, key.rate) for key in kept] == [
        (("operator",), ("order.*",), ("https://shop.example",), Rate(50, 500))
    ] * 2
    keys.bound(path, shop, Bounds(types=("page.viewed",), origins=()))
    changed = keys.listing(path)
    assert [(key.types, key.origins, key.rate) for key in changed] == [(("page.viewed",), (), Rate(50, 500))] * 2
    assert [key.hash for key in changed] == [key.hash for key in kept]


@pytest.mark.parametrize(
    ("change", "types"),
    [
        (Bounds(types_added=("order.*", "complaint.opened")), ("call.*", "DO_NOT_CALL", "order.*", "complaint.opened")),
        (Bounds(types_added=("call.*",)), ("call.*", "DO_NOT_CALL")),
        (Bounds(types_removed=("call.*",)), ("DO_NOT_CALL",)),
        (Bounds(types_added=("call.ended",), types_removed=("call.*",)), ("DO_NOT_CALL", "call.ended")),
        (Bounds(types=("call.*",)), ("call.*",)),
    ],
)
def test_a_type_is_added_to_those_of_a_key_and_taken_from_them_and_the_others_stay(
    tmp_path: Path, change: Bounds, types: tuple[str, ...]
) -> None:
    path, centre = tmp_path / "keys.json", Name("write", "centre")
    keys.create(path, centre, (), Bounds(types=("call.*", "DO_NOT_CALL")))
    keys.bound(path, centre, change)
    assert keys.listing(path)[0].types == types


@pytest.mark.parametrize(
    ("before", "change", "reason"),
    [
        ((), Bounds(types_added=("order.*",)), "may report anything"),
        (("order.*",), Bounds(types_removed=("order.*",)), "may report anything: `revoke` it"),
        (("order.*",), Bounds(types_removed=("order.placed",)), r"no type order.placed; it has order\.\*"),
        (("order.*",), Bounds(types_added=("visit*",)), "is no type"),
        (("order.*",), Bounds(types=("visit.*",), types_added=("order.*",)), "the whole list"),
    ],
)
def test_a_list_of_types_never_turns_into_anything_or_out_of_it_by_adding_and_removing(
    tmp_path: Path, before: tuple[str, ...], change: Bounds, reason: str
) -> None:
    path, shop = tmp_path / "keys.json", Name("write", "shop")
    keys.create(path, shop, (), Bounds(types=before))
    with pytest.raises(UnusableKeyError, match=reason):
        keys.bound(path, shop, change)
    assert keys.listing(path)[0].types == before


@pytest.mark.parametrize(
    ("before", "change", "rate"),
    [
        (None, Bounds(per_second=20), Rate(20, 200)),
        (None, Bounds(per_second=0.01), Rate(0.01, 1)),
        (Rate(20, 7), Bounds(burst=900), Rate(20, 900)),
        (Rate(20, 7), Bounds(per_second=30, burst=1), Rate(30, 1)),
        (Rate(20, 7), Bounds(per_second=0), None),
        (Rate(20, 7), Bounds(types=("order.*",)), Rate(20, 7)),
    ],
)
def test_a_rate_has_a_burst_of_ten_seconds_unless_it_is_told(
    tmp_path: Path, before: Rate | None, change: Bounds, rate: Rate | None
) -> None:
    path, shop = tmp_path / "keys.json", Name("write", "shop")
    keys.create(path, shop, (), Bounds(per_second=before.per_second, burst=before.burst) if before else Bounds())
    keys.bound(path, shop, change)
    assert keys.listing(path)[0].rate == rate


@pytest.mark.parametrize(
    ("name", "bounds", "reason"),
    [
        (Name("write", "shop"), Bounds(types=("*.placed",)), "no type"),
        (Name("write", "shop"), Bounds(types=("order*",)), "no type"),
        (Name("write", "shop"), Bounds(origins=("shop.example",)), "no origin"),
        (Name("write", "shop"), Bounds(origins=("https://shop.example/",)), "no origin"),
        (Name("write", "shop"), Bounds(origins=("https://Shop.example",)), "no origin"),
        (Name("write", "shop"), Bounds(origins=("https://shop.example:443",)), "use https://shop.example$"),
        (Name("write", "shop"), Bounds(burst=5), "more than 0"),
        (Name("write", "shop"), Bounds(per_second=5, burst=0), "at least 1 item"),
        (Name("write", "shop"), Bounds(per_second=float("inf")), "at most 1000000 items"),
        (Name("write", "shop"), Bounds(per_second=float("nan")), "more than 0"),
        (Name("api", "ann"), Bounds(types=("order.*",)), "of write keys"),
        (Name("write", "other"), Bounds(types=("order.*",)), "there is no write key"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_with_the_reason(tmp_path: Path, name: Name, bounds: Bounds, reason: str) -> None:
    path = tmp_path / "keys.json"
    keys.create(path, Name("write", "shop"))
    keys.create(path, Name("api", "ann"), ("viewer",))
    before = path.read_bytes()
    with pytest.raises(UnusableKeyError, match=reason):
        keys.bound(path, name, bounds)
    assert path.read_bytes() == before


def test_the_command_makes_lists_and_changes_what_a_key_may_do(tmp_path: Path) -> None:
    file = str(tmp_path / "keys.json")

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["keys", *arguments, "--file", file])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    bounds = ("--types", "order.*, page.viewed", "--origins", "https://shop.example", "--rate", "50", "--burst", "80")
    secret = said("create", "write", "shop", *bounds)
    assert said("list") == "write shop types order.*,page.viewed origins https://shop.example rate 50 burst 80"
    assert "types order.*,order.gone origins" in said(
        "change", "write", "shop", "--add-types", "order.gone", "--remove-types", "page.viewed"
    )
    said("create", "api", "shop", "--role", "viewer")
    again = CliRunner().invoke(app, ["keys", "create", "write", "shop", "--file", file])
    assert (again.exit_code, "`nextwave keys change write shop` changes" in again.output) == (1, True)
    changed = said("change", "write", "shop", "--types", "", "--rate", "0")
    assert changed == "write shop origins https://shop.example"
    assert said("list") == f"{changed} api shop viewer"
    assert _keyring(tmp_path / "keys.json").write_source(secret) == "shop"


def test_the_commands_of_the_guide_do_what_it_says(tmp_path: Path) -> None:
    path, guide = tmp_path / "keys.json", (Path(__file__).parents[3] / "docs" / "doors.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Sources and their keys\n")[2].partition("\n## ")[0]
    for line in section.partition("```sh\n")[2].partition("```")[0].splitlines():
        result = CliRunner().invoke(app, [*shlex.split(line)[1:], "--file", str(path)])
        assert result.exit_code == 0, result.output
    shop, erp = keys.listing(path)
    assert (shop.origins, shop.rate) == (("https://shop.example", "https://m.shop.example"), Rate(500, 20000))
    assert (erp.name, erp.types) == ("erp", ())


def test_a_key_file_of_an_older_build_is_read_and_bounds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"pepper": "p", "keys": [{"name": "shop", "kind": "write", "hash": "h", "roles": [], "not_after": null}]}')
    key = _keyring(path).source("shop")
    assert key is not None
    assert (key.types, key.origins, key.rate) == ((), (), None)
