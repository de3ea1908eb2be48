"""The options of the learning commands as values: each is declared once, and a command takes a few values instead of many options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer


@dataclass(frozen=True, slots=True)
class Source:
    """Where the history comes from, and how far it looks ahead."""

    data: Annotated[str, typer.Option("--data", help="real data by name: cdnow, wa_churn")] = ""
    export: Annotated[Path | None, typer.Option("--export", help="touchpoints as .csv or JSON lines: customer, occurred_at, type ...")] = (
        None
    )
    kafka: Annotated[str, typer.Option("--kafka", help="host:port of a broker: its topic of touchpoints is read")] = ""
    columns: Annotated[str, typer.Option("--columns", help="names in the export, e.g. customer=client,occurred_at=date")] = ""
    type: Annotated[str, typer.Option("--type", help="type of all rows of an export that has none, e.g. order.placed")] = ""
    horizon: Annotated[int | None, typer.Option("--horizon", min=1, help="days that the risk looks ahead, 45 where nothing is said")] = None
    until: Annotated[str, typer.Option("--until", help="first day after the checking window; the day after the last event by default")] = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """How models are chosen, and how the outcome is told."""

    kind: Annotated[str, typer.Option("--kind", help="auto, logistic or lightgbm")] = "auto"
    plot: Annotated[Path | None, typer.Option("--plot", help="write calibration and lift as PNG into this file")] = None
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False


@dataclass(frozen=True, slots=True)
class Shelving:
    """Where the model goes, and what it is used for."""

    models: Annotated[
        Path | None,
        typer.Option("--models", envvar="NEXTWAVE_MODELS_FOLDER", help="the folder of models; the stack's own by default"),
    ] = None
    name: Annotated[str, typer.Option("--name", help="name of the model; its version is counted on")] = "churn"
    role: Annotated[str, typer.Option("--role", help="shadow, live or off")] = "shadow"
    force: Annotated[str, typer.Option("--force", help="why it may be live without beating the baseline; written on its card")] = ""


def taking(**groups: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a command of a function that takes such values: their fields become its options."""

    def command(function: Callable[..., None]) -> Callable[..., None]:
        def run(**options: Any) -> None:
            function(**{name: group(**_part(group, options)) for name, group in groups.items()})

        hints = {name: hint for group in groups.values() for name, hint in get_type_hints(group, include_extras=True).items()}
        declared = [
            Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
            for group in groups.values()
            for field in fields(group)
        ]
        run.__signature__ = Signature(declared)  # type: ignore[attr-defined]
        run.__annotations__ = hints
        run.__doc__ = function.__doc__
        return run

    return command


def _part(group: type, options: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: options[field.name] for field in fields(group)}
