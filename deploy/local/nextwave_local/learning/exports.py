"""Reads the user's own history from a file of touchpoints, CSV or JSON lines; every row that is wrong is named with what to do."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec
from nextwave_contracts.money import EXPONENTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.profile.orders import AMOUNT_MAX, currency_of

from nextwave_local.learning.account import Account
from nextwave_local.learning.history import History, InputError, history_of

REQUIRED = ("customer", "occurred_at", "type")
KNOWN = (*REQUIRED, "id")
ABSENT = (None, "")
CLOCKS_DIFFER = timedelta(days=1)
"""What happened so long after now may be a matter of time zones; later is a wrong date, and would end the history there."""
MONEY = ("amount", "margin", "acquisition_cost")
"""Fields that are read as money."""
TEXTS = frozenset(
    {*MONEY, "reference", "contract_id", "order_id", "name", "product", "product_name", "sku", "serial", "serial_number", "phone"}
)
"""Fields that name something (a contract `1.10` is no quantity), and money, whose decimals count."""
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?", re.ASCII)
"""What begins with a zero (a post code) or is longer is a text."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a file is to be read. `columns`: its name of a field where that is another one; `type`: of all its rows, where it has none."""

    columns: Mapping[str, str]
    type: str
    now: datetime


def read_export(path: Path, asked: Asked, tell: Callable[[str], None]) -> list[History]:
    """Histories of a `.csv`, or of JSON lines; what was read is told, with what looks wrong in it.

    Raises `InputError` naming the line and the field, also for what has not happened yet.
    """
    if not path.is_file():
        raise InputError(f"--export {path}: there is no such file")
    account, reading = Account(), _Reading(asked)
    for line, row in _lines(path):
        account.take(reading.touchpoint(row, line))
    if not account.by_customer:
        raise InputError(f"--export {path}: the file has no rows")
    reading.refuse_unseen_columns()
    for line_told in account.told():
        tell(line_told)
    return [history_of(customer, touchpoints) for customer, touchpoints in sorted(account.by_customer.items())]


def _lines(path: Path) -> Iterator[tuple[int, Row]]:
    number = 0
    try:
        for number, row in _csv(path) if path.suffix == ".csv" else _json_lines(path):
            yield number, row
    except UnicodeDecodeError as wrong:
        raise InputError(f"--export {path}: after line {number}: it is not UTF-8 ({wrong.reason}); save it as 'CSV UTF-8'") from wrong
    except csv.Error as wrong:
        raise InputError(f"--export {path}: after line {number}: {wrong}") from wrong


def _csv(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(newline="", encoding="utf-8-sig") as text:
        reader = csv.DictReader(text)
        for row in reader:
            if None in row or None in row.values():
                raise InputError(f"line {reader.line_num}: it has not as many columns as the first line")
            yield reader.line_num, row


def _json_lines(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            if not raw.strip():
                continue
            try:
                yield number, msgspec.json.decode(raw, type=dict[str, Any])
            except msgspec.MsgspecError as wrong:
                raise InputError(f"line {number}: it must be one JSON object ({wrong}); a table belongs into a file named .csv") from wrong


@dataclass(slots=True)
class _Reading:
    """The rows of one file, and which names of fields they had."""

    asked: Asked
    _seen: set[str] = field(default_factory=set)

    def touchpoint(self, row: Row, line: int) -> Touchpoint:
        """Raises `InputError`."""
        self._seen.update(row)
        touchpoint = _touchpoint(_named(row, self.asked.columns, self.asked.type), line)
        if touchpoint.occurred_at > self.asked.now + CLOCKS_DIFFER:
            raise InputError(
                f"line {line}: occurred_at {touchpoint.occurred_at:%Y-%m-%d} has not come yet; correct the date, or leave it out"
            )
        return touchpoint

    def refuse_unseen_columns(self) -> None:
        """A name that no row has renames nothing. Raises `InputError`."""
        for ours, theirs in self.asked.columns.items():
            if theirs not in self._seen:
                raise InputError(f"--columns {ours}={theirs}: there is no {theirs} (there are {', '.join(sorted(self._seen))})")


def _named(row: Row, columns: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The row with our names; what the names replace is not kept twice."""
    renamed = {theirs: ours for ours, theirs in columns.items()}
    named = {renamed.get(name, name): value for name, value in row.items()}
    return {"type": kind, **named} if kind else named


def _touchpoint(row: dict[str, Any], line: int) -> Touchpoint:
    for required in REQUIRED:
        if row.get(required) in ABSENT:
            raise _missing(required, row, line)
    at = _instant(str(row["occurred_at"]), line)
    nested = row.get("data")
    data = (
        dict(nested)
        if isinstance(nested, dict)
        else {name: _read(name, value) for name, value in row.items() if name not in KNOWN and value != ""}
    )
    currency = currency_of(data)
    data |= {name: _minor_units(name, data[name], currency, line) for name in MONEY if name in data}
    customer = str(row["customer"])
    return Touchpoint(
        id=str(row.get("id") or _fingerprint(row)),
        source="export",
        type=str(row["type"]),
        identifiers=(f"customer_id:{customer}",),
        occurred_at=at,
        received_at=at,
        data=data,
    )


def _missing(required: str, row: Row, line: int) -> InputError:
    if required in row:
        return InputError(f"line {line}: {required} is empty; fill it in, or leave the row out")
    fix = "--type order.placed gives one to all rows" if required == "type" else f"--columns {required}=NAME tells which column it is"
    return InputError(f"line {line}: {required} is missing; {fix} (there are {', '.join(sorted(row))})")


def _instant(text: str, line: int) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise InputError(f"line {line}: occurred_at {text!r} is no instant; write 2026-01-31T08:00:00Z or 2026-01-31") from wrong


def _minor_units(name: str, amount: object, currency: str, line: int) -> int:
    """Whole numbers are minor units; what has a decimal point is money as people write it, with as many decimals as its currency has."""
    written = str(amount)
    number = _number(written)
    decimals = EXPONENTS.get(currency, 2) if "." in written else 0
    if not number.is_finite():
        raise InputError(f"line {line}: {name} {amount!r} is no number; write minor units (1999) or a decimal point (19.99)")
    if number.copy_abs() >= Decimal(AMOUNT_MAX).scaleb(-decimals):
        told = f"{written[:20]!r} is {AMOUNT_MAX:,} minor units of {currency} or more"
        raise InputError(f"line {line}: {name} {told}, which nobody counts; correct it, or say --columns {name}=NAME for another column")
    return int(number.scaleb(decimals).to_integral_value())


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _read(name: str, value: Any) -> Any:
    """A table has texts only: what is plainly true, false or a number is read as that, but for `TEXTS`."""
    if value in ("true", "false"):
        return value == "true"
    if not isinstance(value, str) or name in TEXTS or not _PLAIN_NUMBER.fullmatch(value):
        return value
    return float(value) if "." in value else int(value)


def _fingerprint(row: Row) -> str:
    """Equal rows are one touchpoint."""
    return hashlib.sha256(msgspec.json.encode(row, order="deterministic")).hexdigest()[:16]
