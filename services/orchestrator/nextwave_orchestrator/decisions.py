"""A candidate becomes exactly one decision record, and a contact when the gate lets it act. All ids follow from what caused them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace
from nextwave_contracts.actions import Channel, Contact, Content
from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.decisions import Attempt, Decision, Result, Rival
from nextwave_contracts.identifiers import INTERNAL, InvalidIdentifierError, blind, identifier
from nextwave_contracts.reasons import GateCode
from nextwave_contracts.wire import Message

from nextwave_orchestrator.arbiter import standings
from nextwave_orchestrator.candidate import Candidate, GateInput, gate_input
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.channel_limits import excess
from nextwave_orchestrator.checks import expected_margin, hours_of
from nextwave_orchestrator.gate import Act, Defer, Judgement, Withhold, decide
from nextwave_orchestrator.hours.spans import permitted_spans
from nextwave_orchestrator.received import entry_data
from nextwave_orchestrator.state import CustomerState, attempt_id, contact_of


class Answer(Message, frozen=True, kw_only=True):
    """The part of a decision that its stored input alone leads to, so that it can be asked again."""

    result: Result
    reason: GateCode
    until: datetime | None = None
    channel: str = ""
    attempts: tuple[Attempt, ...] = ()
    numbers: dict[str, float] = {}
    rivals: tuple[Rival, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision with the input that leads to it again, and the contact, by which offer (its index), if it acts."""

    decision: Decision
    given: GateInput
    contact: Contact | None = None
    offer: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the gate says of a candidate; with the content if it lets it act."""

    given: GateInput
    judgement: Judgement
    content: Content | None = None


def id_of(*parts: str) -> str:
    """32 hex characters of SHA-256 over the parts, the same for the same parts for ever."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def answer(given: GateInput) -> Answer:
    """What the gate says of this input."""
    return _answer(given, decide(given))


def answer_in(decision: Decision) -> Answer:
    """What the gate said when the decision was made."""
    return Answer(
        result=decision.result,
        reason=decision.reason,
        until=decision.until,
        channel=decision.channel,
        attempts=decision.attempts,
        numbers=decision.numbers,
        rivals=decision.rivals,
        language=decision.language,
    )


def propose(catalogue: Catalogue, customer: CustomerState, candidate: Candidate) -> Proposal:
    """What the gate says of this candidate, which has at least one channel. A channel whose template is missing or fails is not ready."""
    given = gate_input(catalogue, customer, candidate)
    judgement = decide(given)
    content: Content | None = None
    while isinstance(judgement.ruling, Act) and content is None:
        try:
            content = _content(catalogue, customer, candidate, judgement.offer)
        except KeyError as wrong:
            given = _with_offer(given, judgement.offer, wanting=f"template {wrong.args[0]}")
            judgement = decide(given)
        else:
            given = _with_offer(given, judgement.offer, language=content.language)
    return Proposal(given, judgement, content)


def judge(catalogue: Catalogue, customer: CustomerState, candidate: Candidate) -> Judged:
    """The one decision of this candidate, and its contact if it acts."""
    proposal = propose(catalogue, customer, candidate)
    given, judgement, content = proposal.given, proposal.judgement, proposal.content
    decision = _record(candidate, given, _answer(given, judgement))
    if content is None or decision.result != "act":
        return Judged(decision, given)
    first = contact_of(candidate.run.action_id) or id_of("action", decision.decision_id)
    decision = replace(decision, action_id=attempt_id(first, candidate.attempt))
    contact = _contact(catalogue, customer, candidate, Approved(given, decision, judgement.offer, content))
    return Judged(decision, given, contact, judgement.offer)


@dataclass(frozen=True, slots=True)
class Approved:
    """What the gate let through: the offer (its index) and what is said."""

    given: GateInput
    decision: Decision
    offer: int
    content: Content


def _answer(given: GateInput, judgement: Judgement) -> Answer:
    channel = given.offers[judgement.offer].channel
    attempts, numbers = judgement.attempts, judgement.numbers
    rivals = standings(given, given.offers[judgement.offer])
    match judgement.ruling:
        case Act():
            said = Answer(result="act", reason="permitted", channel=channel, attempts=attempts, numbers=numbers, rivals=rivals)
            return replace(said, language=given.offers[judgement.offer].language)
        case Defer(until, reason):
            said = Answer(result="defer", reason=reason, until=until, channel=channel, attempts=attempts, numbers=numbers)
            return replace(said, rivals=rivals)
        case Withhold(reason):
            return Answer(result="withhold", reason=reason, channel=channel, attempts=attempts, numbers=numbers, rivals=rivals)
        case never:
            assert_never(never)


def _with_offer(given: GateInput, index: int, **changes: str) -> GateInput:
    offers = [replace(offer, **changes) if n == index else offer for n, offer in enumerate(given.offers)]
    return replace(given, offers=tuple(offers))


def _record(candidate: Candidate, given: GateInput, said: Answer) -> Decision:
    return Decision(
        decision_id=id_of("decision", given.run_id, given.wave, str(candidate.run.tries)),
        customer_id=given.customer_id,
        campaign=given.campaign,
        version=given.version,
        wave=given.wave,
        run_id=given.run_id,
        segment=candidate.segment,
        purpose=given.purpose,
        at=given.now,
        result=said.result,
        reason=said.reason,
        until=said.until,
        channel=said.channel,
        attempts=said.attempts,
        numbers=said.numbers,
        rivals=said.rivals,
        attempt=given.attempt,
        language=said.language,
        caused_by=candidate.caused_by,
    )


def _content(catalogue: Catalogue, customer: CustomerState, candidate: Candidate, index: int) -> Content:
    """Raises `KeyError` with what is wrong with the template, or with what it comes to for this channel."""
    step = candidate.steps[index]
    if not step.template:
        return Content(text=step.script)
    assert customer.profile is not None
    content = catalogue.render(step.template, customer.profile, entry_data(customer, candidate.campaign, candidate.run))
    too_much = excess(step.channel, content, catalogue.policy.sms_segments)
    if too_much:
        raise KeyError(f"{step.template}: {too_much}")
    return content


def names_of(profile: Snapshot, channel: Channel, address: str) -> tuple[str, ...]:
    """Every name by which a stop can mean this contact, each once.

    Those of the customer, those by which links sent to customers absorbed since name it, and that of the address, whoever owns it.
    """
    addressed = _name_of_address(channel, address)
    own = (INTERNAL + customer_id for customer_id in (profile.customer_id, *profile.absorbed))
    return tuple(dict.fromkeys((*own, *addressed, *profile.identifiers)))


def _name_of_address(channel: Channel, address: str) -> tuple[str, ...]:
    kind = CHANNELS[channel].identifier
    return (_normal(kind, address),) if kind else ()


def _normal(kind: str, address: str) -> str:
    """The name as the door writes it; an address that is none is taken as it stands."""
    try:
        return identifier(kind, address)
    except InvalidIdentifierError:
        return f"{kind}:{address}"


def _contact(catalogue: Catalogue, customer: CustomerState, candidate: Candidate, approved: Approved) -> Contact:
    given, decision = approved.given, approved.decision
    offer, step = given.offers[approved.offer], candidate.steps[approved.offer]
    assert customer.profile is not None
    return Contact(
        action_id=decision.action_id,
        decision_id=decision.decision_id,
        customer_id=given.customer_id,
        campaign=given.campaign,
        version=given.version,
        wave=given.wave,
        run_id=given.run_id,
        segment=decision.segment,
        channel=step.channel,
        purpose=given.purpose,
        address=offer.address,
        content=approved.content,
        subjects=tuple(blind(name, catalogue.identifier_key) for name in names_of(customer.profile, step.channel, offer.address)),
        address_subject="".join(blind(name, catalogue.identifier_key) for name in _name_of_address(step.channel, offer.address)),
        permitted=permitted_spans(hours_of(given, offer), given.now, given.not_after),
        decided_at=given.now,
        not_after=given.not_after,
        cost=offer.cost,
        currency=catalogue.policy.currency,
        value=expected_margin(given, offer),
        template=step.template,
        list=step.list or step.team,
        attempts=step.attempts,
        attempt=candidate.attempt,
        spacing_seconds=int(candidate.campaign.spacing(step.spacing).total_seconds()),
    )
