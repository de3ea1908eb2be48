"""Clock jumps seen from inside a process like ours: uvloop, asyncio, threads; the wall clock is bent and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from faults.means import clocks

BENT = 26 * 3600
LATE_SECONDS = 2.0
"""What a busy machine may add to every figure."""
SMALL = 90

INSIDE = """
import asyncio, json, queue, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
import uvloop

def read():
    boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    return {"wall": time.time(), "date": datetime.now(UTC).timestamp(), "mono": time.monotonic(), "boot": boot}

def lasted(wait):
    began = time.monotonic()
    wait()
    return time.monotonic() - began

def condition(seconds):
    one = threading.Condition()
    with one:
        one.wait(seconds)

def empty(seconds):
    try:
        queue.Queue().get(timeout=seconds)
    except queue.Empty:
        pass

async def limit(seconds):
    try:
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
    except TimeoutError:
        pass

async def waits(seconds):
    loop, began = asyncio.get_running_loop(), time.monotonic()
    with ThreadPoolExecutor() as pool:
        threads = [loop.run_in_executor(pool, lasted, lambda wait=wait: wait(seconds)) for wait in (time.sleep, condition, empty)]
        await asyncio.gather(asyncio.sleep(seconds), limit(seconds))
        return {"loop": time.monotonic() - began, **dict(zip(("sleep", "condition", "queue"), await asyncio.gather(*threads)))}

async def live():
    for line in sys.stdin:
        seconds = float(line)
        print(json.dumps(await waits(seconds) if seconds else read()), flush=True)

uvloop.run(live())
"""


class Bent:
    """A process whose clock follows `file`."""

    def __init__(self, process: subprocess.Popen[str], file: Path) -> None:
        self.process = process
        self.file = file

    def ask(self, seconds: float) -> None:
        """Waits of so many seconds in loop and threads; 0 for a reading of the clocks."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()

    def told(self) -> dict[str, float]:
        assert self.process.stdout is not None
        found: dict[str, float] = json.loads(self.process.stdout.readline())
        return found

    def read(self) -> dict[str, float]:
        self.ask(0)
        return self.told()

    def seen(self, offset: float) -> float:
        """Seconds until the wall clock is `offset` from the true one."""
        began = time.monotonic()
        while abs(self.read()["wall"] - time.time() - offset) > LATE_SECONDS:
            assert time.monotonic() - began < 10
            time.sleep(0.01)
        return time.monotonic() - began


@contextmanager
def running(file: Path) -> Iterator[Bent]:
    environment = {**os.environ, **clocks.environment(file)}
    with subprocess.Popen(
        [sys.executable, "-c", INSIDE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield Bent(process, file)
        finally:
            process.kill()
            process.wait()
            clocks.sweep()


@pytest.fixture(scope="module")
def bent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bent]:
    """One process for the tests of this file; each sets the clock right again."""
    with running(tmp_path_factory.mktemp("clock") / "offset") as process:
        yield process


@pytest.fixture(autouse=True)
def _right_again(bent: Bent) -> Iterator[None]:
    clocks.jump(bent.file, 0)
    bent.seen(0)
    yield
    clocks.jump(bent.file, 0)


@pytest.mark.parametrize("offset", [BENT, -BENT, SMALL])
def test_the_wall_clock_follows_a_jump_and_its_taking_back_within_about_a_second(bent: Bent, offset: float) -> None:
    clocks.jump(bent.file, offset)
    assert bent.seen(offset) < clocks.SEEN_SECONDS + LATE_SECONDS
    reading = bent.read()
    assert abs(reading["date"] - time.time() - offset) < LATE_SECONDS
    clocks.jump(bent.file, 0)
    assert bent.seen(0) < clocks.SEEN_SECONDS + LATE_SECONDS


@pytest.mark.parametrize("offset", [BENT, -BENT])
def test_monotonic_clocks_do_not_notice(bent: Bent, offset: float) -> None:
    before, began = bent.read(), time.monotonic()
    clocks.jump(bent.file, offset)
    bent.seen(offset)
    after, passed = bent.read(), time.monotonic() - began
    assert after["mono"] - before["mono"] == pytest.approx(passed, abs=LATE_SECONDS)
    assert after["boot"] - before["boot"] == pytest.approx(passed, abs=LATE_SECONDS)
    assert after["mono"] == pytest.approx(time.monotonic(), abs=LATE_SECONDS)


@pytest.mark.skipif(not sysconfig.get_config_var("HAVE_SEM_CLOCKWAIT"), reason="this Python's locks wait by the wall clock, jumps or not")
@pytest.mark.parametrize("offset", [BENT, -BENT])
def test_sleeps_and_time_outs_of_loops_and_threads_last_as_long_as_they_should_over_a_jump(bent: Bent, offset: float) -> None:
    wait_seconds = clocks.SEEN_SECONDS + 0.5
    bent.ask(wait_seconds)
    time.sleep(0.1)
    clocks.jump(bent.file, offset)
    for what, lasted in bent.told().items():
        assert wait_seconds - 0.01 <= lasted < wait_seconds + LATE_SECONDS, what
    assert abs(bent.read()["wall"] - time.time() - offset) < LATE_SECONDS
    bent.ask(0.1)
    assert all(0.09 <= lasted < 0.1 + LATE_SECONDS for lasted in bent.told().values())


def test_a_process_that_nobody_bends_has_the_true_time(tmp_path: Path) -> None:
    with running(tmp_path / "never written") as process:
        assert abs(process.read()["wall"] - time.time()) < LATE_SECONDS


def test_a_process_that_starts_after_a_jump_starts_at_the_bent_time(tmp_path: Path) -> None:
    clocks.jump(tmp_path / "offset", BENT)
    with running(tmp_path / "offset") as process:
        assert abs(process.read()["wall"] - time.time() - BENT) < LATE_SECONDS


def test_what_killed_processes_left_in_shared_memory_is_swept_and_nothing_of_the_living(bent: Bent, tmp_path: Path) -> None:
    bent.read()
    with running(tmp_path / "offset") as process:
        process.read()
        assert left(process) == left(bent) == 2
    assert (left(process), left(bent)) == (0, 2)


def left(bent: Bent) -> int:
    return len(list(clocks.SHARED.glob(f"*faketime_*_{bent.process.pid}")))


def test_a_library_for_another_processor_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_bytes(bytes(20))
    monkeypatch.setattr(sys, "executable", str(other))
    with pytest.raises(clocks.ClockError, match="processor"):
        clocks.environment(tmp_path / "offset")


def test_nothing_of_the_package_is_imported(tmp_path: Path) -> None:
    clocks.environment(tmp_path / "offset")
    found: dict[str, Any] = sys.modules
    assert "libfaketime" not in found
