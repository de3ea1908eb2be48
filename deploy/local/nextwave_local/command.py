"""The `nextwave` command: the one-machine stack, its keys, topics and health."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Annotated

import msgspec
import typer

from nextwave_local import bringup, doctor, key_command, log_reader, topic_command
from nextwave_local.bringup import BringUpError, Wish, state_folder
from nextwave_local.demo import command as demo_command
from nextwave_local.layout import DEFAULT_PORTS, LayoutError, replicas_of
from nextwave_local.learning import command as learning_command
from nextwave_local.owning import campaign_command, mapping_command
from nextwave_local.restarting import restart as restart_service
from nextwave_local.sent import sent
from nextwave_local.status import Status, status_of

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Nextwave on this machine.")
app.add_typer(key_command.app, name="keys")
app.add_typer(topic_command.app, name="topics")
app.add_typer(learning_command.app, name="models")
app.add_typer(campaign_command.app, name="campaign")
app.add_typer(mapping_command.app, name="mapping")
app.command("demo")(demo_command.demo)
app.command()(sent)
app.command("train")(learning_command.train)
app.command("evaluate")(learning_command.evaluate)

State = Annotated[Path | None, typer.Option("--state", help="folder that keeps everything of this stack; .nextwave by default")]

RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")
"""Narrower than what Python reads, which takes dates alone and times without a zone."""


@app.command()
def up(
    state: State = None,
    ports: Annotated[str, typer.Option(help="`auto`: any free ports; `fixed`: 7401 to 7408")] = "fixed",
    speed: Annotated[float, typer.Option(min=0.001, max=1_000_000, help="business seconds per second")] = 1.0,
    origin: Annotated[str | None, typer.Option("--from", help="business instant to begin at, RFC 3339")] = None,
    replicas: Annotated[list[str] | None, typer.Option(help="SERVICE=N, may be repeated; 0 leaves a service out")] = None,
) -> None:
    """Start Kafka, PostgreSQL, the four services and the provider simulator; return when all are ready."""
    folder = state_folder(state)
    began = monotonic()
    try:
        wish = Wish(replicas=replicas_of(replicas or []), any_ports=_any_ports(ports), speed=speed, origin=_instant(origin))
        bringup.up(folder, wish, typer.echo)
    except (BringUpError, LayoutError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        bringup.down(folder, typer.echo)
        _fail("interrupted; what had started is stopped")
    except PermissionError as error:
        _fail(f"{error.filename} cannot be written: choose a folder of yours with --state")
    typer.echo(f"ready in {monotonic() - began:.1f} s; where everything is: {folder.endpoints}; for a shell: . {folder.variables}")


@app.command()
def down(state: State = None) -> None:
    """Stop everything cleanly; the state stays."""
    folder = state_folder(state)
    try:
        stopped = bringup.down(folder, typer.echo)
    except BringUpError as error:
        _fail(str(error))
    typer.echo("stopped" if stopped else f"nothing was running in {folder.path}; --state names another folder")


@app.command()
def restart(
    service: Annotated[str, typer.Argument(help="for instance ingest, scoring-1, simulator")],
    state: State = None,
) -> None:
    """End a service politely and start it with the settings of now; return when it is ready. Replicas one after the other."""
    try:
        restart_service(state_folder(state), service, typer.echo)
    except BringUpError as error:
        _fail(str(error))


@app.command()
def status(state: State = None, as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """Show what runs, since when, with how much memory. Exit code 1 when not all is ready."""
    found = status_of(state_folder(state))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        _show(found)
    raise typer.Exit(0 if found.ready else 1)


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="for instance scoring, scoring-1, kafka; empty: all")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on as more is written")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="lines of each to begin with")] = 50,
    state: State = None,
) -> None:
    """Show what the processes printed, each line behind the name of its process."""
    folder = state_folder(state)
    found = log_reader.logs_of(folder, service)
    if not found:
        there = ", ".join(log_reader.logs_of(folder, "")) or "none at all"
        _fail(f"there is no log of {service or 'anything'} in {folder.path / 'logs'}; there are: {there}")
    try:
        for line in log_reader.read(found, lines=lines, follow=follow):
            typer.echo(line)
    except (KeyboardInterrupt, BrokenPipeError):
        raise typer.Exit from None


@app.command("doctor")
def examine(state: State = None) -> None:
    """Check whether a stack can run here, and say what to do where it cannot."""
    folder = state_folder(state)
    running = folder.supervised()
    findings = doctor.examine(folder.path, {} if running else DEFAULT_PORTS)
    for finding in findings:
        typer.echo(f"{'ok ' if finding.fine else 'NO '} {finding.what}: {finding.seen}" + (f". {finding.advice}" if finding.advice else ""))
    if running:
        typer.echo("ok  ports: not looked at, since this stack is running")
    raise typer.Exit(0 if all(finding.fine for finding in findings) else 1)


def _show(found: Status) -> None:
    typer.echo(found.summary)
    for name, process in sorted(found.processes.items()):
        memory = f"{process.memory_bytes / 1e6:6.0f} MB" if process.running else "  ended  "
        typer.echo(f"  {name:16} pid {process.pid:<8} {memory}  {process.url}")


def _any_ports(text: str) -> bool:
    if text not in ("auto", "fixed"):
        raise LayoutError(f"--ports {text!r}: write auto or fixed")
    return text == "auto"


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError:
        pass  # of that form, but no instant: a 13th month
    raise LayoutError(f"--from {text!r}: write date, time and zone like 2026-01-31T08:00:00Z or 2026-01-31T09:00:00+01:00")


def _fail(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
