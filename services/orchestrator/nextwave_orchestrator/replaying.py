"""A decision asked again: whether all that its record says comes out as it did, whatever a later build says beside it."""

from __future__ import annotations

from nextwave_contracts.decisions import Attempt

from nextwave_orchestrator.decisions import Answer


def is_same(before: Answer, again: Answer) -> bool:
    """Whether result, reason, instant, channel, rivals and language, and every check and number that the record names, are as they were."""
    older, said = _is_older(before), before.numbers.items()
    return (
        _head(before) == _head(again)
        and len(before.attempts) == len(again.attempts)
        and all(_agrees(was, now, older) for was, now in zip(before.attempts, again.attempts, strict=True))
        and all(value in _named(name, again.numbers, older) for name, value in said)
    )


def added(before: Answer, again: Answer) -> dict[str, list[str]]:
    """The checks and numbers that this build has beside those of the record."""
    checks = {check.code for attempt in again.attempts for check in attempt.checks}
    known = {check.code for attempt in before.attempts for check in attempt.checks}
    return {"checks": sorted(checks - known), "numbers": sorted(again.numbers.keys() - before.numbers.keys())}


def _is_older(before: Answer) -> bool:
    """Whether a build made it that had no scores, and named the number of a cap only by how many per how long."""
    return "score" not in before.numbers


def _head(one: Answer) -> tuple[object, ...]:
    return one.result, one.reason, one.until, one.channel, one.rivals, one.language


def _agrees(was: Attempt, now: Attempt, older: bool) -> bool:
    said = (was.channel, was.code) == (now.channel, now.code) and set(was.checks) <= set(now.checks)
    return said and (older or was.score == now.score)


def _named(name: str, numbers: dict[str, float], older: bool) -> list[float]:
    """The numbers that this name may mean."""
    is_cap = older and name.startswith("cap_used_")
    return [value for key, value in numbers.items() if key == name or (is_cap and key.startswith(name + "_"))]
