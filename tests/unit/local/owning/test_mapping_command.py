"""`nextwave mapping plan|apply|try`: a folder of mappings in git becomes what is in force, and never over somebody's head."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from nextwave_ingest.mappings.document import read
from nextwave_local.command import app
from nextwave_local.owning import changes, keeping
from nextwave_local.owning.mapping_command import plan
from typer.testing import CliRunner, Result
from unit.ingest.fakes import Stand, stand

CALLS = """
description: Calls of Ringo
unmatched: ignore
tables: {codes: {ANGRY: {complaint: true}}}
touchpoints:
  - when: {$.kind: closed}
    type: call.wrapped_up
    id: $.call
    identifiers: {phone: $.caller}
    data: {"*": {table: codes, key: $.code}}
"""
"""With a word that says what is so anyway, as people write it."""
BRANCH = "{extends: ringo, tables: {codes: {NEVER: {refusal: true}}}}\n"
SHIPPED = f"name: plain-calls{CALLS}"


class Shelf:
    """A folder of mappings, and an ingest in this process that it is applied to."""

    def __init__(self, folder: Path, ingest: Stand) -> None:
        self.folder = folder
        self.ingest = ingest
        self.role = "editor"
        self.write("ringo.yaml", CALLS)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def connect(self, *_: object) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer at_{self.role}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.ingest.app), base_url="http://test", headers=headers)

    def say(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["mapping", command, *(arguments or [str(self.folder)])])

    def put(self, name: str, text: str) -> None:
        """Somebody else writes it."""

        async def put() -> None:
            async with self.connect() as client:
                answer = await client.put(f"/v1/mappings/{name}", content=text, headers={"content-type": "application/yaml"})
                answer.raise_for_status()

        asyncio.run(put())

    @property
    def versions(self) -> dict[str, int]:
        """What was written, by name the newest version."""
        history = self.ingest.mappings.history
        return {name: history.number(name) for name in history.names()}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    (tmp_path / "folder").mkdir()
    one = Shelf(tmp_path / "folder", stand(tmp_path, documents=[read(SHIPPED.encode())]))
    monkeypatch.setattr(keeping, "connect", one.connect)
    return one


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


@pytest.fixture
def tried(shelf: Shelf) -> Callable[..., Result]:
    """`nextwave mapping try` of the folder's mapping on a body."""

    def tried(body: str, *more: str) -> Result:
        sample = shelf.folder / "sample.txt"
        sample.write_text(body)
        return shelf.say("try", str(shelf.folder / "ringo.yaml"), "--sample", str(sample), *more)

    return tried


def test_a_file_is_tried_on_a_body_before_it_is_applied_and_leaves_no_trace(shelf: Shelf, tried: Callable[..., Result]) -> None:
    said = tried('[{"kind": "closed", "call": "r-1", "caller": "+441614960101", "code": "ANGRY"}, {"kind": "ringing"}]')
    first, second = json.loads(said.output)["items"]
    assert (first["touchpoints"][0]["data"], [hold["kind"] for hold in first["holds"]]) == ({"complaint": True}, ["complaint"])
    assert (second["ignored"], said.exit_code) == (True, 0)
    assert shelf.ingest.committer.records == []


def test_a_form_and_its_headers_are_tried_as_their_system_would_post_them(shelf: Shelf, tried: Callable[..., Result]) -> None:
    rule = "{when: {\"$._headers['x-topic']\": calls}, type: call.ended, id: $.call, identifiers: {phone: $.caller}}"
    shelf.write("ringo.yaml", f"body: form\nheaders: [X-Topic]\ntouchpoints: [{rule}]\n")
    for topic, ignored in (("calls", False), ("texts", True)):
        said = tried("call=r-1&caller=%2B441614960101", "--header", f"X-Topic: {topic}")
        assert json.loads(said.output)["items"][0]["ignored"] is ignored


@pytest.mark.parametrize(
    ("text", "fault"), [("x: [", "this is no YAML"), (CALLS.replace("phone:", "fone:"), "/touchpoints/0/identifiers/fone")]
)
def test_a_file_that_is_no_mapping_is_not_tried(shelf: Shelf, tried: Callable[..., Result], text: str, fault: str) -> None:
    shelf.write("ringo.yaml", text)
    said = tried("{}")
    assert (said.exit_code, fault in said.output) == (2, True), said.output


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('[{"kind": "closed", "caller": "+441614960101"}, {"kind": "ringing"}]', 0),
        ('[{"kind": "ringing"}, {"kind": "closed", "caller": "anonymous"}]', 1),
        ("[", 1),
    ],
)
def test_a_trial_ends_with_1_where_something_of_the_body_is_refused(tried: Callable[..., Result], body: str, code: int) -> None:
    said = tried(body)
    assert (said.exit_code, "refusals" in json.loads(said.output)) == (code, True)


def test_a_trial_without_its_sample_or_its_right_ends_with_2(shelf: Shelf, tried: Callable[..., Result]) -> None:
    assert shelf.say("try", str(shelf.folder / "ringo.yaml"), "--sample", str(shelf.folder / "none")).exit_code == 2
    shelf.role = "privacy"
    assert tried("{}").exit_code == 2


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
