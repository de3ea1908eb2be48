"""One demo from nothing to nothing: a stack of its own, the play, the report, and away with it, also after Ctrl-C or an error."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic

import httpx
import msgspec
from aiokafka.errors import KafkaError
from rich.console import Console

from nextwave_local import bringup, keys
from nextwave_local.bringup import BringUpError, Wish
from nextwave_local.demo import datasets, script, show, summary
from nextwave_local.demo.live import View
from nextwave_local.demo.owner import OwnerError
from nextwave_local.demo.report import Report
from nextwave_local.folder import Folder
from nextwave_local.layout import replicas_of

SOURCES = ("shop", "preferences", "call-centre", "care-desk", "sms-gateway")
"""Every source of the play has a write key of its own, as in a company."""
LEAD_SECONDS = 12.0
"""Business time begins when the services start; before the first row there is so much wall time for them to become ready."""
PLAIN_WIDTH = 120
"""Columns where there is no terminal."""
TROUBLES = (BringUpError, OwnerError, datasets.MissingDataError, keys.UnusableKeyError, httpx.HTTPError, KafkaError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the person asked for. `seconds` is the wall time of the clickstream; `state` None means a temporary folder."""

    seconds: float
    seed: int
    state: Path | None
    keep: bool
    report: Path | None


def run(wanted: Wanted) -> bool:
    """Whether it was finished and every sum came out."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console() if Console().is_terminal else Console(width=PLAIN_WIDTH)
    folder = _folder(wanted.state)
    finished: Report | None = None
    worth_a_look = True
    try:
        finished = _played(folder, wanted, console)
        worth_a_look = not finished.holds
    except KeyboardInterrupt:
        worth_a_look = False
        console.print("interrupted; stopping what was started")
    except TROUBLES as error:
        console.print(f"[red]the demo could not be finished:[/red] {str(error) or repr(error)}", highlight=False)
    finally:
        if finished is None or not wanted.keep:
            _clear(folder, console, forget=wanted.state is None and not worth_a_look)
    if finished is None:
        return False
    summary.show(console, finished)
    if wanted.report is not None:
        wanted.report.write_bytes(msgspec.json.format(msgspec.json.encode(finished), indent=2) + b"\n")
        console.print(f"the same as JSON: {wanted.report}", highlight=False)
    _where_next(console, folder, keep=wanted.keep)
    return finished.holds


def _played(folder: Folder, wanted: Wanted, console: Console) -> Report:
    began = monotonic()
    play = script.write(wanted.seed, datasets.clickstream(), datasets.call_curve())
    write_keys = {source: keys.create(folder.keys, keys.Name("write", source)) for source in SOURCES}
    speed = (play.last - play.first).total_seconds() / wanted.seconds
    origin = play.first - timedelta(seconds=LEAD_SECONDS * speed)
    bringup.up(folder, Wish(replicas=replicas_of([]), any_ports=True, speed=speed, origin=origin), console.print)
    stage = show.Stage(
        endpoints=msgspec.json.decode(folder.endpoints.read_bytes()),
        clock=folder.layout().clock,
        keys=write_keys,
        seed=wanted.seed,
        started_seconds=monotonic() - began,
    )
    with View(console, len(play.items)) as view:
        return asyncio.run(show.give(stage, play, view))


def _folder(state: Path | None) -> Folder:
    """A folder that no stack has used: counts and business time of an earlier run would spoil this one's."""
    if state is not None:
        return Folder(state.absolute())
    made = Path(tempfile.mkdtemp(prefix="nextwave-demo-"))
    made.chmod(0o711)  # PostgreSQL runs as another user when we are root, and must be able to pass through
    return Folder(made)


def _clear(folder: Folder, console: Console, *, forget: bool) -> None:
    try:
        bringup.down(folder, console.print)
    except BringUpError as error:
        console.print(f"[red]{error}[/red]")
        return
    if forget:
        shutil.rmtree(folder.path, ignore_errors=True)
    else:
        console.print(f"logs and data: {folder.path}", highlight=False)


def _where_next(console: Console, folder: Folder, *, keep: bool) -> None:
    if not keep:
        console.print("Where to look next: docs/demo.md explains every number; with --keep the stack goes on running and can be asked.")
        return
    endpoints = msgspec.json.decode(folder.endpoints.read_bytes())
    token = f"-H 'authorization: Bearer {endpoints['api_token']}'"
    console.print("Where to look next (the stack goes on running, and so does its fast clock):")
    for what, url in (
        ("a customer", f"{endpoints['scoring']}/v1/customers?identifier=customer_id:user_0000"),
        ("why nobody was contacted", f"{endpoints['orchestrator']}/v1/decisions?campaign=retention&code=no_consent"),
        ("what was sent", f"{endpoints['channels']}/v1/deliveries?campaign=retention"),
    ):
        console.print(f"  {what}: curl -s {token} '{url}'", highlight=False, soft_wrap=True)
    console.print(f"  stop it: nextwave down --state {folder.path}", highlight=False, soft_wrap=True)
