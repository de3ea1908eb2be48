"""The state machine: evidence in any order and number ends in the same state; what we do is guarded."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from channel_contacts import NOON, a_contact
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.delivery import (
    EVIDENCE,
    RETRY_SECONDS,
    Delivery,
    State,
    Step,
    Way,
    begin,
    conclude,
    give_up,
    learn,
    lose,
    postpone,
    queue,
    withdraw,
)
from nextwave_channels.dispatcher import STALE
from nextwave_contracts.outcomes import OutcomeKind

BUSY_NOW = Refused(detail="503", permanent=False)
kinds = st.sampled_from(sorted(EVIDENCE))


def sending(attempt: int = 1) -> Delivery:
    return Delivery(contact=a_contact(), state="sending", due_at=NOON, attempt=attempt)


def after(step: Step | None, before: Delivery) -> Delivery:
    return step.delivery if step else before


def told(start: Delivery, evidence: list[OutcomeKind]) -> tuple[Delivery, list[OutcomeKind], int]:
    """The final delivery, the outcomes reported on the way, and their cost."""
    delivery, reported, cost = start, list[OutcomeKind](), 0
    for kind in evidence:
        step = learn(delivery, kind, NOON)
        if step and step.outcome:
            reported.append(step.outcome.kind)
            cost += step.outcome.cost
        delivery = after(step, delivery)
    return delivery, reported, cost


@settings(deadline=None)
@given(st.lists(kinds, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_callbacks_twice_late_and_in_any_order_end_in_the_same_state(evidence: list[OutcomeKind], random: object) -> None:
    shuffled = [*evidence, *evidence]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(sending(), evidence)[0].state == told(sending(), shuffled)[0].state


@settings(deadline=None)
@given(st.lists(kinds, max_size=5), st.integers(0, 5))
def test_the_providers_own_answer_may_come_at_any_point_between_callbacks(evidence: list[OutcomeKind], place: int) -> None:
    first, _, _ = told(sending(), evidence[:place])
    answered = after(conclude(first, Accepted(provider_id="SM1"), NOON), first)
    whole, _, _ = told(answered, evidence[place:])
    assert whole.state == told(sending(), ["accepted", *evidence])[0].state
    assert whole.provider_id == "SM1"


@settings(deadline=None)
@given(st.lists(kinds, max_size=12))
def test_each_outcome_is_reported_at_most_once_and_the_cost_too(evidence: list[OutcomeKind]) -> None:
    _, reported, cost = told(sending(), evidence)
    assert len(reported) == len(set(reported))
    assert cost == (3 if set(reported) - {"failed"} else 0)


@pytest.mark.parametrize(
    ("evidence", "booked"), [(["failed", "delivered"], "delivered"), (["accepted", "failed", "delivered"], "accepted"), (["failed"], None)]
)
def test_what_is_proven_made_after_it_failed_is_booked_then_unless_it_was_before(evidence: list[OutcomeKind], booked: str | None) -> None:
    delivery, taken = sending(), list[str]()
    for kind in evidence:
        step = learn(delivery, kind, NOON)
        assert step is not None
        assert step.outcome is not None
        taken += [step.outcome.kind] if step.outcome.taken else []
        assert step.outcome.cost == (3 if step.outcome.taken else 0)
        delivery = step.delivery
    assert taken == ([booked] if booked else [])


def test_the_cost_is_that_of_the_provider_who_took_it() -> None:
    begun = begin(queue(a_contact(cost=3), NOON), NOON, 60, Way("cheap", 2)).delivery
    again = after(conclude(begun, BUSY_NOW, NOON), begun)
    taken = learn(begin(again, NOON, 60, Way("dear", 7)).delivery, "accepted", NOON)
    assert taken is not None
    assert taken.outcome is not None
    assert (taken.delivery.provider, taken.outcome.cost) == ("dear", 7)


def test_a_delivery_told_delivered_before_accepted_books_its_cost_with_delivered() -> None:
    assert told(sending(), ["delivered", "accepted"])[1:] == (["delivered"], 3)


@pytest.mark.parametrize("order", list(permutations(["accepted", "delivered", "bounced"])))
def test_a_bounce_after_delivery_stays_a_bounce_in_every_order(order: tuple[OutcomeKind, ...]) -> None:
    assert told(sending(), list(order))[0].state == "bounced"


def test_a_claim_counts_the_attempt_and_holds_the_lease() -> None:
    step = begin(queue(a_contact(), NOON), NOON, 60)
    assert (step.delivery.state, step.delivery.attempt, step.delivery.held_seconds, step.outcome) == ("sending", 1, 60, None)


@pytest.mark.parametrize("state", ["sending", "unknown", "accepted", "withdrawn"])
def test_only_a_queued_delivery_can_be_claimed_postponed_or_withdrawn(state: str) -> None:
    delivery = Delivery(contact=a_contact(), state=state, due_at=NOON)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        begin(delivery, NOON, 60)
    with pytest.raises(AssertionError):
        postpone(delivery, NOON, NOON)
    with pytest.raises(AssertionError):
        give_up(delivery, NOON, "withdrawn", "campaign_stopped")


def test_a_sure_temporary_refusal_queues_it_again_after_the_scheduled_wait() -> None:
    step = conclude(sending(attempt=2), BUSY_NOW, NOON)
    assert step is not None
    assert (step.delivery.state, step.delivery.held_seconds, step.outcome) == ("due", RETRY_SECONDS[1], None)


def test_the_provider_may_ask_for_a_longer_wait_but_not_for_an_endless_one() -> None:
    waits = [conclude(sending(), Refused(detail="429", permanent=False, retry_after_seconds=s), NOON) for s in (40.0, 0.0, 1e9)]
    assert [step.delivery.held_seconds for step in waits if step] == [40.0, RETRY_SECONDS[0], 3600.0]


def test_after_the_last_try_a_temporary_refusal_fails_it() -> None:
    last = conclude(sending(attempt=len(RETRY_SECONDS)), BUSY_NOW, NOON)
    beyond = conclude(sending(attempt=len(RETRY_SECONDS) + 1), BUSY_NOW, NOON)
    assert [step.delivery.state for step in (last, beyond) if step] == ["due", "failed"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Refused(detail="550 no such user", permanent=True), "failed"),
        (Refused(detail="400 21610", permanent=True, opted_out=True), "refused"),
        (Uncertain(detail="connection lost"), "unknown"),
        (Accepted(), "accepted"),
    ],
)
def test_each_answer_of_a_provider_has_its_state(answer: Answer, state: str) -> None:
    step = conclude(sending(), answer, NOON)
    assert step is not None
    assert step.outcome is not None
    assert (step.delivery.state, step.outcome.kind) == (state, state)


@pytest.mark.parametrize("before", ["sending", "unknown"])
@pytest.mark.parametrize(
    "answer", [Refused(detail="400 21610", permanent=True, opted_out=True), Refused(detail="550", permanent=True, bounced=True)]
)
def test_what_the_provider_itself_refused_costs_nothing_and_counts_as_no_contact(answer: Refused, before: State) -> None:
    step = conclude(Delivery(contact=a_contact(cost=8), state=before, due_at=NOON, attempt=1), answer, NOON)
    assert step is not None
    assert step.outcome is not None
    assert (step.outcome.taken, step.outcome.cost, step.delivery.taken) == (False, 0, False)


@pytest.mark.parametrize("attempt", [1, len(RETRY_SECONDS), len(RETRY_SECONDS) + 1, 50])
def test_a_try_at_which_nobody_was_asked_never_fails_it_and_waits_no_longer_than_the_first(attempt: int) -> None:
    step = conclude(sending(attempt), STALE, NOON)
    assert step is not None
    assert (step.delivery.state, step.delivery.held_seconds, step.outcome) == ("due", RETRY_SECONDS[0], None)


def test_a_delivery_withdrawn_while_it_is_sending_is_not_tried_again_after_a_sure_refusal() -> None:
    marked = withdraw(sending(), NOON, "responded")
    assert (marked.delivery.state, marked.delivery.held_seconds, marked.outcome) == ("sending", None, None)
    again = withdraw(marked.delivery, NOON, "campaign_stopped").delivery
    step = conclude(again, BUSY_NOW, NOON)
    assert step is not None
    assert step.outcome is not None
    assert (step.delivery.state, step.outcome.kind, step.outcome.detail) == ("withdrawn", "withdrawn", "responded")


@pytest.mark.parametrize(
    ("answer", "state"),
    [(Accepted(), "accepted"), (Uncertain(detail="lost"), "unknown"), (Refused(detail="550", permanent=True), "failed")],
)
def test_a_withdrawal_while_sending_takes_no_other_answer_away(answer: Answer, state: str) -> None:
    step = conclude(withdraw(sending(), NOON, "responded").delivery, answer, NOON)
    assert step is not None
    assert step.delivery.state == state


def test_a_refusal_after_the_lease_ran_out_settles_it_without_another_send() -> None:
    step = conclude(after(lose(sending(), NOON, "lease"), sending()), BUSY_NOW, NOON)
    assert step is not None
    assert step.delivery.state == "failed"


def test_an_unknown_delivery_is_reconciled_by_a_later_callback() -> None:
    lost = after(lose(sending(), NOON, "lease"), sending())
    assert told(lost, ["delivered"])[1:] == (["delivered"], 3)


def test_a_callback_that_came_first_is_not_taken_back_by_a_lost_lease_or_a_late_refusal() -> None:
    delivered, _, _ = told(sending(), ["delivered"])
    assert lose(delivered, NOON, "lease") is None
    assert conclude(delivered, BUSY_NOW, NOON) is None


def test_an_outcome_names_its_contact_and_has_an_id_that_a_repetition_shares() -> None:
    outcomes = [step.outcome for step in (learn(sending(), "delivered", NOON + timedelta(hours=n)) for n in (0, 1)) if step]
    assert [(o.id, o.action_id, o.run_id, o.wave) for o in outcomes if o] == [("action-1:delivered", "action-1", "run-1", "tell")] * 2


def test_a_providers_words_are_kept_as_one_bounded_line() -> None:
    step = conclude(sending(), Refused(detail="550 no\r\nX: y\0" + "z" * 999, permanent=True), NOON)
    assert step is not None
    assert step.delivery.detail.isprintable()
    assert len(step.delivery.detail) <= 200


@pytest.mark.parametrize("kind", sorted(EVIDENCE))
def test_a_test_and_what_confirms_a_stop_go_their_way_and_are_reported_to_nobody(kind: OutcomeKind) -> None:
    for contact in (a_contact(test=True), a_contact(action_id="stop-confirmation-1", channel="sms", purpose="transactional")):
        step = learn(Delivery(contact=contact, state="sending", due_at=NOON, attempt=1), kind, NOON)
        assert step is not None
        assert (step.delivery.state, step.outcome) == (kind, None)


@pytest.mark.parametrize("words", ["550 5.1.1 <ann@example.com>: unknown", "400 21211 The 'To' number +14155550100 is not valid"])
def test_a_providers_words_are_kept_and_reported_without_the_address(words: str) -> None:
    steps = [
        conclude(sending(), Refused(detail=words, permanent=True), NOON),
        conclude(sending(), Refused(detail=words, permanent=False), NOON),
        conclude(sending(), Uncertain(detail=words), NOON),
        learn(sending(), "bounced", NOON, detail=words),
        withdraw(sending(), NOON, words),
    ]
    for step in steps:
        assert step is not None
        said = step.delivery.detail + step.delivery.withdrawn_reason + (step.outcome.detail if step.outcome else "")
        assert "•••" in said
        assert "ann@" not in said
        assert "4155550100" not in said


def test_a_providers_id_is_kept_as_it_is_since_callbacks_name_it() -> None:
    step = conclude(sending(), Accepted(provider_id="4915112345678"), NOON)
    assert step is not None
    assert step.delivery.provider_id == "4915112345678"
