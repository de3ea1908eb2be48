"""Keeping processes: restarts, their pauses, and never touching a stranger. With small real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from nextwave_local import children
from nextwave_local.bringup import BringUpError, Wish, down, up
from nextwave_local.folder import Folder, Progress, Recorded
from nextwave_local.keeper import LONGEST_DELAY_SECONDS, Keeper, delay_seconds
from nextwave_local.layout import replicas_of
from nextwave_local.leftovers import stop_left_behind
from nextwave_local.log_reader import logs_of, read

WAITS = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


def _until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    limit = monotonic() + seconds
    while not true():
        assert monotonic() < limit
        sleep(0.02)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(WAITS)
    yield process
    process.kill()
    process.wait()


def _recorded(process: subprocess.Popen[bytes], off: float = 0.0) -> Recorded:
    started = children.started_at(process.pid)
    assert started is not None
    return Recorded(process.pid, started + off)


def test_a_process_that_an_ended_supervisor_left_behind_is_stopped(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    folder = Folder(tmp_path)
    folder.write_processes({"scoring-0": _recorded(stranger)})
    assert stop_left_behind(folder) == ["scoring-0"]
    assert children.started_at(stranger.pid) is None


def test_a_stranger_that_got_the_number_of_an_old_process_is_left_alone(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    folder = Folder(tmp_path)
    folder.write_processes({"scoring-0": _recorded(stranger, off=-3600), "kafka": Recorded(2**22 - 3, 1.0)})
    assert stop_left_behind(folder) == []
    assert stranger.poll() is None


def test_a_process_that_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    log = tmp_path / "deaf.log"
    child = children.start(children.Command(arguments=DEAF, log=log), grace_seconds=0.2)
    _until(lambda: log.read_bytes() == b"deaf\n")
    child.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_a_killed_process_is_replaced_and_a_stopped_one_is_not(tmp_path: Path) -> None:
    pids: list[int] = []

    def begin() -> children.Child:
        child = children.start(children.Command(arguments=WAITS, log=tmp_path / "log"))
        pids.append(child.pid)
        return child

    keeper = Keeper("scoring-0", begin, lambda: None)
    keeper.start()
    _until(lambda: len(pids) == 1)
    os.kill(pids[0], signal.SIGKILL)
    _until(lambda: len(pids) == 2)
    keeper.stop()
    keeper.join(10)
    assert keeper.restarts == 1
    assert children.started_at(pids[1]) is None


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("raise SystemExit(78)", 78, "scoring-0 ended with code 78, pid "),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "scoring-0 ended by SIGKILL, pid "),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, "scoring-0 ended by SIGTERM, pid "),
    ],
)
def test_how_a_process_ended_is_kept_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], program: str, code: int, said: str
) -> None:
    command = children.Command(arguments=[sys.executable, "-c", program], log=tmp_path / "log")
    keeper = Keeper("scoring-0", lambda: children.start(command), lambda: None)
    keeper.start()
    _until(lambda: keeper.code is not None)
    keeper.stop()
    keeper.join(10)
    assert keeper.code == code
    assert said in capsys.readouterr().out


def test_a_process_that_cannot_be_started_is_tried_again_and_the_reason_is_kept() -> None:
    def begin() -> children.Child:
        raise FileNotFoundError("no such program")

    keeper = Keeper("scoring-0", begin, lambda: None)
    keeper.start()
    _until(lambda: keeper.restarts >= 2)
    assert keeper.trouble == "no such program"
    keeper.stop()
    keeper.join(10)


def test_the_pause_before_a_restart_grows_and_is_bounded() -> None:
    pauses = [delay_seconds(ends) for ends in range(12)]
    assert pauses[0] < 0.2
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_DELAY_SECONDS


def test_only_one_supervisor_can_hold_a_folder(tmp_path: Path) -> None:
    held = Folder(tmp_path).lock()
    assert held is not None
    assert Folder(tmp_path).lock() is None
    assert Folder(tmp_path).supervised()
    held.close()
    assert not Folder(tmp_path).supervised()


def test_up_on_a_running_stack_says_so(tmp_path: Path) -> None:
    held = Folder(tmp_path).lock()
    with pytest.raises(BringUpError, match="it runs already"):
        up(Folder(tmp_path), Wish(replicas=replicas_of([])), lambda _: None)
    assert held is not None


def test_down_of_nothing_touches_nothing(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    folder = Folder(tmp_path)
    folder.write_progress(Progress("ready", "", stranger.pid))
    assert down(folder, lambda _: None) is False
    assert stranger.poll() is None


def test_logs_are_read_line_by_line_behind_the_name_of_the_process(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name, text in (("scoring-0", "one\ntwo\nhalf"), ("scoring-1", "three\n"), ("kafka", "four\n")):
        folder.log(name).parent.mkdir(exist_ok=True)
        folder.log(name).write_text(text)
    assert list(read(logs_of(folder, "scoring"), lines=1, follow=False)) == ["scoring-0 | two", "scoring-1 | three"]
    assert set(logs_of(folder, "")) == {"kafka", "scoring-0", "scoring-1"}
    assert set(logs_of(folder, "kafka")) == {"kafka"}
