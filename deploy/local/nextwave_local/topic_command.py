"""`nextwave topics`: what must change on a broker so that the topics are as the contracts say, and doing it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextwave_local.bringup import state_folder

if TYPE_CHECKING:
    from nextwave_local.topics import Step

app = typer.Typer(no_args_is_help=True, help="Plan or make the topics on a broker.")

State = Annotated[Path | None, typer.Option("--state", help="the stack whose broker is meant; .nextwave by default")]
Kafka = Annotated[str, typer.Option("--kafka", envvar="NEXTWAVE_KAFKA", help="another broker, host:port")]
Partitions = Annotated[int, typer.Option(min=1, help="of every topic; cannot be changed later")]
Replication = Annotated[int, typer.Option(min=1, help="copies of every partition; 3 in production")]


@app.command()
def plan(state: State = None, kafka: Kafka = "", partitions: Partitions = 4, replication: Replication = 1) -> None:
    """Show what would be done. Exit code 2 when there is something to do."""
    steps = _run("pending", _bootstrap(state, kafka), partitions, replication)
    _show(steps)
    raise typer.Exit(1 if any(step.action == "refuse" for step in steps) else 2 if steps else 0)


@app.command()
def apply(state: State = None, kafka: Kafka = "", partitions: Partitions = 4, replication: Replication = 1) -> None:
    """Do it; safe to repeat."""
    _show(_run("apply", _bootstrap(state, kafka), partitions, replication))


def _run(what: str, bootstrap: str, partitions: int, replication: int) -> Sequence[Step]:
    admin = import_module("nextwave_local.topics_admin")  # loaded when it is used: the other commands start faster without it
    errors = import_module("aiokafka.errors")
    work: Any = getattr(admin, what)(bootstrap, partitions=partitions, replication=replication)
    try:
        steps: Sequence[Step] = asyncio.run(work)
    except (admin.TopicsError, errors.KafkaError, OSError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(1) from None
    return steps


def _show(steps: Sequence[Step]) -> None:
    for step in steps:
        typer.echo(f"{step.action:9} {step.topic:26} {step.reason}")
    if not steps:
        typer.echo("all topics are as they must be")


def _bootstrap(state: Path | None, kafka: str) -> str:
    endpoints = state_folder(state).endpoints
    if kafka:
        return kafka
    if not endpoints.exists():
        typer.echo("no stack is running here; name a broker with --kafka host:port", err=True)
        raise typer.Exit(1)
    return str(json.loads(endpoints.read_text())["kafka"])
