"""What `plan` and `apply` do alike for every kind of folder: find the service, read, plan, show, write, and end with an exit code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import httpx
import typer

from nextwave_local.bringup import state_folder
from nextwave_local.owning import changes
from nextwave_local.owning.changes import Change, Plan, RefusedError
from nextwave_local.owning.folder import FolderError, Layout, files_in

TIMEOUT_SECONDS = 30.0
NOTHING, FAILED, PENDING = 0, 1, 2
"""Exit codes: nothing to do or all done; refused; something to do (with --detailed-exitcode)."""
WRONG = 2
"""Exit code of a trial that did not come about: the input is wrong, or nobody answers."""
T = TypeVar("T")

State = Annotated[Path | None, typer.Option("--state", help="the stack that is meant; .nextwave by default")]
Token = Annotated[str, typer.Option("--token", envvar="NEXTWAVE_API_TOKEN", help="its API token; `nextwave keys create api` makes one")]
Detailed = Annotated[bool, typer.Option("--detailed-exitcode", help="exit code 2 when there is something to do")]


class Meant(NamedTuple):
    """The service that is meant: that of the stack of a state folder, or what is named by its address and token."""

    state: Path | None
    url: str
    token: str


@dataclass(frozen=True)
class Kind:
    """A kind of folder: the service that it is applied to, what lies where in it, and how it is planned."""

    service: str
    layout: Layout
    plan: Callable[[httpx.AsyncClient, Mapping[str, str]], Awaitable[Plan]]
    publishes: bool = False
    retires: bool = False
    """What has no file may be taken out of force, if asked for (`--prune`)."""


def plan(kind: Kind, folder: Path, meant: Meant, *, detailed: bool) -> None:
    """Shows what would be done. Ends the command: `FAILED` when something is refused."""

    async def planned(client: httpx.AsyncClient) -> Plan:
        return await kind.plan(client, files_in(folder, kind.layout))

    found = reach(kind.service, meant, planned)
    _show(kind, found)
    if not found.is_sound(publish=False):
        raise typer.Exit(FAILED)
    raise typer.Exit(PENDING if detailed and not found.is_done(publish=True) else NOTHING)


def apply(kind: Kind, folder: Path, meant: Meant, *, publish: bool = False) -> None:
    """Writes what differs, or nothing where something is refused. Ends the command with `FAILED` then."""

    async def applied(client: httpx.AsyncClient) -> Plan:
        files = files_in(folder, kind.layout)
        planned = await kind.plan(client, files)
        if planned.is_sound(publish=publish):
            await changes.apply(client, files, planned, typer.echo, publish=publish)
        return planned

    found = reach(kind.service, meant, applied)
    if not found.is_sound(publish=publish):
        _show(kind, found)
        raise typer.Exit(FAILED)
    typer.echo("nothing to do" if found.is_done(publish=publish) else "done")
    _show_elsewhere(kind, found)


def reach(service: str, meant: Meant, work: Callable[[httpx.AsyncClient], Awaitable[T]], *, failed: int = FAILED) -> T:
    """What `work` makes of the service. Ends the command with `failed` where that is refused, with the reason."""

    async def reached() -> T:
        async with connect(service, meant) as client:
            return await work(client)

    try:
        return asyncio.run(reached())
    except (FolderError, RefusedError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(failed) from None


def connect(service: str, meant: Meant) -> httpx.AsyncClient:
    """A client of the service that is meant."""
    endpoints = state_folder(meant.state).endpoints
    known = json.loads(endpoints.read_text()) if endpoints.exists() else {}
    url, secret = meant.url or known.get(service, ""), meant.token or known.get("api_token", "")
    if not url or not secret:
        raise RefusedError(f"no stack is running here; name one with --{service} and --token")
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {secret}"}, timeout=TIMEOUT_SECONDS)


def _show(kind: Kind, planned: Plan) -> None:
    for one in planned.items:
        for line in _lines(one):
            typer.echo(line)
    actions = [one.action for one in planned.items]
    counted = ", ".join(
        f"{actions.count(action)} to {action}" for action in ("create", "change", "keep", "retire", "refuse") if action in actions
    )
    typer.echo(counted + (f"; {sum(one.publishes for one in planned.items)} to publish (with --publish)" if kind.publishes else ""))
    _show_elsewhere(kind, planned)


def _show_elsewhere(kind: Kind, planned: Plan) -> None:
    if planned.elsewhere:
        way = " (--prune retires them)" if kind.retires else ""
        typer.echo(f"not in this folder, and left as they are: {', '.join(planned.elsewhere)}{way}")


def _lines(one: Change) -> Iterator[str]:
    if one.action != "keep":
        yield f"{one.action:8} {one.file if one.action == 'refuse' else one.path}" + (f": {one.note}" if one.note else "")
        yield from (f"  {line}" for line in one.diff.splitlines() if one.action == "change")
    if one.publishes:
        yield f"publish  {one.path}"
    yield from (f"  {named}" for named in (*one.faults, *one.findings))
