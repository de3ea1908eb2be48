"""The list of words that may be a refusal: what a batch adds to it and takes off, and what is on it.

Whether a review is over is the profile's word (`matters`), so that it makes no difference which of the two came first, and a verdict that
names somebody else ends nothing. How many wait makes no difference to the list: each is on it until its own verdict, also when the profile
keeps only newer ones. What is told again long after its verdict, so that the profile holds it anew, is on the list again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from nextwave_contracts.identifiers import INTERNAL, strength
from nextwave_contracts.messages_in import CHANNEL_OF, words_in
from nextwave_runtime.database import Statement
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_scoring.customer import Customer
from nextwave_scoring.instants import micros
from nextwave_scoring.profile import matters
from nextwave_scoring.unit import Entry, Unit

VERDICT = "refusal.reviewed"
WORDS_MAX = 4000
"""Characters of what was written that are kept."""
_OPEN = Statement(
    "insert into reviews (reference, name, channel, type, at, source, id, words) select * from unnest(cast(:references as text[]),"
    " cast(:names as text[]), cast(:channels as text[]), cast(:types as text[]), cast(:ats as timestamptz[]), cast(:sources as text[]),"
    " cast(:ids as text[]), cast(:words as text[])) on conflict (reference) do update"
    " set words = excluded.words, reviewed_at = null, refused = null, reviewed_by = null where reviews.reviewed_at < excluded.at"
)
_CLOSE = Statement(
    "update reviews r set reviewed_at = v.at, refused = v.refused, reviewed_by = v.source, words = ''"
    " from unnest(cast(:references as text[]), cast(:names as text[]), cast(:ats as timestamptz[]), cast(:refused as boolean[]),"
    " cast(:sources as text[])) v(reference, names, at, refused, source)"
    " where r.reference = v.reference and r.name = any(string_to_array(v.names, chr(10))) and r.reviewed_at is null"
)
_LIST = text(
    "select r.reference, r.name, r.channel, r.type, r.at, r.source, r.id, r.words, ("
    " with recursive way (id, merged_into) as ("
    "  select c.id, c.merged_into from customers c where c.id = coalesce(i.customer_id,"
    "   case when starts_with(r.name, :internal) then cast(substr(r.name, length(:internal) + 1) as uuid) end)"
    "  union select c.id, c.merged_into from customers c join way on c.id = way.merged_into)"
    " select cast(way.id as text) from way where way.merged_into is null) customer_id"
    " from reviews r left join identifiers i on i.name = r.name where r.reviewed_at is null"
    " and (cast(:names as text[]) is null or r.name = any(cast(:names as text[])))"
    " and (cast(:at as timestamptz) is null or (r.at, r.reference) > (:at, :last))"
    " order by r.at, r.reference limit :limit"
)


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Words that may be a refusal. `channel` empty: all; `name`: the strongest identifier by which they were said."""

    reference: str
    customer_id: str
    name: str
    channel: str
    type: str
    at: datetime
    source: str
    id: str
    words: str


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list: after this review."""

    at: datetime
    reference: str


async def save(connection: AsyncConnection, unit: Unit) -> None:
    """Puts on the list what the batch heard, unless its review is over already; takes off it what was reviewed."""
    heard = {str(data["review"]): (entry, data) for entry, data in _of(unit, CHANNEL_OF) if data.get("wish") == "review"}
    verdicts = {str(data.get("reference")): (entry, data) for entry, data in _of(unit, (VERDICT,))}
    opened = {reference: said for reference, said in heard.items() if not _is_over(unit, said[0], reference)}
    if opened:
        await _OPEN.run(connection, _opening(opened))
    closed = {reference: said for reference, said in verdicts.items() if not _is_open(unit, said[0], reference)}
    if closed:
        await _CLOSE.run(connection, _closing(unit, closed))


async def read(connection: AsyncConnection, names: Sequence[str] | None, after: Place | None, limit: int) -> list[Review]:
    """What waits for its review, oldest first, after a place; of one customer where their names are given."""
    bound = {
        "internal": INTERNAL,
        "names": None if names is None else list(names),
        "at": after.at if after else None,
        "last": after.reference if after else "",
        "limit": limit,
    }
    rows = (await connection.execute(_LIST, bound)).mappings().all()
    return [Review(**{**row, "customer_id": row["customer_id"] or ""}) for row in rows]


def names_of(customer_id: str, customer: Customer) -> list[str]:
    """All names by which a customer may have been named, Nextwave's own and those of whom they absorbed among them."""
    return [*customer.profile.names, *(INTERNAL + known for known in (customer_id, *customer.profile.absorbed))]


def _of(unit: Unit, kinds: Iterable[str]) -> list[tuple[Entry, dict[str, Any]]]:
    wanted = frozenset(kinds)
    return [(entry, msgspec.json.decode(entry.data)) for entry in unit.entries if entry.type in wanted]


def _is_over(unit: Unit, entry: Entry, reference: str) -> bool:
    return matters.is_over(_matters(unit, entry), reference, micros(entry.at))


def _is_open(unit: Unit, entry: Entry, reference: str) -> bool:
    return any(open_ == reference for open_, _ in matters.open_of(_matters(unit, entry), matters.REVIEW))


def _matters(unit: Unit, entry: Entry) -> matters.Matters:
    root = unit.root(entry.customer_id)
    return unit.customers[root].profile.matters if root else {}


def _opening(opened: dict[str, tuple[Entry, dict[str, Any]]]) -> dict[str, list[Any]]:
    said = [opened[reference] for reference in sorted(opened)]
    return {
        "references": sorted(opened),
        "names": [min(entry.identifiers or ("",), key=strength) for entry, _ in said],
        "channels": [CHANNEL_OF[entry.type] for entry, _ in said],
        "types": [entry.type for entry, _ in said],
        "ats": [entry.at for entry, _ in said],
        "sources": [entry.source for entry, _ in said],
        "ids": [entry.id for entry, _ in said],
        "words": [_words(data) for _, data in said],
    }


def _closing(unit: Unit, closed: dict[str, tuple[Entry, dict[str, Any]]]) -> dict[str, list[Any]]:
    said = [closed[reference] for reference in sorted(closed)]
    meant = [unit.root(entry.customer_id) or "" for entry, _ in said]
    return {
        "references": sorted(closed),
        "names": ["\n".join(names_of(root, unit.customers[root])) if root else "" for root in meant],
        "ats": [entry.at for entry, _ in said],
        "refused": [data.get("refused") is True for _, data in said],
        "sources": [entry.source for entry, _ in said],
    }


def _words(data: dict[str, Any]) -> str:
    subject = data.get("subject")
    whole = [part for part in (subject, words_in(data) or data.get("html")) if isinstance(part, str) and part]
    return "\n".join(whole)[:WORDS_MAX].replace("\0", "")
