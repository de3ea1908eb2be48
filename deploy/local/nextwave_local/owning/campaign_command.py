"""`nextwave campaign plan|apply FOLDER`: campaigns as files in git, reviewed as a diff, applied as often as one likes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer

from nextwave_local.owning import keeping
from nextwave_local.owning.changes import Plan, ask
from nextwave_local.owning.folder import Layout
from nextwave_local.owning.keeping import Detailed, Kind, Meant, State, Token

app = typer.Typer(no_args_is_help=True, help="Keep segments, templates, campaigns and policy as files, and plan or apply them.")

Where = Annotated[Path, typer.Argument(help="holds policy.yaml and the folders segments, templates and campaigns")]
Url = Annotated[str, typer.Option("--orchestrator", envvar="NEXTWAVE_ORCHESTRATOR", help="another orchestrator, http://host:port")]
Publish = Annotated[bool, typer.Option("--publish", help="publish the campaigns that differ from their newest version")]


@app.command("plan")
def plan_folder(folder: Where, state: State = None, orchestrator: Url = "", token: Token = "", detailed: Detailed = False) -> None:
    """Show what would be created, changed and published, with every finding. Exit code 1 when something is refused."""
    keeping.plan(CAMPAIGNS, folder, Meant(state, orchestrator, token), detailed=detailed)


@app.command("apply")
def apply_folder(folder: Where, state: State = None, orchestrator: Url = "", token: Token = "", publish: Publish = False) -> None:
    """Write what differs, and publish it if asked to. Nothing is written when something is refused; safe to repeat."""
    keeping.apply(CAMPAIGNS, folder, Meant(state, orchestrator, token), publish=publish)


async def plan(client: httpx.AsyncClient, files: Mapping[str, str]) -> Plan:
    """What these files would change, as the orchestrator plans it. Raises `RefusedError`."""
    answer = await ask(client, "POST", "/v1/catalogue:plan", content=msgspec.json.encode({"files": files}))
    return msgspec.json.decode(answer.content, type=Plan)


FOLDERS = ("segments", "templates", "campaigns")
CAMPAIGNS = Kind("orchestrator", Layout(FOLDERS, f"{', '.join(FOLDERS)} and policy.yaml"), plan, publishes=True)
