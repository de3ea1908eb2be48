"""`nextwave sent`: the newest message that the simulated providers took, as the person to whom it went sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from nextwave_local.bringup import state_folder

TIMEOUT_SECONDS = 10.0


def sent(
    to: Annotated[str, typer.Option("--to", help="address or number of the person; anybody if left out")] = "",
    state: Annotated[Path | None, typer.Option("--state", help="the stack that is meant; .nextwave by default")] = None,
) -> None:
    """Show the newest mail, text or spoken call that the simulated providers took, with its links. Exit code 1 when there is none."""
    endpoints = state_folder(state).endpoints
    url = json.loads(endpoints.read_text()).get("simulator", "") if endpoints.exists() else ""
    if not url:
        _fail("no stack is running here; --state names another folder")
    try:
        found = httpx.get(f"{url}/messages", params={"to": to}, timeout=TIMEOUT_SECONDS).raise_for_status().json()["items"]
    except httpx.HTTPError as error:
        _fail(f"the simulator at {url} does not answer: {error!r}")
    if not found:
        _fail(f"nothing was sent to {to or 'anybody'} that the simulated providers still keep (the newest 4 MB since they started)")
    for line in _lines(found[0]):
        typer.echo(line)


def _lines(message: dict[str, Any]) -> Iterator[str]:
    yield f"{message['kind']} to {message['to']}, taken by {message['provider']} at {message['at']}, action {message['action_id']}"
    yield from (f"  {name:12} {link}" for name, link in message["links"].items())
    yield ""
    yield message["content"]


def _fail(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)
