"""A template sent to an address of the house itself: it goes the way of every contact, but is nobody's and counts for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from nextwave_contracts.actions import TEST_CUSTOMER, Channel, Contact, Content
from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.decisions import Decision
from nextwave_contracts.faults import Fault, step
from nextwave_contracts.identifiers import InvalidIdentifierError, blind, identifier

from nextwave_orchestrator.campaigns.checks import KEY, KEY_FIX
from nextwave_orchestrator.campaigns.definition import HouseAddresses
from nextwave_orchestrator.candidate import GateInput, Offer
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.checks import hours_of
from nextwave_orchestrator.decisions import Judged, answer, id_of
from nextwave_orchestrator.hours.spans import permitted_spans

PROOF = "proof"
"""Kind of the timer by which the API hands one over; its key is the action's id."""
LASTS = timedelta(minutes=15)
"""How long it may still be sent."""
PER_HOUR = 20
"""How many may be ordered within an hour, by whomever."""
TRIED_BY: tuple[Channel, ...] = ("email", "sms", "webpush")
"""By which they can be sent."""
ADDRESSES_MAX = 50


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One, as it was ordered: `by` is the caller's name."""

    action_id: str
    by: str
    template: str
    channel: Channel
    address: str
    content: Content

    @property
    def customer_id(self) -> str:
        """Nobody, and another nobody for each."""
        return TEST_CUSTOMER + self.action_id


def action_id_of(by: str, key: str) -> str:
    """The same for the same caller and idempotency key for ever, so that it is sent once."""
    return id_of("proof", by, key)


def decision_id_of(action_id: str) -> str:
    """The id of the record that says it was sent."""
    return id_of("decision", action_id)


def address_faults(written: HouseAddresses) -> list[Fault]:
    """Every fault of the list of addresses."""
    many = len(written.addresses)
    faults = [Fault("/addresses", f"{many} addresses", f"keep at most {ADDRESSES_MAX}")] if many > ADDRESSES_MAX else []
    return [*faults, *_faults(written)]


def _faults(written: HouseAddresses) -> Iterator[Fault]:
    for name, one in written.addresses.items():
        at = "/addresses" + step(name)
        if not KEY.fullmatch(name):
            yield Fault(at, f"{name!r:.80} is no name", KEY_FIX)
        if one.channel not in TRIED_BY:
            yield Fault(at + "/channel", f"nothing is sent to try it by {one.channel}", f"use one of {', '.join(TRIED_BY)}")
            continue
        try:
            identifier(CHANNELS[one.channel].identifier, one.address)
        except InvalidIdentifierError as wrong:
            yield Fault(at + "/address", str(wrong), "write for example ann@example.com, or +4915112345678")


def judge_proof(proof: Proof, catalogue: Catalogue, now: datetime) -> Judged:
    """Its decision, made by the gate as any other, and the contact. Who stopped the address gets none: the claim asks again."""
    given = _given(proof, catalogue, now)
    said = answer(given)
    decision = Decision(
        decision_id=decision_id_of(proof.action_id),
        customer_id=given.customer_id,
        campaign=given.campaign,
        version=given.version,
        wave=given.wave,
        run_id=given.run_id,
        segment="",
        purpose=given.purpose,
        at=now,
        result=said.result,
        reason=said.reason,
        channel=said.channel,
        attempts=said.attempts,
        numbers=said.numbers,
        action_id=proof.action_id,
        caused_by=f"test by {proof.by}",
        language=said.language,
        test=True,
    )
    return Judged(decision, given, _contact(proof, given, catalogue))


def _given(proof: Proof, catalogue: Catalogue, now: datetime) -> GateInput:
    cost = catalogue.policy.channel_costs.get(proof.channel, 0)
    return GateInput(
        customer_id=proof.customer_id,
        campaign="",
        version=0,
        wave="test",
        run_id=proof.action_id,
        purpose="transactional",
        now=now,
        not_after=now + LASTS,
        state="published",
        salt="",
        holdouts=(),
        offers=(Offer(channel=proof.channel, address=proof.address, cost=cost, language=proof.content.language),),
        consents=(),
        holds=(),
        open_complaints=0,
        unsatisfied=False,
        not_ready=(),
        zones=(),
        country="",
        region="",
        caps=(),
        reservations=(),
        resting={},
        cell="",
        risk=0.0,
        goal_value=0.0,
        lever=1.0,
    )


def _contact(proof: Proof, given: GateInput, catalogue: Catalogue) -> Contact:
    (offer,) = given.offers
    named = blind(identifier(CHANNELS[proof.channel].identifier, proof.address), catalogue.identifier_key)
    return Contact(
        action_id=proof.action_id,
        decision_id=decision_id_of(proof.action_id),
        customer_id=given.customer_id,
        campaign=given.campaign,
        version=given.version,
        wave=given.wave,
        run_id=given.run_id,
        segment="",
        channel=proof.channel,
        purpose=given.purpose,
        address=proof.address,
        content=proof.content,
        subjects=(named,),
        address_subject=named,
        permitted=permitted_spans(hours_of(given, offer), given.now, given.not_after),
        decided_at=given.now,
        not_after=given.not_after,
        cost=offer.cost,
        currency=catalogue.policy.currency,
        template=proof.template,
        test=True,
    )
