"""`nextwave keys`: write keys and API tokens of a stack or, with --file, of any deployment."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from nextwave_local.bringup import state_folder

OVERLAP_HOURS_MAX = 24 * 366
app = typer.Typer(no_args_is_help=True, help="Make, rotate and revoke write keys and API tokens.")

State = Annotated[Path | None, typer.Option("--state", help="the stack's folder; .nextwave by default")]
File = Annotated[Path | None, typer.Option("--file", help="a key file instead of the stack's")]
Kind = Annotated[str, typer.Argument(help="write (for a source) or api (a token with roles)")]
Types = Annotated[str | None, typer.Option(help="all that a write key may report, as order.*,page.viewed; '' for anything")]
Added = Annotated[str | None, typer.Option("--add-types", help="beside those that it may report already, as sms.received,chat.received")]
Removed = Annotated[str | None, typer.Option("--remove-types", help="of those that it may report")]
Origins = Annotated[str | None, typer.Option(help="whose pages may use it, as https://shop.example,https://m.shop.example; '' for any")]
PerSecond = Annotated[float | None, typer.Option("--rate", min=0, help="items per second that each replica of ingest takes; 0 for any")]
Burst = Annotated[int | None, typer.Option(min=1, help="items at once; of a new rate ten seconds' worth if it is not named")]


@app.command("list")
def show(state: State = None, file: File = None) -> None:
    """List the keys; secrets are not stored and cannot be shown."""
    with _complaining():
        for key in _keys().listing(_path(state, file)):
            typer.echo(_line(key))


@app.command()
def create(  # noqa: PLR0913  (each parameter is an option of the command line)
    kind: Kind,
    name: str,
    *,
    role: Annotated[
        list[str] | None,
        typer.Option(help="of a key, may be repeated; a wrong one lists those that it may have"),
    ] = None,
    types: Types = None,
    origins: Origins = None,
    rate: PerSecond = None,
    burst: Burst = None,
    state: State = None,
    file: File = None,
) -> None:
    """Make a key and print its secret, this once."""
    with _complaining():
        bounds = _bounds(types=types, origins=origins, rate=rate, burst=burst)
        typer.echo(_keys().create(_path(state, file), _name(kind, name), tuple(role or ()), bounds))


@app.command()
def change(  # noqa: PLR0913  (each parameter is an option of the command line)
    kind: Kind,
    name: str,
    *,
    types: Types = None,
    add_types: Added = None,
    remove_types: Removed = None,
    origins: Origins = None,
    rate: PerSecond = None,
    burst: Burst = None,
    state: State = None,
    file: File = None,
) -> None:
    """Change what a write key may do, and print what holds now; its secrets stay, and what is not named stays as it is."""
    with _complaining():
        path, named = _path(state, file), _name(kind, name)
        bounds = _bounds(types=types, added=add_types, removed=remove_types, origins=origins, rate=rate, burst=burst)
        _keys().bound(path, named, bounds)
        for key in _keys().listing(path):
            if (key.kind, key.name) == (kind, name):
                typer.echo(_line(key))


@app.command()
def rotate(
    kind: Kind,
    name: str,
    overlap_hours: Annotated[float, typer.Option(min=0, max=OVERLAP_HOURS_MAX, help="how long the old secret still works")] = 24.0,
    state: State = None,
    file: File = None,
) -> None:
    """Make a new secret for a key and print it, this once."""
    with _complaining():
        typer.echo(_keys().rotate(_path(state, file), _name(kind, name), overlap=timedelta(hours=overlap_hours), now=_keys().now()))


@app.command()
def revoke(kind: Kind, name: str, state: State = None, file: File = None) -> None:
    """Take a key away at once."""
    with _complaining():
        _keys().revoke(_path(state, file), _name(kind, name))


class _complaining:  # noqa: N801  (reads as a clause)
    """Turns an unusable wish into a message and exit code 1."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _keys().UnusableKeyError):
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None


def _bounds(*, rate: float | None, burst: int | None, **lists: str | None) -> Any:
    several = {name: _several(lists.get(name)) for name in ("types", "added", "removed", "origins")}
    return _keys().Bounds(
        types=several["types"],
        types_added=several["added"] or (),
        types_removed=several["removed"] or (),
        origins=several["origins"],
        per_second=rate,
        burst=burst,
    )


def _several(listed: str | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(part.strip() for part in listed.split(",") if part.strip())


def _line(key: Any) -> str:
    ends = f"  ends {key.not_after.isoformat(timespec='seconds')}" if key.not_after else ""
    return f"{key.kind:6} {key.name:24} {', '.join(key.roles)}{_told(key)}{ends}"


def _told(key: Any) -> str:
    """What a write key may do, in the words of the options."""
    said = [("types", ",".join(key.types)), ("origins", ",".join(key.origins))]
    if key.rate is not None:
        said += [("rate", f"{key.rate.per_second:g}"), ("burst", str(key.rate.burst))]
    return "".join(f"  {word} {value}" for word, value in said if value)


def _name(kind: str, name: str) -> Any:
    if kind == "write":
        return _keys().Name("write", name)
    if kind == "api":
        return _keys().Name("api", name)
    raise _keys().UnusableKeyError(f"{kind!r} is no kind of key: write or api")


def _path(state: Path | None, file: Path | None) -> Path:
    """The key file; a stack's only where there is one, since a file in the wrong folder would open nothing."""
    path = file or state_folder(state).keys
    if file is None and not path.exists():
        raise _keys().UnusableKeyError(f"no stack was ever started in {path.parent}: `nextwave up` first, or name a key file by --file")
    return path


def _keys() -> ModuleType:
    """Loaded when it is used: all other commands start in a fraction of the time without it."""
    return import_module("nextwave_local.keys")
