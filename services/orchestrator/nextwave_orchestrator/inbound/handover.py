"""The few lines that the next agent reads while a call is handed over to them."""

from __future__ import annotations

from collections.abc import Iterator

from nextwave_orchestrator.inbound.answer import NextBestAction

CALLING_MAX = 3


def handover(answer: NextBestAction) -> str:
    """One line for each: who, why, open, promised, may be sold, served how."""
    return "\n".join(_lines(answer))


def _lines(answer: NextBestAction) -> Iterator[str]:
    yield _who(answer)
    why = "; ".join(reason.text for reason in answer.calling[:CALLING_MAX])
    yield f"Why they come: {why or 'not known'}."
    for matter in answer.matters:
        named = f" {matter.reference}" if matter.reference else ""
        since = f" since {matter.since:%d %B %Y}" if matter.since else ""
        yield f"Open {matter.kind}{named}{since}."
    for promise in answer.promises:
        due = f", due {promise.due_at:%d %B %Y %H:%M} UTC" if promise.due_at else ""
        yield f"Promised{' and overdue' if promise.is_overdue else ''}: {promise.text}{due}."
    yield _selling(answer)
    level = answer.service_level
    yield f"Answer within {level.answer_within_seconds} s{f', line {level.line}' if level.line else ''}."


def _who(answer: NextBestAction) -> str:
    who, risk = answer.who, answer.risk
    since = f", customer since {who.customer_since:%B %Y}" if who.customer_since else ""
    told = f", satisfaction {who.satisfaction:.1f} of 5" if who.satisfaction is not None else ""
    leaves = f"risk of leaving {risk.probability:.0%} ({risk.band})"
    return f"{who.name or 'Name unknown'}{since}: cell {who.cell}, {who.orders} orders, {leaves}{told}."


def _selling(answer: NextBestAction) -> str:
    if not answer.may_sell.allowed:
        return f"Sell nothing: {answer.may_sell.detail or answer.may_sell.code}."
    return f"May be sold to; best offer: {answer.offers[0].campaign}." if answer.offers else "May be sold to; no offer fits."
