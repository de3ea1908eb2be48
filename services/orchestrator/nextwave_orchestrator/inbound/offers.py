"""What may be offered to who comes to us: the live campaigns that count them in, through the gate, ranked by the arbiter's formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace
from nextwave_contracts.identifiers import INTERNAL

from nextwave_orchestrator.campaigns.definition import Step
from nextwave_orchestrator.candidate import Candidate, GateInput, gate_input
from nextwave_orchestrator.catalogue import LiveCampaign, LiveWave
from nextwave_orchestrator.decisions import id_of
from nextwave_orchestrator.entry import entry_name
from nextwave_orchestrator.gate import Act, Defer, Judgement, decide
from nextwave_orchestrator.inbound.answer import Loser, Offer, Selling
from nextwave_orchestrator.inbound.selling import SELLING
from nextwave_orchestrator.inbound.visit import Visit
from nextwave_orchestrator.state import Run

OFFERS_MAX = 3
"""More than this nobody says on the phone."""
LOSERS_MAX = 50
NEVER = datetime.max.replace(tzinfo=UTC)


def may_sell(visit: Visit) -> Selling:
    """What the gate says to selling as such, whatever it be."""
    run = _as_run(visit, SELLING)
    candidate = Candidate(SELLING, run, "", (Step(channel=visit.channel),), visit.now, visit.answer_id)
    judgement = decide(replace(_arrived(visit, candidate), state="published"))
    attempt = judgement.attempts[0]
    allowed = isinstance(judgement.ruling, Act)
    detail = next((check.detail for check in attempt.checks if not check.passed), "")
    return Selling(allowed=allowed, code=attempt.code, detail=detail)


def rank(visit: Visit) -> tuple[tuple[Offer, ...], tuple[Loser, ...]]:
    """The best offers, best first, and what lost, with its reason and numbers, as much as is told. Ties break by priority, then key."""
    judged = [one for campaign, run in _counting_in(visit) if (one := _judge(visit, campaign, run)) is not None]
    losers = [one for one in judged if isinstance(one, Loser)]
    offers: list[Offer] = []
    for pitch in sorted((one for one in judged if isinstance(one, Pitch)), key=lambda pitch: pitch.rank):
        if len(offers) == OFFERS_MAX:
            losers.append(_outranked(pitch, offers[0]))
        elif (say := _content(visit, pitch.step)) is not None:
            offers.append(_offer(visit, pitch, say))
        else:
            losers.append(_wordless(pitch))
    return tuple(offers), tuple(sorted(losers, key=lambda loser: (-loser.score, loser.campaign))[:LOSERS_MAX])


def _counting_in(visit: Visit) -> Iterator[tuple[LiveCampaign, Run | None]]:
    """Campaigns that sell: on whose way the customer is, in the version they entered, and those whose audience they are in."""
    on_way = {run.campaign: run for run in reversed(visit.state.runs)}
    for run in on_way.values():
        entered = visit.catalogue.campaigns.get((run.campaign, run.version))
        if entered is not None and entered.definition.purpose == "marketing":
            yield entered, run
    for campaign in visit.catalogue.live:
        definition = campaign.definition
        if campaign.key in on_way or definition.purpose != "marketing":
            continue
        if visit.segment_of((definition.entry.audience.segment,)):
            yield campaign, None


@dataclass(frozen=True, slots=True)
class Pitch:
    """What the gate lets the agent offer."""

    campaign: LiveCampaign
    run: Run | None
    wave: str
    segment: str
    step: Step
    numbers: dict[str, float]

    @property
    def score(self) -> float:
        """What the arbiter's formula gives it, minor units; nothing is sent here, so its cost is 0."""
        return self.numbers["score"]

    @property
    def rank(self) -> tuple[float, int, str]:
        """Lower goes first."""
        return -self.score, self.campaign.definition.priority, self.campaign.key


def _judge(visit: Visit, campaign: LiveCampaign, run: Run | None) -> Pitch | Loser | None:
    """None for a campaign that has nothing to say here: keyed by a matter that nobody named, or no content for this customer."""
    if run is None and campaign.definition.entry.key:
        return None
    wave = next((wave for wave in campaign.waves if run is not None and wave.key == run.wave), campaign.waves[0])
    segment, step = _spoken(visit, campaign, wave)
    if step is None:
        return None
    given = _arrived(visit, Candidate(campaign, run or _as_run(visit, campaign), segment, (step,), visit.now, visit.answer_id))
    judgement = decide(given)
    if not isinstance(judgement.ruling, Act):
        return _refused(visit, campaign, given, judgement)
    again = _again_at(visit, campaign)
    if run is None and again is not None and visit.now < again:
        return _reentry(campaign, again, judgement)
    return Pitch(campaign, run, wave.key, segment, step, judgement.numbers)


def _spoken(visit: Visit, campaign: LiveCampaign, wave: LiveWave) -> tuple[str, Step | None]:
    """The step whose content is said: of this wave's mix for the customer, else of a later wave's, the inbound channel's own first."""
    place = campaign.waves.index(wave)
    mixes = [_mix(visit, one) for one in (*campaign.waves[place:], *campaign.waves[:place])]
    steps = [(segment, step) for segment, mix in mixes for step in mix if step.script or step.template]
    own = [(segment, step) for segment, step in steps if step.channel == visit.channel]
    segment, step = next(iter((*own, *steps)), ("", None))
    return segment, None if step is None else replace(step, channel=visit.channel)


def _mix(visit: Visit, wave: LiveWave) -> tuple[str, tuple[Step, ...]]:
    mixes = dict(wave.mixes)
    segment = visit.segment_of(mixes)
    return segment, mixes.get(segment, ())


def _as_run(visit: Visit, campaign: LiveCampaign) -> Run:
    """The way that the customer would be on."""
    first = campaign.waves[0]
    closes_at = visit.now + first.window
    return Run(
        run_id=id_of("inbound", visit.answer_id, campaign.key),
        campaign=campaign.key,
        version=campaign.version,
        entered_at=visit.now,
        wave=first.key,
        opened_at=visit.now,
        closes_at=closes_at,
        due_at=closes_at,
    )


def _arrived(visit: Visit, candidate: Candidate) -> GateInput:
    """The gate's input for somebody who is here already: nothing is sent, so address, cost, hours, caps and capacity do not count.

    Holds, unsolved matters (also a complaint whose hold has lapsed), withdrawn consents, holdouts and the rests after a complaint or a
    declined offer do; that they came to us is no reason to be silent.
    """
    given = gate_input(visit.catalogue, replace(visit.state, came_at=None), candidate)
    here = replace(
        given.offers[0],
        address=INTERNAL + given.customer_id,
        bounced=False,
        cost=0,
        loading=0,
        opt_in=False,
        quiet=(),
        capacity_free_at=None,
    )
    rests = {channel: until for channel, until in given.resting.items() if not channel}
    until = max(given.not_after, visit.now + candidate.campaign.waves[0].window)
    holds = tuple(hold for hold in given.holds if hold.kind != "complaint" or not given.open_complaints)
    return replace(given, inbound=True, holds=holds, offers=(here,), caps=(), limits=(), resting=rests, budget_left=None, not_after=until)


def _content(visit: Visit, step: Step) -> str | None:
    """The script, or the template's text for this customer; None where it fails."""
    if not step.template:
        return step.script
    try:
        return visit.catalogue.render(step.template, visit.shown).text
    except KeyError:
        return None


def _again_at(visit: Visit, campaign: LiveCampaign) -> datetime | None:
    """When the customer may enter again, the end of time for never; None for one who never was on this way."""
    last = visit.state.entries.get(entry_name(campaign.key, ""))
    if last is None:
        return None
    return NEVER if campaign.reentry is None else last + campaign.reentry


def _offer(visit: Visit, pitch: Pitch, say: str) -> Offer:
    campaign, run = pitch.campaign, pitch.run
    goal = campaign.definition.goal
    whose = f"of segment {pitch.segment}" if pitch.segment not in {"", "*"} else "as everybody"
    stands = f"on its way, in wave {pitch.wave}" if run else f"in its audience ({campaign.definition.entry.audience.segment})"
    return Offer(
        offer_id=id_of("offer", visit.answer_id, campaign.key),
        campaign=campaign.key,
        version=campaign.version,
        run_id=run.run_id if run else "",
        wave=pitch.wave,
        segment=pitch.segment,
        say=say,
        goal=goal.event,
        score=pitch.score,
        numbers=pitch.numbers,
        why=f"The customer is {stands}, spoken to {whose}; worth {pitch.score:.0f} of a goal of {goal.value}.",
    )


def _refused(visit: Visit, campaign: LiveCampaign, given: GateInput, judgement: Judgement) -> Loser:
    attempt = judgement.attempts[0]
    declined_at = visit.state.declined.get(campaign.key)
    detail = next((check.detail for check in attempt.checks if not check.passed), "")
    code: str = attempt.code
    until = judgement.ruling.until if isinstance(judgement.ruling, Defer) else None
    if code == "cap" and declined_at is not None:
        code, detail, until = "declined", f"declined on {declined_at.date().isoformat()}", given.resting.get("")
    return _lost(campaign, code, detail, until, judgement)


def _reentry(campaign: LiveCampaign, again: datetime, judgement: Judgement) -> Loser:
    if again == NEVER:
        return _lost(campaign, "reentry", "was on this way before and never enters again", None, judgement)
    return _lost(campaign, "reentry", "was on this way before, too short a while ago", again, judgement)


def _lost(campaign: LiveCampaign, code: str, detail: str, until: datetime | None, judgement: Judgement) -> Loser:
    numbers = judgement.numbers
    return Loser(campaign=campaign.key, code=code, detail=detail, until=until, score=numbers["score"], numbers=numbers)


def _wordless(pitch: Pitch) -> Loser:
    """Its template fails for this customer."""
    return Loser(
        campaign=pitch.campaign.key,
        code="not_ready",
        detail=f"template {pitch.step.template}",
        until=None,
        score=pitch.score,
        numbers=pitch.numbers,
    )


def _outranked(pitch: Pitch, best: Offer) -> Loser:
    detail = f"{best.campaign} is worth {best.score:.2f}"
    return Loser(campaign=pitch.campaign.key, code="outranked", detail=detail, until=None, score=pitch.score, numbers=pitch.numbers)
