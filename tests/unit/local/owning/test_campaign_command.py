"""`nextwave campaign plan|apply`: a folder in git becomes what is in force, as often as one likes, and never over somebody's head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_local.command import app
from nextwave_local.owning import changes, keeping
from nextwave_local.owning.campaign_command import plan
from nextwave_orchestrator.api.control import Control
from nextwave_orchestrator.app import make_app
from nextwave_orchestrator.campaigns.lifecycle import Limits
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from typer.testing import CliRunner, Result
from unit.orchestrator.api.caller import FixedClock
from unit.orchestrator.api.fake_store import FakeStore

FILES = {
    "policy.yaml": "caps: [{most: 2, per: 24h}]\n",
    "segments/loyal.yaml": "{name: Loyal, owner: care, rule: {field: orders.count, op: gte, value: 3}}\n",
    "templates/hello.yaml": "{subject: Welcome, text: Hello}\n",
    "campaigns/greet.yaml": """
owner: care
purpose: care
goal: {event: order.placed, within: 30d}
entry: {on: {event: customer.registered}}
waves:
  - key: greet
    window: 48h
    mixes:
      - {segment: loyal, channels: [{channel: email, template: hello}]}
      - {segment: "*", channels: [{channel: email, template: hello}]}
    response: {event: email.clicked}
""",
}


class Shelf:
    """A folder of campaigns, and an orchestrator in this process that it is applied to."""

    def __init__(self, folder: Path, orchestrator: Any, store: FakeStore) -> None:
        self.folder = folder
        self.store = store
        self._orchestrator = orchestrator
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def connect(self, *_: object) -> httpx.AsyncClient:
        headers = {"authorization": "Bearer approver-secret"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self._orchestrator), base_url="http://test", headers=headers)

    def say(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["campaign", arguments[0], str(self.folder), *arguments[1:]])


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    key = Key(name="approver", kind="api", hash=hash_secret("approver-secret", "p"), roles=("approver",))
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=(key,))))
    store = FakeStore()
    limits = Limits(budget_max=0, audience_max=0)
    control = Control(store=store, clock=FixedClock(), keyring=Keyring(tmp_path / "keys.json"), limits=limits)
    (tmp_path / "folder").mkdir()
    one = Shelf(tmp_path / "folder", make_app(control), store)
    monkeypatch.setattr(keeping, "connect", one.connect)
    return one


def test_a_plan_shows_what_would_be_created_and_writes_nothing(shelf: Shelf) -> None:
    said = shelf.say("plan")
    assert said.exit_code == 0, said.output
    assert [line for line in said.output.splitlines() if line.startswith(("create", "publish"))] == [
        "create   /v1/policy",
        "create   /v1/segments/loyal",
        "create   /v1/templates/hello",
        "create   /v1/campaigns/greet",
        "publish  /v1/campaigns/greet",
    ]
    assert shelf.store.committed.revision == 1
    assert shelf.say("plan", "--detailed-exitcode").exit_code == 2


def test_applying_makes_it_so_once_and_again_changes_nothing(shelf: Shelf) -> None:
    assert shelf.say("apply", "--publish").exit_code == 0
    assert shelf.store.committed.rows["greet"].version == 1
    revision = shelf.store.committed.revision
    again = shelf.say("apply", "--publish")
    assert (again.exit_code, again.output) == (0, "nothing to do\n")
    assert shelf.store.committed.revision == revision
    assert shelf.say("plan", "--detailed-exitcode").exit_code == 0


def test_without_publish_only_drafts_are_written(shelf: Shelf) -> None:
    assert shelf.say("apply").exit_code == 0
    assert shelf.store.committed.rows == {}
    assert "published /v1/campaigns/greet as version 1" in shelf.say("apply", "--publish").output


def test_a_change_is_shown_as_a_diff_and_becomes_the_next_version(shelf: Shelf) -> None:
    shelf.say("apply", "--publish")
    shelf.write("campaigns/greet.yaml", FILES["campaigns/greet.yaml"].replace("48h", "36h"))
    said = shelf.say("plan")
    assert [line for line in said.output.splitlines() if line.startswith(("  -", "  +"))][2:] == ["  -  window: 48h", "  +  window: 36h"]
    assert "published /v1/campaigns/greet as version 2" in shelf.say("apply", "--publish").output


def test_nothing_is_written_when_one_file_is_refused(shelf: Shelf) -> None:
    shelf.write("segments/bad.yaml", "{name: Bad, owner: x, rule: {field: orders.cuont, op: gte, value: 3}}")
    for command_ in ("plan", "apply"):
        said = shelf.say(command_)
        assert (said.exit_code, "/rule/field: there is no field 'orders.cuont'; did you mean orders.count?" in said.output) == (1, True)
    assert shelf.store.committed.revision == 1


@pytest.mark.parametrize("file", ["actions/a.yaml", "campaigns/sub/a.yaml", "campaigns/greet.yml.old", "rules.yaml", "templates/Bad.yaml"])
def test_a_file_in_the_wrong_place_or_of_a_wrong_name_is_refused_by_its_name(shelf: Shelf, file: str) -> None:
    shelf.write(file, "text: Hello\n")
    said = shelf.say("apply")
    assert said.exit_code == 1
    assert file.removesuffix(".yaml") in said.output
    assert shelf.store.committed.revision == 1


def test_notes_and_hidden_files_are_no_documents(shelf: Shelf) -> None:
    for file in ("README.md", "campaigns/readme.md", "campaigns/.greet.yaml.swp", ".github/workflows/apply.yaml", "Makefile"):
        shelf.write(file, "x")
    assert "4 to create" in shelf.say("plan").output


def test_nothing_is_written_when_a_campaign_to_be_published_would_not_work(shelf: Shelf) -> None:
    shelf.write("campaigns/greet.yaml", FILES["campaigns/greet.yaml"].replace("template: hello", "template: helo"))
    said = shelf.say("apply", "--publish")
    assert (said.exit_code, "there is no template 'helo'; did you mean hello?" in said.output) == (1, True)
    assert shelf.store.committed.revision == 1


def test_what_is_not_in_the_folder_is_named_and_left_as_it_is(shelf: Shelf) -> None:
    shelf.say("apply")
    (shelf.folder / "segments/loyal.yaml").unlink()
    assert "not in this folder, and left as they are: /v1/segments/loyal" in shelf.say("plan").output
    assert ("segments", "loyal") in shelf.store.committed.written


@pytest.mark.parametrize("is_stored", [False, True])
async def test_what_somebody_changed_since_the_plan_is_not_written_over(shelf: Shelf, is_stored: bool) -> None:
    files = {"segments/loyal.yaml": FILES["segments/loyal.yaml"].replace("3", "5")}
    async with shelf.connect() as client:
        if is_stored:
            await client.put("/v1/segments/loyal", content=FILES["segments/loyal.yaml"], headers={"content-type": "application/yaml"})
        planned = await plan(client, files)
        await client.put(
            "/v1/segments/loyal", content=FILES["segments/loyal.yaml"].replace("3", "4"), headers={"content-type": "application/yaml"}
        )
        with pytest.raises(changes.RefusedError, match="changed since the plan"):
            await changes.apply(client, files, planned, lambda _: None, publish=False)


async def test_what_somebody_wrote_since_the_plan_is_not_published(shelf: Shelf) -> None:
    async with shelf.connect() as client:
        await changes.apply(client, FILES, await plan(client, FILES), lambda _: None, publish=False)
        planned = await plan(client, FILES)
        theirs = FILES["campaigns/greet.yaml"].replace("48h", "36h")
        await client.put("/v1/campaigns/greet", content=theirs, headers={"content-type": "application/yaml"})
        with pytest.raises(changes.RefusedError, match="changed since the plan"):
            await changes.apply(client, FILES, planned, lambda _: None, publish=True)
    assert shelf.store.committed.rows == {}


@pytest.mark.parametrize("content", [None, {}, {"notes.txt": "x"}])
def test_a_folder_without_documents_is_refused_in_one_sentence(shelf: Shelf, tmp_path: Path, content: dict[str, str] | None) -> None:
    shelf.folder = tmp_path / "other"
    if content is not None:
        shelf.folder.mkdir()
        for name, text in content.items():
            shelf.write(name, text)
    said = shelf.say("plan")
    assert (said.exit_code, said.output.count("\n")) == (1, 1)


def test_without_a_stack_and_without_a_name_it_says_what_to_give(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["campaign", "plan", str(tmp_path), "--state", str(tmp_path / "none")])
    assert (said.exit_code, "--orchestrator and --token" in said.output) == (1, True)
