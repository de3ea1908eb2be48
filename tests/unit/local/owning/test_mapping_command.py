"""`nextwave mapping plan|apply|try`: a folder of mappings in git becomes what is in force, and never over somebody's head."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nextwave_local.command import app
from nextwave_local.owning import changes, keeping
from nextwave_local.owning.mapping_command import plan
from typer.testing import CliRunner
from unit.local.owning.shelf import BRANCH, CALLS, Shelf


def test_a_plan_shows_what_would_be_created_and_writes_nothing(shelf: Shelf) -> None:
    said = shelf.say("plan")
    assert (said.exit_code, said.output) == (0, "create   /v1/mappings/ringo\n1 to create\n")
    assert shelf.versions == {}
    assert shelf.say("plan", str(shelf.folder), "--detailed-exitcode").exit_code == 2


def test_applying_makes_it_so_once_and_again_changes_nothing(shelf: Shelf) -> None:
    assert shelf.say("apply").output == "created   /v1/mappings/ringo\ndone\n"
    assert shelf.versions == {"ringo": 1}
    assert shelf.say("apply").output == "nothing to do\n"
    assert shelf.say("plan", str(shelf.folder), "--detailed-exitcode").exit_code == 0
    assert shelf.versions == {"ringo": 1}


def test_a_change_is_shown_as_a_diff_and_becomes_the_next_version(shelf: Shelf) -> None:
    shelf.say("apply")
    shelf.write("ringo.yaml", CALLS.replace("ANGRY", "FURIOUS"))
    said = shelf.say("plan").output.splitlines()
    assert (said[:3], said[-1]) == (["change   /v1/mappings/ringo", "  --- version 1", "  +++ ringo.yaml"], "1 to change")
    assert [line for line in said if line.startswith(("  -", "  +"))][2:] == ["  -    ANGRY:", "  +    FURIOUS:"]
    assert shelf.say("apply").output == "changed   /v1/mappings/ringo\ndone\n"
    assert shelf.versions == {"ringo": 2}


def test_what_is_shipped_is_replaced_by_a_file_of_its_name(shelf: Shelf) -> None:
    shelf.write("plain-calls.json", json.dumps({"touchpoints": [{"type": "call.ended", "identifiers": {"phone": "$.caller"}}]}))
    said = shelf.say("plan").output
    assert "change   /v1/mappings/plain-calls\n  --- as it is shipped\n" in said
    shelf.say("apply")
    assert shelf.versions == {"plain-calls": 1, "ringo": 1}


def test_a_mapping_is_written_after_the_one_of_the_folder_that_it_extends(shelf: Shelf) -> None:
    shelf.write("branch.yaml", BRANCH)
    assert shelf.say("apply").output == "created   /v1/mappings/ringo\ncreated   /v1/mappings/branch\ndone\n"
    assert shelf.versions == {"branch": 1, "ringo": 1}


def test_a_change_that_would_leave_out_a_mapping_of_no_file_is_refused_and_taken_with_a_file_of_it(shelf: Shelf) -> None:
    shelf.write("south.yaml", BRANCH)
    shelf.say("apply")
    (shelf.folder / "south.yaml").unlink()
    shelf.put("other", CALLS)
    shelf.write("ringo.yaml", BRANCH.replace("ringo", "other"))
    said = shelf.say("apply")
    assert (said.exit_code, shelf.versions["ringo"]) == (1, 1)
    assert "refuse   ringo.yaml\n  error    /extends: south extends this mapping and would be left out: /extends: ringo" in said.output
    shelf.write("south.yaml", BRANCH.replace("ringo", "other"))
    assert shelf.say("apply").exit_code == 0


def test_a_table_that_is_renamed_in_both_is_taken_away_only_once_nobody_lays_codes_over_it(shelf: Shelf) -> None:
    shelf.write("branch.yaml", BRANCH)
    shelf.say("apply")
    shelf.write("ringo.yaml", CALLS.replace("codes", "marks"))
    shelf.write("branch.yaml", BRANCH.replace("codes", "marks"))
    said = shelf.say("apply")
    assert said.exit_code == 1
    assert "refuse   ringo.yaml\n  error    /tables: branch extends this mapping and would be left out: /tables/codes: " in said.output
    assert shelf.versions == {"branch": 1, "ringo": 1}


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("bad.yaml", CALLS.replace("phone:", "fone:"), "/touchpoints/0/identifiers/fone: "),
        ("bad.yaml", "x: [", "/: this is no YAML"),
        ("bad.yaml", f"name: other{CALLS}", "/name: 'other' is not the name under which it stands; write bad, or leave it out"),
        ("bad.json", CALLS, "/: this is no JSON"),
        ("bad.yaml", BRANCH.replace("codes", "code"), "/tables/code: ringo has no table code; did you mean codes?"),
        ("bad.yaml", BRANCH.replace("ringo", "nowhere"), "/extends: there is no mapping 'nowhere'; use one of "),
        ("Bad.yaml", CALLS, "/: 'Bad' is no name of a mapping; use 1 to 63 of a-z"),
        ("ringo.yml", CALLS, "/: ringo.yaml is the same mapping; keep one of both"),
        ("calls/bad.yaml", CALLS, "/: this is no place of a mapping; keep mappings as NAME.yaml"),
    ],
)
def test_nothing_is_written_when_one_file_is_refused_with_file_field_and_fix(shelf: Shelf, file: str, text: str, fault: str) -> None:
    shelf.write(file, text)
    for command in ("plan", "apply"):
        said = shelf.say(command)
        assert (said.exit_code, f"refuse   {file}\n  error    {fault}" in said.output) == (1, True), said.output
    assert shelf.versions == {}


def test_notes_hidden_files_and_other_kinds_are_no_mappings(shelf: Shelf) -> None:
    for file in ("README.md", ".ringo.yaml.swp", ".github/workflows/apply.yaml", "Makefile", "ringo.yaml.old"):
        shelf.write(file, "x")
    assert shelf.say("plan").output.endswith("1 to create\n")


def test_what_was_written_and_is_not_in_the_folder_is_named_and_left_as_it_is(shelf: Shelf) -> None:
    shelf.put("acme", CALLS)
    assert shelf.say("plan").output.endswith("not in this folder, and left as they are: /v1/mappings/acme (--prune retires them)\n")
    assert shelf.say("apply").output.endswith("done\nnot in this folder, and left as they are: /v1/mappings/acme (--prune retires them)\n")
    assert shelf.versions == {"acme": 1, "ringo": 1}
    shelf.write("acme.yaml", "x: [")
    assert "not in this folder" not in shelf.say("plan").output


def test_what_has_no_file_is_retired_where_that_is_asked_for_and_the_plan_shows_it(shelf: Shelf) -> None:
    shelf.say("apply")
    for name in ("acme", "plain-calls"):
        shelf.put(name, CALLS)
    shelf.put("south", BRANCH)
    said = shelf.say("plan", str(shelf.folder), "--prune")
    assert said.output.splitlines() == [
        "retire   /v1/mappings/south",
        "retire   /v1/mappings/acme",
        "retire   /v1/mappings/plain-calls: what is shipped under its name is in force again",
        "1 to keep, 3 to retire",
    ]
    assert shelf.versions == {"acme": 1, "plain-calls": 1, "ringo": 1, "south": 1}
    assert shelf.say("plan", str(shelf.folder), "--prune", "--detailed-exitcode").exit_code == 2
    said = shelf.say("apply", str(shelf.folder), "--prune")
    assert said.output.endswith("retired   /v1/mappings/plain-calls\ndone\n")
    assert [name for name in shelf.versions if shelf.ingest.mappings.history.in_force(name)] == ["ringo"]
    assert shelf.say("apply", str(shelf.folder), "--prune").output == "nothing to do\n"


def test_what_is_retired_keeps_no_file_from_changing_and_no_file_may_extend_it(shelf: Shelf) -> None:
    shelf.write("south.yaml", BRANCH)
    shelf.say("apply")
    (shelf.folder / "south.yaml").unlink()
    shelf.write("ringo.yaml", CALLS.replace("codes", "marks"))
    assert shelf.say("apply").exit_code == 1
    said = shelf.say("apply", str(shelf.folder), "--prune")
    assert said.output == "retired   /v1/mappings/south\nchanged   /v1/mappings/ringo\ndone\n"
    (shelf.folder / "ringo.yaml").unlink()
    shelf.write("north.yaml", BRANCH.replace("codes", "marks"))
    said = shelf.say("apply", str(shelf.folder), "--prune")
    assert (said.exit_code, "/extends: there is no mapping 'ringo'" in said.output) == (1, True)
    shelf.write("north.yaml", CALLS)
    said = shelf.say("apply", str(shelf.folder), "--prune")
    assert said.output == "created   /v1/mappings/north\nretired   /v1/mappings/ringo\ndone\n"


async def test_what_somebody_changed_since_the_plan_is_not_retired(shelf: Shelf) -> None:
    async with shelf.connect() as client:
        await client.put("/v1/mappings/acme", content=CALLS)
        planned = await plan(client, {"ringo.yaml": CALLS}, prune=True)
        await client.put("/v1/mappings/acme", content=CALLS.replace("ANGRY", "THEIRS"))
        with pytest.raises(changes.RefusedError, match="changed since the plan"):
            await changes.apply(client, {"ringo.yaml": CALLS}, planned, lambda _: None)
    assert shelf.ingest.mappings.history.in_force("acme") is not None


@pytest.mark.parametrize(("name", "is_stored"), [("ringo", False), ("ringo", True), ("plain-calls", False)])
async def test_what_somebody_changed_since_the_plan_is_not_written_over(shelf: Shelf, name: str, is_stored: bool) -> None:
    files = {f"{name}.yaml": CALLS.replace("ANGRY", "FURIOUS")}
    async with shelf.connect() as client:
        if is_stored:
            await client.put(f"/v1/mappings/{name}", content=CALLS)
        planned = await plan(client, files)
        await client.put(f"/v1/mappings/{name}", content=CALLS.replace("ANGRY", "THEIRS"))
        with pytest.raises(changes.RefusedError, match="changed since the plan"):
            await changes.apply(client, files, planned, lambda _: None)
        assert "THEIRS" in (await client.get(f"/v1/mappings/{name}")).text


@pytest.mark.parametrize(("role", "plans", "applies"), [("viewer", 0, 1), ("operator", 0, 1), ("editor", 0, 0), ("privacy", 1, 1)])
def test_who_may_only_read_may_plan_and_not_apply(shelf: Shelf, role: str, plans: int, applies: int) -> None:
    shelf.role = role
    assert (shelf.say("plan").exit_code, shelf.say("apply").exit_code) == (plans, applies)
    assert shelf.versions == ({} if applies else {"ringo": 1})


def test_without_a_stack_and_without_a_name_it_says_what_to_give(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["mapping", "plan", str(tmp_path), "--state", str(tmp_path / "none")])
    assert (said.exit_code, "--ingest and --token" in said.output) == (1, True)


def test_a_plan_asks_whether_a_type_that_is_nearly_one_with_a_meaning_was_meant(shelf: Shelf) -> None:
    shelf.write("ringo.yaml", CALLS.replace("call.wrapped_up", "call.wraped_up"))
    planned = shelf.say("plan")
    assert planned.exit_code == keeping.NOTHING, "it may be meant"
    assert "warning  /touchpoints/0/type: 'call.wraped_up' has no built-in meaning; did you mean call.wrapped_up?" in planned.output
    assert shelf.say("apply").exit_code == keeping.NOTHING


def test_a_plan_refuses_a_mapping_whose_grants_name_no_purpose(shelf: Shelf) -> None:
    shelf.write(
        "ringo.yaml", CALLS.replace("call.wrapped_up", "consent.granted").replace('"*": {table: codes, key: $.code}', "chanel: email")
    )
    planned = shelf.say("plan")
    assert planned.exit_code == keeping.FAILED
    assert (
        "/touchpoints/0/data/chanel: every such grant would be refused; a grant has no field chanel; did you mean channel?"
        in planned.output
    )
