"""`nextwave demo`: the options, and what they mean; the run itself is loaded when it is asked for."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

SHORTEST_SECONDS, LONGEST_SECONDS = 20.0, 3600.0


def demo(
    report: Annotated[Path | None, typer.Option(help="write the report as JSON into this file, too")] = None,
    seconds: Annotated[float, typer.Option(min=SHORTEST_SECONDS, max=LONGEST_SECONDS, help="wall time of the half year")] = 130.0,
    seed: Annotated[int, typer.Option(help="another seed, other people")] = 7,
    state: Annotated[Path | None, typer.Option("--state", help="a new or empty folder; else a temporary one")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="leave the stack running, to look at it")] = False,
) -> None:
    """Replay half a year of a shop in two minutes through a stack of its own, and report. Exit code 1 when a sum does not come out."""
    if state is not None and state.exists() and (not state.is_dir() or any(state.iterdir())):
        raise typer.BadParameter("it must be a new or an empty folder", param_hint="--state")
    if report is not None and (why := _why_unwritable(report)):
        raise typer.BadParameter(f"{report} cannot be written: {why}", param_hint="--report")
    run = import_module("nextwave_local.demo.run")  # loaded when it is used: the other commands start faster without it
    wanted = run.Wanted(seconds=seconds, seed=seed, state=state, keep=keep, report=report)
    raise typer.Exit(0 if run.run(wanted) else 1)


def _why_unwritable(file: Path) -> str:
    """Why a file cannot be written, empty when it can; looked at before the run, since its numbers cannot be had again."""
    if file.is_dir():
        return "it is a folder"
    if file.exists():
        return "" if os.access(file, os.W_OK) else "it may not be changed"
    try:
        file.touch()
        file.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""
