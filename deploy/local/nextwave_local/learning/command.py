"""`nextwave evaluate`, `nextwave train` and `nextwave models`: what is asked for, and what is wrong with it; the work is loaded late."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from nextwave_scoring.churn.card import Card, CardError
from nextwave_scoring.instants import DAY, micros

from nextwave_local.bringup import state_folder
from nextwave_local.learning.history import History, InputError
from nextwave_local.learning.options import Shelving, Source, Telling, taking

if TYPE_CHECKING:
    from nextwave_local.learning.named import Dated, Labelled
    from nextwave_local.learning.trial import Trial

HORIZON_DAYS = 45
REFUSED, WRONG_INPUT = 1, 2
ROLES, KINDS = ("live", "shadow", "off"), ("auto", "logistic", "lightgbm")
Folder = Annotated[
    Path | None, typer.Option("--models", envvar="NEXTWAVE_MODELS_FOLDER", help="the folder of models; the stack's own by default")
]
app = typer.Typer(no_args_is_help=True, help="Show the trained models, and say what each is used for.")


@taking(source=Source, telling=Telling)
def evaluate(source: Source, telling: Telling) -> None:
    """Learn before a day, judge by what came after it, compare with the baseline and the best silence rule. Changes nothing."""
    try:
        _tell(_tried(source, telling), telling)
    except InputError as wrong:
        _fail(str(wrong), WRONG_INPUT)


@taking(source=Source, telling=Telling, shelving=Shelving)
def train(source: Source, telling: Telling, shelving: Shelving) -> None:
    """Do as `evaluate` does, and put the model on the shelf. Exit code 1 when it may not be live: it does not beat the baseline."""
    shelf = import_module("nextwave_local.learning.shelf")
    try:
        _among("--role", shelving.role, ROLES)
        shelf.check_name(shelving.name)
        trial = _tried(source, telling)
        _tell(trial, telling)
        card = shelf.put(_models(shelving.models), trial, shelving.name, shelving.role, shelving.force)
    except InputError as wrong:
        _fail(str(wrong), WRONG_INPUT)
    except CardError as refused:
        advice = "--role shadow lets it run beside what is live, --kind and a longer history may find a better one"
        _fail(f"{refused}. Nothing was shelved: {advice}, --force 'why' makes it live all the same", REFUSED)
    typer.echo(f"{card.full_name} is {card.role} in {_models(shelving.models)}", err=True)


@app.command("list")
def show(models: Folder = None, as_json: Annotated[bool, typer.Option("--json", help="the whole cards, as JSON")] = False) -> None:
    """List the models with their role and measures. What the service refuses is told beside them, with the reason."""
    folders, msgspec = import_module("nextwave_scoring.registry.folder"), import_module("msgspec")
    shelf = folders.read_shelf(_models(models))
    cards = [card for card, _ in shelf.models]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(cards), indent=2).decode())
    else:
        for card in cards:
            typer.echo(_line(card))
    for refusal in shelf.refused:
        typer.echo(f"{_models(models) / refusal.folder} is refused: {refusal.reason}; mend it, or move the folder away", err=True)


@app.command("role")
def give_role(
    model: Annotated[str, typer.Argument(help="name@version")],
    role: Annotated[str, typer.Argument(help="live, shadow or off")],
    models: Folder = None,
    force: Annotated[str, typer.Option("--force", help="why it may be live without beating the baseline")] = "",
) -> None:
    """Put a model live (the one before is off then), make it a shadow, or turn it off. A running service takes it over in seconds."""
    shelf = import_module("nextwave_local.learning.shelf")
    try:
        _among("role", role, ROLES)
        card = shelf.give_role(_models(models), model, role, force)
    except InputError as wrong:
        _fail(str(wrong), WRONG_INPUT)
    except CardError as refused:
        _fail(f"{refused}: give the reason with --force", REFUSED)
    typer.echo(f"{card.full_name} is {card.role}")


def _line(card: Card) -> str:
    told = {judge: f"{found.auc:.4f}" for judge, found in card.metrics.items()}
    measured = f"AUC {told.get('model', 'not told')} (baseline {told.get('baseline', 'not told')})"
    return f"{card.full_name:24} {card.role:7} {card.kind:9} {measured}  {card.data}" + (f"  forced: {card.forced}" if card.forced else "")


def _tried(source: Source, telling: Telling) -> Trial:
    _among("--kind", telling.kind, KINDS)
    if telling.plot is not None and telling.plot.suffix != ".png":
        raise InputError(f"--plot {telling.plot}: name a file that ends with .png")
    if telling.plot is not None and not telling.plot.resolve().parent.is_dir():
        raise InputError(f"--plot {telling.plot}: the folder does not exist")
    data = _data(source)
    try:
        trials: Any = import_module("nextwave_local.learning.trial")  # loaded when it is used: the other commands need no numpy
    except ImportError as missing:
        raise InputError(f"learning needs more packages ({missing.name} is missing): install nextwave-local[learning]") from missing
    work = trials.try_histories if hasattr(data, "histories") else trials.try_table
    trial: Trial = work(data, telling.kind, _progress)
    return trial


def _data(source: Source) -> Dated | Labelled:
    """Exactly one source. Raises `InputError`."""
    given = [name for name, value in (("--data", source.data), ("--export", source.export), ("--kafka", source.kafka)) if value]
    if len(given) != 1:
        raise InputError(f"give one source: --data, --export or --kafka ({' and '.join(given) or 'none'} given)")
    sources = import_module("nextwave_local.learning.named")
    if source.data:
        if source.horizon or source.until:
            raise InputError(f"--data {source.data} has its own horizon and end: leave out --horizon and --until")
        found: Dated | Labelled = sources.named(source.data)
        return found
    histories = _histories(source)
    last = max(history.instants[-1] for history in histories)
    end = _day(source.until) if source.until else (last // DAY + 1) * DAY
    told = source.export.name if source.export else f"touchpoints on {source.kafka}"
    dated: Dated = sources.Dated(told, told, histories, source.horizon or HORIZON_DAYS, end)
    return dated


def _histories(source: Source) -> list[History]:
    if source.export:
        exports = import_module("nextwave_local.learning.exports")
        asked = exports.Asked(_pairs(source.columns), source.type, datetime.now(UTC))
        from_file: list[History] = exports.read_export(source.export, asked, _progress)
        return from_file
    topic = import_module("nextwave_local.learning.topic")
    errors = import_module("aiokafka.errors")
    try:
        from_topic: list[History] = asyncio.run(topic.read_topic(source.kafka, _progress))
    except (errors.KafkaError, OSError) as away:
        raise InputError(f"--kafka {source.kafka}: {away}") from away
    return from_topic


def _pairs(text: str) -> dict[str, str]:
    pairs = dict(pair.partition("=")[::2] for pair in text.split(",") if pair)
    if bad := [ours for ours, theirs in pairs.items() if not theirs]:
        raise InputError(f"--columns {bad[0]}: write field=NAME, for instance customer=client")
    return pairs


def _day(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise InputError(f"--until {text!r}: write a day like 2026-01-31") from wrong
    return micros(at.replace(tzinfo=UTC) if at.tzinfo is None else at)


def _among(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{option} {value!r}: use {', '.join(allowed)}")


def _models(folder: Path | None) -> Path:
    return folder or state_folder(None).models


def _tell(trial: Trial, telling: Telling) -> None:
    report = import_module("nextwave_local.learning.report")
    typer.echo(json.dumps(report.as_json(trial), indent=2) if telling.as_json else report.as_text(trial))
    if telling.plot is not None:
        report.draw(trial, telling.plot)
        _progress(f"{telling.plot} written")


def _progress(text: str) -> None:
    typer.echo(f"  {text}", err=True)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
