"""`nextwave mapping plan|apply FOLDER` and `try FILE`: mappings as files in git, reviewed as a diff, applied as often as one likes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import httpx
import msgspec
import typer

from nextwave_local.owning import keeping
from nextwave_local.owning.changes import Plan, ask
from nextwave_local.owning.folder import Layout
from nextwave_local.owning.keeping import FAILED, NOTHING, WRONG, Detailed, Kind, Meant, State, Token

app = typer.Typer(no_args_is_help=True, help="Keep mappings of foreign systems as files, and plan, apply or try them.")

Where = Annotated[Path, typer.Argument(help="holds a file NAME.yaml (or .json) for each mapping")]
Url = Annotated[str, typer.Option("--ingest", envvar="NEXTWAVE_INGEST", help="another ingest, http://host:port")]
Sample = Annotated[Path, typer.Option("--sample", help="what the system would post")]
Headers = Annotated[list[str] | None, typer.Option("--header", help="NAME: VALUE that comes with it, may be repeated")]
Prune = Annotated[bool, typer.Option("--prune", help="retire what was written and is not in the folder")]


@app.command("plan")
def plan_folder(  # noqa: PLR0913  (each parameter is an option of the command line)
    folder: Where, *, state: State = None, ingest: Url = "", token: Token = "", detailed: Detailed = False, prune: Prune = False
) -> None:
    """Show what would be created, changed and retired, with every fault. Exit code 1 when something is refused."""
    keeping.plan(_mappings_of(prune=prune), folder, Meant(state, ingest, token), detailed=detailed)


@app.command("apply")
def apply_folder(folder: Where, state: State = None, ingest: Url = "", token: Token = "", prune: Prune = False) -> None:
    """Write what differs, in force at once. Nothing is written when something is refused; safe to repeat."""
    keeping.apply(_mappings_of(prune=prune), folder, Meant(state, ingest, token))


@app.command("try")
def try_file(  # noqa: PLR0913  (each parameter is an option of the command line)
    file: Annotated[Path, typer.Argument(help="a mapping, which need not be applied")],
    *,
    sample: Sample,
    header: Headers = None,
    state: State = None,
    ingest: Url = "",
    token: Token = "",
) -> None:
    """Print as JSON what a mapping would make of a body: touchpoints, refusals, and which rule held why. Nothing is kept.

    Exit code 1 when something of the body is refused, 2 when it could not be tried: the file is no mapping, or nobody answers.
    """

    async def tried(client: httpx.AsyncClient) -> bytes:
        trial = _mappings().trial(file, sample, header or [])
        return (await ask(client, "POST", "/v1/mappings:try", content=msgspec.json.encode(trial))).content

    told = keeping.reach("ingest", Meant(state, ingest, token), tried, failed=WRONG)
    typer.echo(msgspec.json.format(told, indent=2))
    found = msgspec.json.decode(told)
    refused = found["refusals"] or any(item["refusals"] for item in found["items"])
    raise typer.Exit(FAILED if refused else NOTHING)


async def plan(client: httpx.AsyncClient, files: Mapping[str, str], *, prune: bool = False) -> Plan:
    """What these files would change; with `prune` what has no file is retired. Raises `RefusedError`."""
    held = {}
    for one in (await ask(client, "GET", "/v1/mappings")).json()["items"]:
        answer = await ask(client, "GET", f"/v1/mappings/{one['name']}")
        held[one["name"]] = _mappings().Held(answer.content, int(answer.headers["etag"].strip('W/"')), one["shipped"])
    planned: Plan = _mappings().plan(files, held, prune=prune)
    return planned


def _mappings() -> ModuleType:
    """Loaded when it is used: all other commands start in a fraction of the time without it."""
    return import_module("nextwave_local.owning.mappings")


def _mappings_of(*, prune: bool) -> Kind:
    return Kind("ingest", Layout((), "NAME.yaml for each mapping"), partial(plan, prune=prune), retires=True)
