"""Reads the user's own history from a file of touchpoints, CSV or JSON lines; every row that is wrong is named with what to do."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec
from nextwave_contracts.touchpoints import Touchpoint

from nextwave_local.learning.history import History, InputError, history_of

REQUIRED = ("customer", "occurred_at", "type")
KNOWN = (*REQUIRED, "id")
Row = Mapping[str, Any]


def read_export(path: Path, columns: Mapping[str, str], kind: str = "") -> list[History]:
    """Histories of a `.csv`, or of JSON lines. `columns` gives the file's name of a field where it has another one.

    `kind` is the type of every row where the file has no such column. Raises `InputError` naming the line and the field.
    """
    if not path.is_file():
        raise InputError(f"--export {path}: there is no such file")
    rows = _csv(path) if path.suffix == ".csv" else _json_lines(path)
    by_customer: dict[str, list[Touchpoint]] = defaultdict(list)
    for line, row in rows:
        touchpoint = _touchpoint(_named(row, columns, kind), line)
        by_customer[touchpoint.identifiers[0]].append(touchpoint)
    if not by_customer:
        raise InputError(f"--export {path}: the file has no rows")
    return [history_of(customer, touchpoints) for customer, touchpoints in sorted(by_customer.items())]


def _csv(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(newline="", encoding="utf-8-sig") as text:
        reader = csv.DictReader(text)
        for row in reader:
            if None in row or None in row.values():
                raise InputError(f"line {reader.line_num}: it has not as many columns as the first line")
            yield reader.line_num, {name: value for name, value in row.items() if value != ""}


def _json_lines(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            if not raw.strip():
                continue
            try:
                yield number, msgspec.json.decode(raw, type=dict[str, Any])
            except msgspec.MsgspecError as wrong:
                raise InputError(f"line {number}: it must be one JSON object ({wrong}); a table belongs into a file named .csv") from wrong


def _named(row: Row, columns: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The row with our names; what the names replace is not kept twice."""
    renamed = {theirs: ours for ours, theirs in columns.items()}
    named = {renamed.get(name, name): value for name, value in row.items()}
    return {"type": kind, **named} if kind else named


def _touchpoint(row: dict[str, Any], line: int) -> Touchpoint:
    for field in REQUIRED:
        if not row.get(field):
            fix = "--type order.placed gives one to all rows" if field == "type" else f"--columns {field}=NAME tells which column it is"
            raise InputError(f"line {line}: {field} is missing; {fix} (there are {', '.join(sorted(row))})")
    at = _instant(str(row["occurred_at"]), line)
    nested = row.get("data")
    data = dict(nested) if isinstance(nested, dict) else {name: value for name, value in row.items() if name not in KNOWN}
    if "amount" in data:
        data["amount"] = _minor_units(data["amount"], line)
    customer = str(row["customer"])
    return Touchpoint(
        id=str(row.get("id") or _fingerprint(row)),
        source="export",
        type=str(row["type"]),
        identifiers=(f"customer_id:{customer}",),
        occurred_at=at,
        received_at=at,
        data=_read_switches(data),
    )


def _instant(text: str, line: int) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise InputError(f"line {line}: occurred_at {text!r} is no instant; write 2026-01-31T08:00:00Z or 2026-01-31") from wrong
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _minor_units(amount: object, line: int) -> int:
    """Whole numbers are minor units; what has a decimal point is money as people write it, with two decimals."""
    try:
        number = Decimal(str(amount))
    except InvalidOperation as wrong:
        raise InputError(f"line {line}: amount {amount!r} is no number; write minor units (1999) or a decimal point (19.99)") from wrong
    return int((number * 100).to_integral_value()) if "." in str(amount) else int(number)


def _read_switches(data: dict[str, Any]) -> dict[str, Any]:
    """CSV has texts only: what is plainly true, false or a whole number is read as that."""
    return {name: _read(value) for name, value in data.items()}


def _read(value: Any) -> Any:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 1 else value


def _fingerprint(row: Row) -> str:
    """Equal rows are one touchpoint."""
    return hashlib.sha256(msgspec.json.encode(row, order="deterministic")).hexdigest()[:16]
