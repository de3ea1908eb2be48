"""Suppressions as lines of a file, CSV or JSON: read with a fault for each wrong line, written so that no cell is a formula. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from nextwave_contracts.actions import Channel, Purpose
from nextwave_contracts.identifiers import InvalidIdentifierError, blind, kind_of, parse

from nextwave_channels.gate import Fact

Kind = Literal["consent", "address"]
FACTS: Mapping[Kind, Literal["opt", "address"]] = {"consent": "opt", "address": "address"}
ADDRESSES = frozenset({"email", "phone", "device_token"})
"""Kinds of identifiers that are addresses."""
LINES_MAX = 20_000
LINE_CHARACTERS_MAX = 4_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One suppression: of an `identifier` (`kind:value`) or of its keyed hash (`subject`, as it is exported).

    `consent`: channel and purpose, empty means all. `address`: the address takes nothing on the channel. `stopped` false lifts it.
    `at` is when it was said, now if it is missing; `source` is what an export shows, and is not taken from a file.
    """

    identifier: str = ""
    subject: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?(?!\n)$")] = ""
    kind: Kind = "consent"
    channel: Channel | Literal[""] = ""
    purpose: Purpose | Literal[""] = ""
    stopped: bool = True
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    source: str = ""
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


COLUMNS: tuple[str, ...] = Line.__struct_fields__


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a line (the first one is 1), and how to write it."""

    line: int
    detail: str


class UnreadableFileError(ValueError):
    """The file is no list of suppressions at all."""


def read_csv(text: str) -> Iterator[tuple[int, Line | Fault]]:
    """The lines of a CSV file whose first line names the columns. Raises `UnreadableFileError`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if not {"identifier", "subject"} & set(names):
            raise UnreadableFileError("the first line must name the columns, with identifier or subject among them")
        unknown = sorted(set(names) - set(COLUMNS))
        if unknown:
            raise UnreadableFileError(f"unknown column {', '.join(unknown)[:200]}; known are {', '.join(COLUMNS)}")
        for cells in reader:
            if any(cells):
                yield reader.line_num, _of_cells(reader.line_num, names, cells)
    except csv.Error as wrong:
        raise UnreadableFileError(f"line {reader.line_num} breaks the CSV: {wrong}") from wrong


def read_json(text: str) -> Iterator[tuple[int, Line | Fault]]:
    """The lines of a file with a JSON object in each line."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if len(line) > LINE_CHARACTERS_MAX:
            yield number, Fault(line=number, detail=f"a line has at most {LINE_CHARACTERS_MAX} characters")
            continue
        try:
            yield number, msgspec.json.decode(line, type=Line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as wrong:
            yield number, Fault(line=number, detail=str(wrong)[:300])


def fact(line: Line, now: datetime, key: bytes, source: str) -> Fact | str:
    """What a line says, or what is wrong with it."""
    try:
        name = parse(line.identifier) if line.identifier else ""
    except InvalidIdentifierError as wrong:
        return f"identifier: {wrong}"
    wrong_with = _wrong(line, name, now)
    if wrong_with:
        return wrong_with
    return Fact(
        subject=blind(name, key) if name else line.subject,
        kind=FACTS[line.kind],
        channel=line.channel,
        purpose=line.purpose,
        stopped=line.stopped,
        at=line.at or now,
        source=source,
        reason=line.reason,
    )


def _wrong(line: Line, name: str, now: datetime) -> str:
    """What is wrong between the fields of a line, or nothing."""
    of_address = line.kind == "address"
    checks = (
        (bool(name) == bool(line.subject), "identifier: give identifier (kind:value) or subject, one of them"),
        (line.at is not None and line.at > now, "at: it lies in the future; leave it out to say it now"),
        (of_address and line.purpose != "", "purpose: an address takes nothing for every purpose; leave it empty"),
        (
            of_address and name != "" and kind_of(name) not in ADDRESSES,
            f"identifier: it must be one of {', '.join(sorted(ADDRESSES))}",
        ),
        (not line.reason.isprintable(), "reason: leave control characters out"),
    )
    return next((what for is_so, what in checks if is_so), "")


def write_csv(lines: Iterable[Line], *, head: bool) -> str:
    """Lines as CSV, without the column that an export leaves empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    if head:
        writer.writerow(COLUMNS[1:])
    writer.writerows([_cell(value) for value in msgspec.structs.astuple(line)[1:]] for line in lines)
    return out.getvalue()


def write_json(lines: Iterable[Line]) -> str:
    """Lines as JSON objects."""
    encoder = msgspec.json.Encoder()
    shown = ({name: value for name, value in msgspec.structs.asdict(line).items() if name != "identifier"} for line in lines)
    return "".join(encoder.encode(line).decode() + "\n" for line in shown)


def _of_cells(number: int, names: Sequence[str], cells: Sequence[str]) -> Line | Fault:
    if len(cells) != len(names):
        return Fault(line=number, detail=f"{len(cells)} cells, but there are {len(names)} columns")
    if sum(map(len, cells)) > LINE_CHARACTERS_MAX:
        return Fault(line=number, detail=f"a line has at most {LINE_CHARACTERS_MAX} characters")
    given: dict[str, Any] = {name: _plain(cell) for name, cell in zip(names, cells, strict=True) if cell != ""}
    if "stopped" in given:
        given["stopped"] = {"true": True, "false": False}.get(given["stopped"].lower(), given["stopped"])
    try:
        return msgspec.convert(given, Line)
    except msgspec.ValidationError as wrong:
        return Fault(line=number, detail=str(wrong)[:300])


def _cell(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else str(value).lower() if isinstance(value, bool) else str(value or "")
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(cell: str) -> str:
    """Without the mark that keeps a spreadsheet from computing it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
