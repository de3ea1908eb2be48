"""`nextwave demo`: brings a stack of its own up, gives the play, reports, and clears away, also after Ctrl-C or an error."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated

import httpx
import msgspec
import typer
from rich.console import Console

from nextwave_local import bringup, keys
from nextwave_local.bringup import BringUpError, Wish
from nextwave_local.demo import datasets, script, show, summary
from nextwave_local.demo.live import View
from nextwave_local.demo.owner import OwnerError
from nextwave_local.demo.report import Report
from nextwave_local.demo.script import Script
from nextwave_local.folder import Folder
from nextwave_local.layout import replicas_of

SOURCES = ("shop", "preferences", "call-centre", "care-desk", "sms-gateway")
"""Every source of the play has a write key of its own, as in a company."""
LEAD_SECONDS = 12.0
"""Business time begins when the services start; before the first row there is so much wall time for them to become ready."""
SHORTEST_SECONDS, LONGEST_SECONDS = 20.0, 3600.0


def demo(
    report: Annotated[Path | None, typer.Option(help="write the report as JSON into this file, too")] = None,
    seconds: Annotated[float, typer.Option(min=SHORTEST_SECONDS, max=LONGEST_SECONDS, help="wall time of the half year")] = 125.0,
    seed: Annotated[int, typer.Option(help="another seed, other people")] = 7,
    state: Annotated[Path | None, typer.Option("--state", help="a new or empty folder; else a temporary one")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="leave the stack running, to look at it")] = False,
) -> None:
    """Replay half a year of a shop in two minutes through a stack of its own, and report. Exit code 1 when a sum does not come out."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    folder = _folder(state)
    finished: Report | None = None
    try:
        finished = _run(folder, seconds, seed, console)
    except KeyboardInterrupt:
        console.print("interrupted")
    except (BringUpError, OwnerError, datasets.MissingDataError, keys.UnusableKeyError, httpx.HTTPError, OSError) as error:
        console.print(f"[red]the demo could not be finished:[/red] {str(error) or repr(error)}" or repr(error), highlight=False)
    finally:
        _clear(folder, console, keep=keep and finished is not None, forget=state is None and finished is not None and finished.holds)
    if finished is not None:
        summary.show(console, finished)
        _where_next(console, folder, keep=keep)
        if report is not None:
            report.write_bytes(msgspec.json.format(msgspec.json.encode(finished), indent=2) + b"\n")
            console.print(f"the same as JSON: {report}", highlight=False)
    raise typer.Exit(0 if finished is not None and finished.holds else 1)


def _run(folder: Folder, seconds: float, seed: int, console: Console) -> Report:
    began = monotonic()
    play = script.write(seed, datasets.clickstream(), datasets.call_curve())
    write_keys = {source: keys.create(folder.keys, keys.Name("write", source)) for source in SOURCES}
    speed = (play.last - play.first).total_seconds() / seconds
    origin = play.first - timedelta(seconds=LEAD_SECONDS * speed)
    bringup.up(folder, Wish(replicas=replicas_of([]), any_ports=True, speed=speed, origin=origin), console.print)
    stage = show.Stage(
        endpoints=msgspec.json.decode(folder.endpoints.read_bytes()),
        clock=folder.layout().clock,
        keys=write_keys,
        seed=seed,
        started_seconds=monotonic() - began,
    )
    with View(console, len(play.items)) as view:
        return asyncio.run(_given(stage, play, view))


async def _given(stage: show.Stage, play: Script, view: View) -> Report:
    return await show.give(stage, play, view)


def _folder(state: Path | None) -> Folder:
    """A folder that no stack has used: counts and business time of an earlier run would spoil this one's."""
    if state is None:
        made = Path(tempfile.mkdtemp(prefix="nextwave-demo-"))
        made.chmod(0o711)  # PostgreSQL runs as another user when we are root, and must be able to pass through
        return Folder(made)
    if state.exists() and any(state.iterdir()):
        raise typer.BadParameter("it must be new or empty", param_hint="--state")
    return Folder(state.absolute())


def _clear(folder: Folder, console: Console, *, keep: bool, forget: bool) -> None:
    if keep:
        return
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
