"""`nextwave up` and `down` as a person uses them, with the real Kafka and PostgreSQL; the services have the ring's own tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from nextwave_local import children
from nextwave_local.layout import SERVICES

ALONE = [part for service in SERVICES for part in ("--replicas", f"{service}=0")]


def _nextwave(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nextwave_local.command", *arguments], capture_output=True, text=True, check=False, timeout=500
    )


def _until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    limit = monotonic() + seconds
    while not true():
        assert monotonic() < limit
        sleep(0.1)


def _endpoints(state: Path) -> dict[str, Any]:
    return dict(json.loads((state / "endpoints.json").read_text()))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("one machine")
    started = _nextwave("up", "--state", str(folder), "--ports", "auto", "--speed", "100", *ALONE)
    assert started.returncode == 0, started.stderr
    yield folder
    _nextwave("down", "--state", str(folder))


def test_endpoints_name_everything_once_all_is_ready(state: Path) -> None:
    endpoints = _endpoints(state)
    assert set(endpoints) == {"kafka", "postgres", *SERVICES, "simulator", "smtp", "write_key", "api_token", "pids"}
    assert all(children.started_at(pid) for pid in endpoints["pids"].values())
    assert httpx.get(endpoints["simulator"] + "/livez").text == "ok"


def test_a_second_up_says_that_it_runs_already(state: Path) -> None:
    again = _nextwave("up", "--state", str(state), "--ports", "auto", *ALONE)
    assert again.returncode == 1
    assert "it runs already" in again.stderr


def test_the_topics_are_as_they_must_be(state: Path) -> None:
    assert _nextwave("topics", "plan", "--state", str(state)).returncode == 0


def test_what_is_killed_comes_back_and_the_pids_follow(state: Path) -> None:
    before = _endpoints(state)["pids"]
    killed = ("kafka", "postgres", "simulator")
    for name in killed:
        os.kill(before[name], signal.SIGKILL)
    _until(lambda: not {_endpoints(state)["pids"][name] for name in killed} & set(before.values()))
    assert _nextwave("topics", "plan", "--state", str(state)).returncode == 0


def test_a_service_is_started_again_politely_and_is_ready_when_the_command_returns(state: Path) -> None:
    before = _endpoints(state)["pids"]["simulator"]
    again = _nextwave("restart", "simulator", "--state", str(state))
    assert (again.returncode, "simulator is ready again" in again.stdout) == (0, True), again.stderr
    endpoints = _endpoints(state)
    assert endpoints["pids"]["simulator"] != before
    assert httpx.get(endpoints["simulator"] + "/livez").text == "ok"
    assert f"pid {before}" in (state / "logs" / "supervisor.log").read_text()


def test_after_the_supervisor_was_killed_up_cleans_up_and_business_time_goes_on(state: Path) -> None:
    before = _endpoints(state)["pids"]
    reached = json.loads((state / "layout.json").read_text())["clock"]["origin"]
    os.kill(before["supervisor"], signal.SIGKILL)
    _until(lambda: children.started_at(before["supervisor"]) is None)
    again = _nextwave("up", "--state", str(state), "--ports", "auto", "--speed", "100", *ALONE)
    assert again.returncode == 0, again.stderr
    assert "left behind" in again.stdout
    assert not any(children.started_at(before[name]) for name in ("kafka", "postgres", "simulator"))
    assert json.loads((state / "layout.json").read_text())["clock"]["origin"] > reached


def test_down_leaves_nothing_running(state: Path) -> None:
    pids = _endpoints(state)["pids"]
    assert _nextwave("down", "--state", str(state)).returncode == 0
    assert not any(children.started_at(pid) for pid in pids.values())
    assert not (state / "endpoints.json").exists()
    status = _nextwave("status", "--json", "--state", str(state))
    assert (status.returncode, json.loads(status.stdout)["phase"]) == (1, "down")


def test_up_fails_with_the_settings_that_a_service_refuses_as_soon_as_it_does(state: Path) -> None:
    _nextwave("down", "--state", str(state))
    secrets = state / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "NEXTWAVE_SOURCE_SECRETS").write_text('{"shop": {"shopfy": "hush"}}')
    started = _nextwave("up", "--state", str(state), "--ports", "auto", *ALONE, "--replicas", "ingest=1")
    (secrets / "NEXTWAVE_SOURCE_SECRETS").unlink()
    assert started.returncode == 1
    assert "ingest-0: these settings are missing or wrong:\n  NEXTWAVE_SOURCE_SECRETS at shop.shopfy: " in started.stderr
    log = (state / "logs" / "supervisor.log").read_text()
    assert log.count("ingest-0 ended with code 78") == 1
