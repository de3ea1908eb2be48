"""What the `nextwave` command answers to wishes that cannot be, before it starts anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from nextwave_contracts.clock import ClockSetting
from nextwave_local import children
from nextwave_local.command import app
from nextwave_local.folder import Folder, Progress, Recorded
from nextwave_local.layout import DEFAULT_PORTS, Layout, replicas_of
from typer.testing import CliRunner, Result


def _said(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("folder", ["/dev/null/x", "/etc/passwd", "/proc/x", "/proc"])
def test_a_state_that_cannot_be_a_folder_is_refused_in_one_sentence(folder: str) -> None:
    said = _said("up", "--state", folder)
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert f"{folder} cannot keep a stack" in said.output


@pytest.mark.parametrize(("command", "code"), [("status", 1), ("down", 0)])
def test_a_file_in_the_place_of_the_state_is_a_stack_that_is_down(tmp_path: Path, command: str, code: int) -> None:
    file = tmp_path / "file"
    file.touch()
    assert _said(command, "--state", file).exit_code == code


@pytest.mark.parametrize("instant", ["2026-01-01", "2026-01-01T08:00:00", "20260101T080000Z", "2026-13-01T08:00:00Z", "tomorrow"])
def test_a_business_instant_needs_time_and_zone(tmp_path: Path, instant: str) -> None:
    said = _said("up", "--state", tmp_path / "state", "--from", instant)
    assert (said.exit_code, "like 2026-01-31T08:00:00Z" in said.output) == (1, True)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("instant", ["2026-01-01T08:00:00Z", "2026-01-01t09:00:00.000+01:00"])
def test_a_business_instant_is_taken_as_rfc_3339_writes_it(instant: str) -> None:
    assert "/dev/null/x" in _said("up", "--state", "/dev/null/x", "--from", instant).output


def test_a_stack_of_which_a_process_has_ended_is_not_ready_and_the_process_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lives = Recorded(os.getpid(), children.started_at(os.getpid()) or 0.0)
    folder.write_layout(Layout(replicas=replicas_of([]), ports=dict(DEFAULT_PORTS), clock=ClockSetting()))
    folder.write_processes({"kafka": Recorded(2**22 - 3, 1.0), "supervisor": lives})
    folder.write_progress(Progress("ready", "", lives.pid))
    held = folder.lock()
    said = _said("status", "--state", tmp_path)
    assert (said.exit_code, said.output.splitlines()[0]) == (1, f"not ready: kafka ended ({tmp_path})")
    folder.write_processes({"supervisor": lives})
    assert _said("status", "--state", tmp_path).exit_code == 0
    assert held is not None


def test_a_log_that_there_is_not_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert "there are: none at all" in _said("logs", "ingst", "--state", tmp_path).output
    for name in ("ingest-0", "kafka"):
        children.start(children.Command(arguments=["true"], log=folder.log(name))).process.wait()
    said = _said("logs", "ingst", "--state", tmp_path)
    assert (said.exit_code, said.output.rstrip().endswith("there are: ingest-0, kafka")) == (1, True)


def test_only_what_runs_can_be_started_again_and_a_wrong_name_is_answered_with_the_right_ones(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert "no stack is ready in" in _said("restart", "ingest", "--state", tmp_path).output
    folder.write_layout(Layout(replicas=replicas_of(["ingest=2"]), ports=dict(DEFAULT_PORTS), clock=ClockSetting()))
    folder.write_progress(Progress("ready", "", os.getpid()))
    held = folder.lock()
    for wrong in ("ingst", "kafka", "scoring-1", ""):
        said = _said("restart", wrong, "--state", tmp_path)
        assert (said.exit_code, "ingest-0, ingest-1, scoring-0" in said.output) == (1, True)
    assert held is not None


def test_down_says_where_it_looked_when_nothing_was_running(tmp_path: Path) -> None:
    said = _said("down", "--state", tmp_path)
    assert (said.exit_code, f"nothing was running in {tmp_path}" in said.output) == (0, True)


@pytest.mark.parametrize("report", ["missing/x.json", "."])
def test_a_report_that_cannot_be_written_is_refused_before_the_demo_runs(tmp_path: Path, report: str) -> None:
    said = _said("demo", "--report", tmp_path / report)
    assert (said.exit_code, "cannot be written" in " ".join(said.output.replace("│", " ").split())) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_refuses_a_file_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert _said("demo", "--state", tmp_path / "file").exit_code == 2


@pytest.mark.parametrize("command", [("create", "write", "shop"), ("list",), ("rotate", "write", "shop"), ("revoke", "write", "shop")])
def test_keys_of_a_stack_that_there_is_not_are_refused_and_nothing_is_written(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = _said("keys", *command, "--state", tmp_path / "none")
    assert (said.exit_code, "no stack was ever started in" in said.output, "--file" in said.output) == (1, True, True)
    assert list(tmp_path.iterdir()) == []
    made = _said("keys", "create", "write", "shop", "--file", tmp_path / "keys.json")
    assert (made.exit_code, (tmp_path / "keys.json").exists()) == (0, True)
