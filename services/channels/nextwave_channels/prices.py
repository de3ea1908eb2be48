"""What providers charge: a table of rows with validity, read from CSV, and the price of one delivery in it. Pure.

Columns: `provider`, `channel`, `to` (a prefix such as `+33`, a country such as `FR`, or `*`), `from` and `until` (a day or an instant with
its zone; `until` is excluded and may be empty), `amount` (whole minor units a message, an SMS segment or a call), `currency`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import phonenumbers
from nextwave_contracts.actions import Contact
from nextwave_contracts.text_segments import segments

COLUMNS = ("provider", "channel", "to", "from", "until", "amount", "currency")
ROWS_MAX = 50_000
NUMBERED = frozenset({"sms", "call"})
"""Channels whose addresses are phone numbers."""
EVERYWHERE = "*"
_TO = re.compile(r"\*|[A-Z]{2}|\+[1-9]\d{0,14}")
_AMOUNT = re.compile(r"\d{1,9}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FAULTS_SHOWN = 20

Route = tuple[str, str]
"""Channel and provider."""


class PriceTableError(ValueError):
    """The table cannot be used; the text names lines, fields and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`amount` in minor units of the table's currency, for what is sent `since` (business time) and before `until` (None: for ever)."""

    line: int
    to: str
    since: datetime
    until: datetime | None
    amount: int

    def holds(self, at: datetime) -> bool:
        """Whether it is the price at this instant."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The table: by route, then by destination."""

    currency: str = ""
    rows: Mapping[Route, Mapping[str, Sequence[Price]]]

    def cost(self, contact: Contact, provider: str, at: datetime) -> int | None:
        """Minor units that this contact costs there at this instant; None where the table says nothing about it.

        The longest prefix counts, then the country of the number, then `*`. Amounts are never mixed with another currency's.
        """
        rows = self.rows.get((contact.channel, provider))
        if rows is None or contact.currency != self.currency:
            return None
        for to in _destinations(contact, rows):
            price = next((price for price in rows.get(to, ()) if price.holds(at)), None)
            if price is not None:
                return price.amount * (segments(contact.content.text).count if contact.channel == "sms" else 1)
        return None


NO_PRICES = Prices(rows={})


def parse(text: str, routes: Collection[Route]) -> Prices:
    """The table of a CSV text, for these routes. Raises `PriceTableError` with all that is wrong, by line and field."""
    lines = csv.DictReader(text.splitlines())
    if tuple(lines.fieldnames or ()) != COLUMNS:
        raise PriceTableError(f"line 1: the columns must be {','.join(COLUMNS)}")
    faults: list[str] = []
    table: dict[Route, dict[str, list[Price]]] = {}
    currency = ""
    for row in lines:
        wrong = list(_faults(row, currency, routes))
        faults += [f"line {lines.line_num}, {fault}" for fault in wrong]
        if wrong:
            continue
        currency = row["currency"]
        price = _price(row, lines.line_num)
        known = table.setdefault((row["channel"], row["provider"]), {}).setdefault(price.to, [])
        faults += [f"line {price.line}, from: overlaps line {other.line}; end that row first" for other in known if _overlap(price, other)]
        known.append(price)
        if lines.line_num > ROWS_MAX:
            faults.append(f"line {lines.line_num}: a table has at most {ROWS_MAX} lines")
            break
    if faults:
        more = [f"and {len(faults) - _FAULTS_SHOWN} more"] if len(faults) > _FAULTS_SHOWN else []
        raise PriceTableError("\n".join([*faults[:_FAULTS_SHOWN], *more]))
    return Prices(currency=currency, rows=table)


def _faults(row: Mapping[str, str], currency: str, routes: Collection[Route]) -> Iterator[str]:
    if None in row or None in row.values():
        yield f"row: it must have {len(COLUMNS)} fields"
        return
    route = (row["channel"], row["provider"])
    if route not in routes:
        known = ", ".join(sorted(f"{provider} for {channel}" for channel, provider in routes))
        yield f"provider: {route[1]!r} serves no channel {route[0]!r} here; there are {known}"
    if not _TO.fullmatch(row["to"]):
        yield f"to: {row['to']!r} is no prefix like +33, no country like FR and not *"
    elif row["to"] != EVERYWHERE and row["channel"] not in NUMBERED:
        yield f"to: addresses of {row['channel']} have no country; write *"
    elif len(row["to"]) == 2 and row["to"].isalpha() and row["to"] not in phonenumbers.SUPPORTED_REGIONS:
        yield f"to: {row['to']} is no country of the telephone world (ISO 3166, for instance FR)"
    if not _AMOUNT.fullmatch(row["amount"]):
        yield f"amount: {row['amount']!r} is no whole number of minor units (cents); round fractions"
    if not _CURRENCY.fullmatch(row["currency"]):
        yield f"currency: {row['currency']!r} is no ISO 4217 code like EUR"
    elif currency and row["currency"] != currency:
        yield f"currency: {row['currency']} beside {currency}; a table has one currency, that of the campaigns: convert the amounts"
    yield from _faults_of_validity(row)


def _faults_of_validity(row: Mapping[str, str]) -> Iterator[str]:
    since, until = _instant(row["from"]), _instant(row["until"])
    if since is None:
        yield f"from: {row['from']!r} is no day (2026-01-31) and no instant with its zone (2026-01-31T12:00:00Z)"
    if until is None and row["until"]:
        yield f"until: {row['until']!r} is no day and no instant with its zone; leave it empty for a price without end"
    if since and until and until <= since:
        yield "until: it must be after from"


def _price(row: Mapping[str, str], line: int) -> Price:
    since = _instant(row["from"])
    assert since is not None
    return Price(line=line, to=row["to"], since=since, until=_instant(row["until"]), amount=int(row["amount"]))


def _instant(text: str) -> datetime | None:
    """A day is its first instant, UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == 10:
        return read.replace(tzinfo=UTC)
    return read.astimezone(UTC) if read.tzinfo else None


def _overlap(one: Price, other: Price) -> bool:
    return (other.until is None or one.since < other.until) and (one.until is None or other.since < one.until)


def _destinations(contact: Contact, rows: Mapping[str, Sequence[Price]]) -> Iterator[str]:
    if contact.channel in NUMBERED:
        number = contact.address
        yield from (number[:end] for end in range(min(len(number), 16), 1, -1) if number[:end] in rows)
        yield _country(number)
    yield EVERYWHERE


def _country(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
