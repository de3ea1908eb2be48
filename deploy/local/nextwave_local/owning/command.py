"""`nextwave campaign plan|apply FOLDER`: campaigns as files in git, reviewed as a diff, applied as often as one likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import typer

from nextwave_local.bringup import state_folder
from nextwave_local.owning import changes
from nextwave_local.owning.changes import Change, Plan, RefusedError
from nextwave_local.owning.folder import FolderError, files_in

app = typer.Typer(no_args_is_help=True, help="Keep segments, templates, campaigns and policy as files, and plan or apply them.")
TIMEOUT_SECONDS = 30.0
NOTHING, FAILED, PENDING = 0, 1, 2
"""Exit codes: nothing to do or all done; refused; something to do (with --detailed-exitcode)."""

Where = Annotated[Path, typer.Argument(help="holds policy.yaml and the folders segments, templates and campaigns")]
State = Annotated[Path | None, typer.Option("--state", help="the stack that is meant; .nextwave by default")]
Url = Annotated[str, typer.Option("--orchestrator", envvar="NEXTWAVE_ORCHESTRATOR", help="another orchestrator, http://host:port")]
Token = Annotated[str, typer.Option("--token", envvar="NEXTWAVE_API_TOKEN", help="its API token; `nextwave keys create api` makes one")]
Publish = Annotated[bool, typer.Option("--publish", help="publish the campaigns that differ from their newest version")]


@app.command("plan")
def plan_folder(
    folder: Where,
    state: State = None,
    orchestrator: Url = "",
    token: Token = "",
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="exit code 2 when there is something to do")] = False,
) -> None:
    """Show what would be created, changed and published, with every finding. Exit code 1 when something is refused."""
    _, planned = _carry_out(folder, connect(state, orchestrator, token), publish=None)
    _show(planned)
    if not planned.is_sound(publish=False):
        raise typer.Exit(FAILED)
    raise typer.Exit(PENDING if detailed and not planned.is_done(publish=True) else NOTHING)


@app.command("apply")
def apply_folder(folder: Where, state: State = None, orchestrator: Url = "", token: Token = "", publish: Publish = False) -> None:
    """Write what differs, and publish it if asked to. Nothing is written when something is refused; safe to repeat."""
    done, planned = _carry_out(folder, connect(state, orchestrator, token), publish=publish)
    if not done:
        _show(planned)
        raise typer.Exit(FAILED)
    typer.echo("nothing to do" if planned.is_done(publish=publish) else "done")


def connect(state: Path | None, orchestrator: str, token: str) -> httpx.AsyncClient:
    """A client of the orchestrator that is meant: the one named, else that of the running stack."""
    endpoints = state_folder(state).endpoints
    known = json.loads(endpoints.read_text()) if endpoints.exists() else {}
    url, secret = orchestrator or known.get("orchestrator", ""), token or known.get("api_token", "")
    if not url or not secret:
        typer.echo("no stack is running here; name one with --orchestrator and --token", err=True)
        raise typer.Exit(FAILED)
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {secret}"}, timeout=TIMEOUT_SECONDS)


def _carry_out(folder: Path, client: httpx.AsyncClient, *, publish: bool | None) -> tuple[bool, Plan]:
    """Plans and, unless `publish` is None or the plan is unsound, applies; whether that was done."""

    async def work() -> tuple[bool, Plan]:
        async with client:
            files = files_in(folder)
            planned = await changes.plan(client, files)
            if publish is None or not planned.is_sound(publish=publish):
                return False, planned
            await changes.apply(client, files, planned, typer.echo, publish=publish)
            return True, planned

    try:
        return asyncio.run(work())
    except (FolderError, RefusedError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(FAILED) from None


def _show(planned: Plan) -> None:
    for one in planned.items:
        for line in _lines(one):
            typer.echo(line)
    actions = [one.action for one in planned.items]
    counted = ", ".join(f"{actions.count(action)} to {action}" for action in ("create", "change", "keep", "refuse") if action in actions)
    typer.echo(f"{counted}; {sum(one.publishes for one in planned.items)} to publish (with --publish)")
    if planned.elsewhere:
        typer.echo(f"not in this folder, and left as they are: {', '.join(planned.elsewhere)}")


def _lines(one: Change) -> Iterator[str]:
    if one.action != "keep":
        yield f"{one.action:8} {one.path or one.file}"
        yield from (f"  {line}" for line in one.diff.splitlines() if one.action == "change")
    if one.publishes:
        yield f"publish  {one.path}"
    yield from (f"  {named}" for named in (*one.faults, *one.findings))
