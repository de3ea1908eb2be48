"""What `nextwave up` and `nextwave down` do: choose ports and clock, start the supervisor, follow it; and the way back."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic, sleep, time

from nextwave_contracts.clock import ClockSetting

from nextwave_local import children, doctor
from nextwave_local.folder import Folder, Progress
from nextwave_local.layout import DEFAULT_PORTS, READY_SECONDS, Layout, next_clock
from nextwave_local.leftovers import stop_left_behind
from nextwave_local.ports import free_ports

UP_SECONDS = 3 * READY_SECONDS
"""With the first download of the broker's jars."""
DOWN_SECONDS = 90.0

Say = Callable[[str], None]


class BringUpError(RuntimeError):
    """It cannot be brought up or down; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the person asked for."""

    replicas: dict[str, int]
    any_ports: bool = False
    speed: float = 1.0
    origin: datetime | None = None
    supervisor: str = "nextwave_local.supervisor"
    """The program that runs the stack, as a module; it is given the state folder."""


def up(folder: Folder, wish: Wish, say: Say) -> None:
    """Starts a stack and returns when all of it is ready. Raises `BringUpError`, `LayoutError`."""
    _claim(folder)
    if folder.supervised():
        raise BringUpError(
            f"it runs already: see {folder.endpoints}, or `nextwave status`; stop it with `nextwave down`."
            f" A service takes new settings from {folder.secrets} when it starts again: `nextwave restart SERVICE`"
        )
    if left := stop_left_behind(folder):
        say(f"stopped what an earlier run left behind: {', '.join(left)}")
    folder.forget_endpoints()
    layout = Layout(replicas=wish.replicas, ports=_ports(wish), clock=_clock(folder, wish))
    if wrong := [finding for finding in doctor.examine(folder.path, layout.ports) if not finding.fine]:
        raise BringUpError("\n".join(f"{finding.what}: {finding.seen}. {finding.advice}" for finding in wrong))
    folder.write_layout(layout)
    folder.clock.touch()
    command = [sys.executable, "-m", wish.supervisor, str(folder.path.resolve())]
    started = children.start(children.Command(arguments=command, log=folder.log("supervisor")))
    _follow(folder, started, say)


def down(folder: Folder, say: Say) -> bool:
    """Stops the stack; False when there was nothing to stop. Raises `BringUpError` when it does not end."""
    if not folder.path.is_dir():
        return False
    progress = folder.progress()
    if not folder.supervised() or progress is None:
        left = stop_left_behind(folder)
        folder.forget_endpoints()
        if left:
            say(f"no supervisor was left; stopped {', '.join(left)}")
        return bool(left)
    started = children.started_at(progress.pid)
    children.signal_process(progress.pid, signal.SIGTERM)
    limit = monotonic() + DOWN_SECONDS
    while folder.supervised() or (started is not None and children.started_at(progress.pid) == started):
        if monotonic() > limit:
            raise BringUpError(f"the supervisor (pid {progress.pid}) does not end; see {folder.log('supervisor')}")
        sleep(0.05)
    return True


def _claim(folder: Folder) -> None:
    """Makes the folder and looks whether files can be made in it. Raises `BringUpError`."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder.path):
            pass
    except OSError as error:
        raise BringUpError(f"{folder.path} cannot keep a stack ({error.strerror}): choose another folder with --state") from error


def _ports(wish: Wish) -> dict[str, int]:
    names = [f"{service}-{number}" for service, count in wish.replicas.items() for number in range(count)]
    names += [name for name in DEFAULT_PORTS if not name.endswith("-0")]
    fixed: Mapping[str, int] = {} if wish.any_ports else DEFAULT_PORTS
    rest = [name for name in names if name not in fixed]
    chosen = dict(zip(rest, free_ports(len(rest)), strict=True))
    return {name: fixed.get(name) or chosen[name] for name in names}


def _clock(folder: Folder, wish: Wish) -> ClockSetting:
    if not folder.clock.exists():
        return next_clock(time(), wish.speed, wish.origin, None, None)
    before = folder.layout().clock
    return next_clock(time(), wish.speed, wish.origin, before, before.at(folder.clock.stat().st_mtime))


def _follow(folder: Folder, supervisor: children.Child, say: Say) -> None:
    limit = monotonic() + UP_SECONDS
    told = ""
    while monotonic() < limit:
        progress = folder.progress()
        mine = progress if progress is not None and progress.pid == supervisor.pid else None
        if mine is not None and mine.phase == "ready":
            return
        if mine is not None and mine.phase == "starting" and mine.message != told:
            told = mine.message
            say(f"starting {told}")
        if not supervisor.running():
            raise BringUpError(_why(folder, mine))
        sleep(0.05)
    supervisor.stop()
    raise BringUpError(f"it was not ready after {UP_SECONDS:.0f} s; see {folder.path / 'logs'}")


def _why(folder: Folder, progress: Progress | None) -> str:
    progress = folder.progress() or progress
    if progress is not None and progress.phase == "failed":
        return progress.message
    return f"the supervisor ended:\n{children.last_lines(folder.log('supervisor'))}"


def state_folder(path: Path | None) -> Folder:
    """The folder named by `--state`, or `.nextwave` where the person is."""
    return Folder((path or Path(".nextwave")).absolute())
