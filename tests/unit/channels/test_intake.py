"""The fold of the channels: contacts, withdrawals, campaign stops, holds, and the outcomes of others that it publishes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from channel_contacts import DAY, HOUR, NOON, a_contact
from nextwave_channels.confirming import name_of
from nextwave_channels.delivery import Delivery, queue
from nextwave_channels.gate import Fact, forbidden
from nextwave_channels.intake import STOP_TIMER, Batch, Intake
from nextwave_contracts.actions import Contact, ResumeCampaign, Span, StopCampaign, Withdraw
from nextwave_contracts.holds import Hold
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import ACTIONS, HOLDS, OUTCOMES
from nextwave_contracts.wire import encode
from nextwave_runtime.application import Taken, Timer

INTAKE = Intake(frozenset({"email", "sms", "call"}), lambda _channel: None)


def a_batch(*queued: Delivery, **changes: Any) -> Batch:
    known: dict[str, Any] = {
        "partition": 0,
        "partitions": 4,
        "now": NOON,
        "existing": set(),
        "unsent": {d.contact.action_id: d for d in queued},
        "facts": {},
        "campaigns": {},
    }
    return Batch(**{**known, **changes})


def fold(batch: Batch, *messages: object, now: datetime = NOON) -> list[tuple[str, str, str]]:
    """(action, kind, detail) of every outcome that is published."""
    told = []
    for n, message in enumerate(messages):
        topic = HOLDS if isinstance(message, Hold) else ACTIONS
        item = message if isinstance(message, Timer) else Taken(topic, 0, n, now, message)
        for outgoing in list(INTAKE.fold(batch, item, now)):
            assert outgoing.topic is OUTCOMES
            told.append((outgoing.message.action_id, outgoing.message.kind, outgoing.message.detail))
    return told


def a_hold(**changes: Any) -> Hold:
    known: dict[str, Any] = {"id": "h", "source": "s", "kind": "opt_out", "subjects": ("hash-ann-id",), "at": NOON}
    return Hold(**{**known, **changes})


def test_a_contact_is_queued_for_its_first_permitted_instant() -> None:
    batch = a_batch()
    assert fold(batch, a_contact(), a_contact(action_id="action-2"), now=NOON + 9 * HOUR) == []
    assert [(d.state, d.due_at) for d in batch.new.values()] == [("due", NOON + DAY)] * 2


def test_the_same_action_again_changes_nothing() -> None:
    batch = a_batch(existing={"action-1"})
    assert fold(batch, a_contact(), a_contact(action_id="action-2"), a_contact(action_id="action-2")) == []
    assert list(batch.new) == ["action-2"]


def test_a_channel_without_adapter_fails_the_contact_at_once() -> None:
    assert fold(a_batch(), a_contact(channel="letter")) == [("action-1", "failed", "no adapter for channel letter")]


def test_a_withdrawal_ends_what_is_queued_for_the_run_even_of_the_same_batch() -> None:
    batch = a_batch(queue(a_contact(), NOON), queue(a_contact(action_id="other", run_id="run-2"), NOON))
    message = Withdraw(customer_id="customer-1", run_id="run-1", reason="responded", at=NOON)
    assert fold(batch, a_contact(action_id="new"), message) == [("action-1", "withdrawn", "responded"), ("new", "withdrawn", "responded")]
    assert list(batch.unsent) == ["other"]


def test_a_withdrawal_of_one_action_leaves_the_others_of_the_run() -> None:
    batch = a_batch(queue(a_contact(), NOON), queue(a_contact(action_id="action-2"), NOON))
    message = Withdraw(customer_id="customer-1", run_id="run-1", reason="moved", at=NOON, action_id="action-2")
    assert fold(batch, message, message) == [("action-2", "withdrawn", "moved")]


def test_a_withdrawal_of_another_customer_with_the_same_run_name_changes_nothing() -> None:
    message = Withdraw(customer_id="customer-2", run_id="run-1", reason="moved", at=NOON)
    assert fold(a_batch(queue(a_contact(), NOON)), message) == []


def test_a_stopped_campaign_withdraws_what_is_queued() -> None:
    batch = a_batch(queue(a_contact(), NOON), queue(a_contact(action_id="b", campaign="other"), NOON))
    assert fold(batch, StopCampaign(campaign="renewal", at=NOON)) == [("action-1", "withdrawn", "campaign_stopped")]
    assert batch.campaigns == {"renewal": (NOON, True)}


def test_a_stop_older_than_a_resume_that_another_partition_heard_stops_nothing() -> None:
    batch = a_batch(queue(a_contact(), NOON), campaigns={"renewal": (NOON + HOUR, False)})
    assert fold(batch, StopCampaign(campaign="renewal", at=NOON)) == []
    assert batch.campaigns == {"renewal": (NOON + HOUR, False)}


def test_stop_and_resume_end_the_same_in_any_order_and_a_stop_wins_a_tie() -> None:
    stop, resume = StopCampaign(campaign="renewal", at=NOON), ResumeCampaign(campaign="renewal", at=NOON)
    for messages in ((stop, resume), (resume, stop)):
        batch = a_batch()
        fold(batch, *messages)
        assert batch.campaigns == {"renewal": (NOON, True)}


def test_a_long_queue_of_a_stopped_campaign_is_withdrawn_in_pieces() -> None:
    batch = a_batch(queue(a_contact(), NOON), full=True)
    fold(batch, StopCampaign(campaign="renewal", at=NOON))
    assert [(t.kind, t.key, t.partition, t.gate) for t in batch.timers] == [(STOP_TIMER, "renewal", 0, "clock")]
    assert STOP_TIMER in Intake.hands_over
    following = a_batch(queue(a_contact(action_id="b"), NOON), campaigns={"renewal": (NOON, True)})
    assert fold(following, batch.timers[0]) == [("b", "withdrawn", "campaign_stopped")]
    assert following.timers == []


def test_the_pieces_end_when_the_campaign_was_resumed() -> None:
    batch = a_batch(queue(a_contact(), NOON), campaigns={"renewal": (NOON, False)})
    assert fold(batch, Timer(0, NOON, "renewal", STOP_TIMER)) == []


@pytest.mark.parametrize(
    ("hold", "reason"),
    [
        (a_hold(), "suppressed"),
        (a_hold(channel="email", purpose="marketing"), "suppressed"),
        (a_hold(channel="sms"), None),
        (a_hold(kind="complaint", reference="T1"), "complaint_open"),
        (a_hold(subjects=("hash-bob",)), None),
        (a_hold(kind="opt_in"), None),
    ],
)
def test_a_hold_withdraws_at_once_what_it_forbids(hold: Hold, reason: str | None) -> None:
    batch = a_batch(queue(a_contact(), NOON))
    assert fold(batch, hold) == ([("action-1", "withdrawn", reason)] if reason else [])
    assert [(fact.subject, fact.stopped) for fact in batch.said.values()] == [(hold.subjects[0], hold.kind != "opt_in")]


def test_an_opt_out_older_than_a_known_opt_in_withdraws_nothing() -> None:
    known = Fact(subject="hash-ann-id", kind="opt", stopped=False, at=NOON + HOUR)
    batch = a_batch(queue(a_contact(), NOON), facts={known.scope: known})
    assert fold(batch, a_hold()) == []
    assert list(batch.said.values()) == [known]


WORDS = "You get no more texts."
TEXTED = a_contact(channel="sms", address="+33600000001", address_subject="hash-ann-phone", subjects=("hash-ann-phone", "hash-ann-id"))
CHATTED = a_hold(id="r", kind="review", channel="email", reference="chat-1", subjects=("hash-ann-id", "hash-family"))
FAMILY = queue(a_contact(action_id="mother", subjects=("hash-mother", "hash-family")), NOON)


@pytest.mark.parametrize(("refused", "reason"), [(False, None), (True, "suppressed")])
def test_a_verdict_counts_for_all_names_by_which_the_words_were_said(refused: bool, reason: str | None) -> None:
    batch = a_batch(FAMILY)
    assert fold(batch, CHATTED) == [("mother", "withdrawn", "hold")]
    said: dict[str, Any] = {"subjects": ("hash-ann-id",), "reference": "chat-1"}
    withdrawal = [a_hold(channel="email", **said)] if refused else []
    assert fold(batch, *withdrawal, a_hold(id="l", kind="review_lifted", **said), now=NOON + HOUR) == []
    assert forbidden(FAMILY.contact, batch.stops(), NOON + HOUR) == reason


@pytest.mark.parametrize("verdict", [{"subjects": ("hash-bob",), "reference": "chat-1"}, {"reference": "chat-2"}, {"reference": ""}])
def test_a_verdict_on_somebody_else_or_on_another_message_counts_for_whom_it_names_alone(verdict: dict[str, Any]) -> None:
    batch = a_batch()
    fold(batch, CHATTED, a_hold(id="l", kind="review_lifted", **verdict), now=NOON + HOUR)
    assert forbidden(FAMILY.contact, batch.stops(), NOON + HOUR) == "hold"
    assert [fact.subject for fact in batch.said.values() if not fact.stopped] == list(verdict.get("subjects", ("hash-ann-id",)))


UNTIL = NOON + timedelta(minutes=5)


def by_text(**changes: Any) -> Hold:
    return a_hold(**{"channel": "sms", "subjects": ("hash-ann-phone",), "confirm_by": UNTIL, **changes})


def confirmed(*holds: Hold, **known: Any) -> list[Contact]:
    """What is queued after these holds."""
    intake = Intake(frozenset({"sms"}), lambda _channel: None, WORDS)
    batch = a_batch(**{"texts": {"hash-ann-phone": TEXTED}, **known})
    for n, hold in enumerate(holds):
        assert list(intake.fold(batch, Taken(HOLDS, 0, n, NOON, hold), NOON)) == [], "a confirmation is reported to nobody"
    return [delivery.contact for name, delivery in batch.unsent.items() if name in batch.new]


def test_a_stop_by_text_is_answered_by_one_text_to_its_number_whatever_the_hour() -> None:
    (answer,) = confirmed(by_text())
    assert (answer.channel, answer.address, answer.content.text, answer.subjects) == ("sms", TEXTED.address, WORDS, TEXTED.subjects)
    assert (answer.customer_id, answer.campaign, answer.purpose) == (TEXTED.customer_id, "", "transactional")
    assert (answer.permitted, answer.not_after) == ((Span(start=NOON, end=UNTIL),), UNTIL)


def known_word(*, stopped: bool, at: datetime) -> dict[str, Any]:
    fact = Fact(subject="hash-ann-phone", kind="opt", channel="sms", stopped=stopped, at=at)
    return {"facts": {fact.scope: fact}}


@pytest.mark.parametrize(
    ("holds", "given", "answers"),
    [
        ((by_text(), by_text(), by_text(id="h2")), {}, 1),
        ((by_text(),), known_word(stopped=True, at=NOON - HOUR), 0),
        ((by_text(),), known_word(stopped=False, at=NOON - HOUR), 1),
        ((by_text(),), known_word(stopped=False, at=NOON + HOUR), 0),
        ((by_text(), by_text(id="i", kind="opt_in", confirm_by=None, at=NOON)), {}, 1),
        ((by_text(confirm_by=None),), {}, 0),
        ((by_text(confirm_by=NOON),), {}, 0),
        ((by_text(),), {"texts": {}}, 0),
        ((by_text(subjects=("hash-ann-id",)),), {}, 0),
        ((by_text(),), {"existing": {name_of(by_text())}}, 0),
    ],
)
def test_a_stop_by_text_is_answered_once_and_only_when_it_says_something_new(holds: tuple[Hold, ...], given: Any, answers: int) -> None:
    assert len(confirmed(*holds, **given)) == answers


def test_whoever_starts_again_before_the_answer_is_sent_gets_none() -> None:
    start = by_text(id="i", kind="opt_in", confirm_by=None, at=NOON + HOUR)
    intake = Intake(frozenset({"sms"}), lambda _channel: None, WORDS)
    batch = a_batch(texts={"hash-ann-phone": TEXTED})
    for hold, at in ((by_text(), NOON), (start, NOON + HOUR)):
        assert list(intake.fold(batch, Taken(HOLDS, 0, 0, at, hold), NOON)) == []
    assert [step.delivery.state for step in batch.steps] == ["withdrawn"]


def test_an_outcome_of_a_dispatcher_is_published_as_it_is() -> None:
    outcome = Outcome(
        id="a:accepted", action_id="a", customer_id="c", campaign="k", version=1, wave="w", run_id="r", channel="sms", kind="accepted",
        at=NOON - timedelta(seconds=1), detail="d", cost=5,
    )  # fmt: skip
    (outgoing,) = INTAKE.fold(a_batch(), Timer(0, NOON, outcome.id, "outcome", encode(outcome)), NOON)
    assert outgoing.message == outcome
