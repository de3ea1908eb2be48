"""Decides at the end of a turn, together, whatever wants to contact the customer: so it does not matter what came first in it.

See `docs/decisions/0008-who-wins.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from msgspec.structs import replace
from nextwave_contracts.actions import UNHELD_PURPOSES
from nextwave_contracts.decisions import Rival
from nextwave_contracts.reasons import GateCode

from nextwave_orchestrator.allowances import Leases
from nextwave_orchestrator.arbiter import claim, rank, uses_up
from nextwave_orchestrator.attempts import step_of
from nextwave_orchestrator.campaigns.definition import Pick
from nextwave_orchestrator.candidate import Candidate
from nextwave_orchestrator.catalogue import LiveCampaign
from nextwave_orchestrator.decisions import Judged, judge, propose
from nextwave_orchestrator.gate import Act, Defer
from nextwave_orchestrator.lacking import lacked, lacks
from nextwave_orchestrator.state import Run
from nextwave_orchestrator.turn import Turn
from nextwave_orchestrator.waves import LOOK_AGAIN, campaign_of, follow, is_held, mix_of, retry

FORESEEN: frozenset[GateCode] = frozenset({"hours", "cap", "capacity"})
"""Reasons to wait whose end is known. Who waits for anything else holds nobody up."""
LOOKS_MAX = 8
"""How often a candidate is asked at the instant to which it would be put off, before it counts as one that nobody can foresee."""

Claims = dict[str, Rival]
"""By run, when and how its candidate would act if it were alone."""


def settle(turn: Turn) -> None:
    """Decides every candidate whose wave wants a contact, whose instant has come, or whose winner gave way; each ends in one decision.

    While a merge is under way all of them are put off.
    """
    if turn.state.waits(turn.now):
        _put_off(turn)
        return
    asked: set[str] = set()
    while wanting := [run for run in turn.state.runs if run.run_id not in asked and _wants(turn, run, asked)]:
        asked.update(run.run_id for run in wanting)
        _decide(turn, wanting)


def decide_alone(turn: Turn, campaign: LiveCampaign, run: Run) -> None:
    """Decides the candidate of somebody who is held out, at once and without rivals."""
    turn.want(run)
    candidate = _candidate(turn, campaign, run)
    if candidate is not None:
        follow(turn, candidate.run, judge(turn.catalogue, turn.state, candidate))


def _put_off(turn: Turn) -> None:
    for run in turn.state.runs:
        if run.run_id in turn.wants:
            turn.keep(replace(run, retry_at=turn.now))
    if turn.wants:
        turn.put_off()


def _wants(turn: Turn, run: Run, asked: AbstractSet[str]) -> bool:
    if _is_due(turn, run) or (run.run_id in turn.wants and not run.action_id):
        return True
    return _waits(run) and any(not _still_comes(turn, other, asked) for other in run.yields_to)


def _is_due(turn: Turn, run: Run) -> bool:
    """Whether the instant has come to which the candidate was put off."""
    return run.retry_at is not None and run.retry_at <= turn.now and run.retry_at < run.closes_at


def _waits(run: Run) -> bool:
    """Whether the candidate of the run's wave was put off."""
    return run.retry_at is not None and not run.action_id


def _still_comes(turn: Turn, run_id: str, asked: AbstractSet[str]) -> bool:
    """Whether the contact to which others yield may still be made: at its instant, or, when it was just asked, at a later one it has."""
    run = turn.state.run(run_id)
    if run is None or not _waits(run) or is_held(turn, run):
        return False
    if run_id not in asked or _is_due(turn, run):
        return True
    pending = _pending(turn, run)
    return pending is not None and _claim(turn, pending) is not None


def _decide(turn: Turn, wanting: Sequence[Run]) -> None:
    candidates: list[Candidate] = []
    for run in wanting:
        campaign = campaign_of(turn, run)
        candidate = None if campaign is None or is_held(turn, run) else _candidate(turn, campaign, run)
        if candidate is not None:
            candidates.append(candidate)
        elif campaign is None or is_held(turn, run):
            retry(turn, replace(run, retry_at=turn.now + LOOK_AGAIN, yields_to=()))
        else:
            turn.keep(replace(run, retry_at=None, yields_to=()))
    lacking = [one for one in candidates if lacks(turn, one)]
    if lacking:
        _look_again(turn, candidates)
        return
    _decide_unranked(turn, [c for c in candidates if not _is_ranked(c)])
    _decide_ranked(turn, [c for c in candidates if _is_ranked(c)])


def _look_again(turn: Turn, candidates: Sequence[Candidate]) -> None:
    """Nothing is decided while a budget or capacity is asked for, so that the candidates are ranked together."""
    for run in [turn.state.run(candidate.run.run_id) for candidate in candidates]:
        if run is not None:
            retry(turn, replace(run, retry_at=turn.now))


def _is_ranked(candidate: Candidate) -> bool:
    """What is owed to the customer is not, nor is a further attempt at a call that was begun."""
    return candidate.attempt == 1 and candidate.campaign.definition.purpose not in UNHELD_PURPOSES


def _decide_unranked(turn: Turn, candidates: Sequence[Candidate]) -> None:
    """These go first, by priority, then key, each beside what those before it took."""
    for candidate in sorted(candidates, key=_by_priority):
        _conclude(turn, candidate, judge(turn.catalogue, turn.state, candidate))


def _decide_ranked(turn: Turn, candidates: Sequence[Candidate]) -> None:
    """Those worth most first. All of them look at the caps as they were before, and at one another.

    What one of them takes of a budget or capacity can make another act by another channel than it claimed: then it is decided beside
    what was just made, and so is the rest.
    """
    before, claims = turn.state, _claims(turn, candidates)
    order = {run_id: n for n, run_id in enumerate(sorted(claims, key=lambda run_id: rank(claims[run_id])))}
    ordered = sorted(candidates, key=lambda c: (order.get(c.run.run_id, len(order)), *_by_priority(c)))
    for n, candidate in enumerate(ordered, 1):
        own = claims.get(candidate.run.run_id)
        acts_now = own is not None and own.at == turn.now
        rivals = tuple(claims[run_id] for run_id in order if run_id in claims and claims[run_id] is not own) if acts_now else ()
        judged = judge(turn.catalogue, before, candidate.against(rivals))
        if claims and not _is_as_claimed(judged, own):
            _conclude(turn, candidate, judge(turn.catalogue, turn.state, candidate))
            _decide_ranked(turn, ordered[n:])
            return
        if not _conclude(turn, candidate, judged):
            _look_again(turn, ordered[n:])
            return
        if acts_now and judged.decision.reason not in {"permitted", "outranked"}:
            _claim_anew(turn, candidate, claims)


def _claim_anew(turn: Turn, candidate: Candidate, claims: Claims) -> None:
    """What others took of a capacity leaves it a later place, or none."""
    later = _claim(turn, candidate)
    if later is None:
        del claims[candidate.run.run_id]
    else:
        claims[candidate.run.run_id] = later


def _is_as_claimed(judged: Judged, own: Rival | None) -> bool:
    """Whether it does not act, or takes no place in a cap, or exactly the place that it claimed."""
    wanted = claim(judged.given, judged.given.offers[judged.offer])
    if judged.decision.result != "act" or not uses_up(judged.given, wanted):
        return True
    return own is not None and (own.at, own.channel) == (wanted.at, wanted.channel)


def _conclude(turn: Turn, candidate: Candidate, judged: Judged) -> bool:
    """Says and does what was judged; false where the candidate looks again instead, since others took what it lacks meanwhile."""
    if lacked(turn, judged.given, judged.decision.attempts):
        _look_again(turn, (candidate,))
        return False
    follow(turn, candidate.run, judged)
    if judged.decision.result == "act":
        _has_acted(turn, candidate.run.run_id)
    return True


def _has_acted(turn: Turn, run_id: str) -> None:
    """Its place is taken now, whatever becomes of the run: who yielded to it waits for the cap."""
    for run in turn.state.runs:
        if run_id in run.yields_to:
            turn.keep(replace(run, yields_to=tuple(other for other in run.yields_to if other != run_id)))


def _claims(turn: Turn, candidates: Sequence[Candidate]) -> Claims:
    """Of the candidates, and of those put off before, the ones that would take a place in a cap; none when there is nobody to rank."""
    asked = {candidate.run.run_id for candidate in candidates}
    pending = [run for run in turn.state.runs if _waits(run) and run.run_id not in asked]
    if not candidates or len(candidates) + len(pending) == 1:
        return {}
    others = [_pending(turn, run) for run in pending]
    found = (_claim(turn, one) for one in (*candidates, *others) if one is not None)
    return {one.run_id: one for one in found if one is not None}


def _pending(turn: Turn, run: Run) -> Candidate | None:
    """The candidate that was put off, at its instant; None while its campaign stands still."""
    campaign = campaign_of(turn, run)
    candidate = None if campaign is None or is_held(turn, run) else _candidate(turn, campaign, run)
    return None if candidate is None or run.retry_at is None else candidate.at(max(turn.now, run.retry_at))


def _claim(turn: Turn, candidate: Candidate) -> Rival | None:
    """The place that the candidate would take in the caps if it were alone, now or when it is put off to; None where it takes none."""
    for _ in range(LOOKS_MAX):
        proposal = propose(turn.catalogue, turn.state, candidate)
        match proposal.judgement.ruling:
            case Act(offer):
                wanted = claim(proposal.given, proposal.given.offers[offer])
                return wanted if uses_up(proposal.given, wanted) else None
            case Defer(until, reason) if reason in FORESEEN:
                candidate = candidate.at(until)
            case _:
                return None
    return None


def _candidate(turn: Turn, campaign: LiveCampaign, run: Run) -> Candidate | None:
    """The candidate of the run's open wave: a first contact, or a further attempt by the same step; None where nobody's mix fits.

    After the window it is asked without leases, since nothing of them is waited for: the gate then comes to that it is too late.
    """
    leases = turn.leases if turn.now < run.closes_at else Leases()
    wave = next(w for w in campaign.waves if w.key == run.wave)
    cause = turn.wants.get(run.run_id, f"{turn.state.customer_id}/{run.run_id}")
    asking = partial(Candidate, campaign, now=turn.now, caused_by=cause, leases=leases)
    asked = replace(run, tries=run.tries + 1, retry_at=None, yields_to=())
    if run.action_id:
        step = step_of(wave, run)
        return None if step is None else asking(run=asked, segment=run.segment, steps=(step,), attempt=max(run.attempt, 1) + 1)
    segment, steps = mix_of(turn, wave, run.branch)
    asked = replace(asked, segment=segment or run.segment)
    pick: Pick = "best" if segment in wave.best else "first_permitted"
    return asking(run=asked, segment=asked.segment, steps=steps, pick=pick) if steps else None


def _by_priority(candidate: Candidate) -> tuple[int, str, str]:
    return candidate.campaign.definition.priority, candidate.campaign.key, candidate.run.run_id
