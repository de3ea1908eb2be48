"""All SQL of stops: the facts that people and providers said, and campaigns that stand still.

Every function works in its caller's transaction; who takes which lock when is said in `store`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from nextwave_contracts.actions import Contact
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels.gate import Fact, Stops

REASON_MAX = 200
"""Characters of a reason that are kept."""

_FACTS = Statement(
    "select subject, kind, channel, purpose, reference, stopped, at, source, reason from stops"
    " where subject = any(cast(:subjects as text[]))"
)
_PUT_FACTS = Statement(
    "insert into stops as s (subject, kind, channel, purpose, reference, stopped, at, source, reason) select * from unnest("
    "cast(:subjects as text[]), cast(:kinds as text[]), cast(:channels as text[]), cast(:purposes as text[]), cast(:references as text[]),"
    " cast(:stopped as boolean[]), cast(:ats as timestamptz[]), cast(:sources as text[]),"
    " cast(:reasons as text[]))"
    " on conflict (subject, kind, channel, purpose, reference) do update"
    " set stopped = excluded.stopped, at = excluded.at, source = excluded.source, reason = excluded.reason"
    " where (excluded.at, excluded.stopped) > (s.at, s.stopped)"
)
_SAID_BY = Statement("select subject from stops where kind = 'review' and stopped and reference = any(cast(:references as text[]))")
# Of a review that is over, each name by which its words were said has its end.
_OVER = (
    "not exists (select from stops o where o.kind = 'review' and o.reference = s.reference and (o.at >= :before or (o.stopped"
    " and not exists (select from stops e where e.kind = 'review' and not e.stopped and e.reference = o.reference"
    " and e.subject = o.subject))))"
)
_PAST = Statement(
    f"select distinct reference from stops s where kind = 'review' and not stopped and at < :before and {_OVER} limit :limit"  # noqa: S608
)
_FORGET = Statement(
    f"delete from stops s where kind = 'review' and reference = any(cast(:references as text[])) and {_OVER}"  # noqa: S608  (constants)
)
_STOPPED = Statement("select campaign from stopped_campaigns where stopped and campaign = any(cast(:campaigns as text[]))")
_CAMPAIGNS = Statement("select campaign, stopped, at from stopped_campaigns where campaign = any(cast(:campaigns as text[]))")
_PUT_CAMPAIGNS = Statement(
    "insert into stopped_campaigns as s (campaign, stopped, at) select * from unnest(cast(:campaigns as text[]),"
    " cast(:stopped as boolean[]), cast(:ats as timestamptz[])) on conflict (campaign) do update"
    " set stopped = excluded.stopped, at = excluded.at where (excluded.at, excluded.stopped) > (s.at, s.stopped)"
)


async def about(connection: AsyncConnection, subjects: Iterable[str]) -> list[Fact]:
    """What is known of these subjects."""
    rows = await _FACTS.rows(connection, {"subjects": sorted(set(subjects))})
    return [Fact(**row) for row in rows]


async def put(connection: AsyncConnection, said: Sequence[Fact]) -> None:
    """Stores facts (one a scope, sorted by scope); an older one never replaces a newer one."""
    if not said:
        return
    bound = {
        "subjects": [f.subject for f in said],
        "kinds": [f.kind for f in said],
        "channels": [f.channel for f in said],
        "purposes": [f.purpose for f in said],
        "references": [f.reference for f in said],
        "stopped": [f.stopped for f in said],
        "ats": [f.at for f in said],
        "sources": [f.source for f in said],
        "reasons": [f.reason[:REASON_MAX] for f in said],
    }
    await _PUT_FACTS.run(connection, bound)


async def said_by(connection: AsyncConnection, references: Iterable[str]) -> set[str]:
    """The names by which the words under these reviews were said."""
    wanted = sorted(references)
    return {subject for (subject,) in await _SAID_BY.rows(connection, {"references": wanted})} if wanted else set()


async def past_reviews(connection: AsyncConnection, before: datetime, limit: int) -> list[str]:
    """References of reviews that are over, and of which nothing was said since `before`."""
    return [reference for (reference,) in await _PAST.rows(connection, {"before": before, "limit": limit})]


async def forget_reviews(connection: AsyncConnection, references: Sequence[str], before: datetime) -> int:
    """Drops all facts of these reviews, where they are still past; returns how many. The caller has the gate's lock."""
    return await _FORGET.run(connection, {"references": list(references), "before": before})


async def campaigns(connection: AsyncConnection, names: Iterable[str]) -> dict[str, tuple[datetime, bool]]:
    """When each campaign was last stopped or resumed, and which of the two."""
    rows = await _CAMPAIGNS.rows(connection, {"campaigns": sorted(set(names))})
    return {campaign: (at, stopped) for campaign, stopped, at in rows}


async def put_campaigns(connection: AsyncConnection, said: dict[str, tuple[datetime, bool]]) -> None:
    """Stores when campaigns were stopped or resumed; the newest word counts."""
    if said:
        names = sorted(said)
        bound = {"campaigns": names, "stopped": [said[n][1] for n in names], "ats": [said[n][0] for n in names]}
        await _PUT_CAMPAIGNS.run(connection, bound)


async def stops(connection: AsyncConnection, contacts: Sequence[Contact]) -> Stops:
    """Everything that can stop one of these contacts, as committed up to now."""
    by_subject: dict[str, tuple[Fact, ...]] = {}
    for fact in await about(connection, (s for c in contacts for s in c.subjects)):
        by_subject[fact.subject] = (*by_subject.get(fact.subject, ()), fact)
    rows = await _STOPPED.rows(connection, {"campaigns": sorted({c.campaign for c in contacts})})
    return Stops(facts=by_subject, campaigns=frozenset(name for (name,) in rows))
