"""How a visit stands, and whose it is, purely."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from channel_contacts import DAY, NOON, a_contact
from nextwave_channels.delivery import EVIDENCE, Delivery, State
from nextwave_channels.tasks.task import OUTCOMES, RELEASED, Holding, Result, Stand, held_until, is_in_hands, stand
from nextwave_contracts.channels import CHANNELS

VISIT = a_contact(channel="visit")
BEN = Holding(action_id="action-1", attempt=1, holder="ben", claimed_at=NOON, until=NOON + DAY)
SAID = Holding(action_id="action-1", attempt=1, holder="ben", claimed_at=NOON, until=NOON + DAY, reported_at=NOON, result="reached")
BACK = Holding(action_id="action-1", attempt=1, holder="ben", claimed_at=NOON, until=NOON + DAY, reported_at=NOON, result=RELEASED)


def delivery(state: State, attempt: int = 1, withdrawn_reason: str = "") -> Delivery:
    return Delivery(contact=VISIT, state=state, due_at=NOON, attempt=attempt, withdrawn_reason=withdrawn_reason)


@pytest.mark.parametrize(
    ("task", "holding", "expected"),
    [
        (delivery("due", 0), None, "open"),
        (delivery("due"), BACK, "open"),
        (delivery("sending"), BEN, "held"),
        (delivery("sending", withdrawn_reason="suppressed"), BEN, "retracted"),
        (delivery("sending", 2), BACK, "held"),
        (delivery("unknown"), BEN, "overdue"),
        (delivery("answered"), SAID, "done"),
        (delivery("refused"), SAID, "done"),
        (delivery("withdrawn"), BACK, "over"),
        (delivery("withdrawn", 0), None, "over"),
        (delivery("failed", 2), SAID, "over"),
    ],
)
def test_a_task_stands_by_its_delivery_and_by_who_came_for_this_attempt(task: Delivery, holding: Holding | None, expected: Stand) -> None:
    assert stand(task, holding) == expected


@pytest.mark.parametrize(
    ("task", "holding", "holder", "expected"),
    [
        (delivery("sending"), BEN, "ben", True),
        (delivery("sending", withdrawn_reason="suppressed"), BEN, "ben", True),
        (delivery("unknown"), BEN, "ben", True),
        (delivery("sending"), BEN, "cem", False),
        (delivery("sending"), None, "ben", False),
        (delivery("sending", 2), BEN, "ben", False),
        (delivery("due"), BEN, "ben", False),
        (delivery("answered"), SAID, "ben", False),
    ],
)
def test_who_came_last_and_has_not_reported_has_it_in_hands(task: Delivery, holding: Holding | None, holder: str, expected: bool) -> None:
    assert is_in_hands(task, holding, holder) is expected


def test_a_task_is_held_no_longer_than_the_visit_may_be_made() -> None:
    assert held_until(VISIT, NOON, timedelta(days=1)) == NOON + DAY
    assert held_until(VISIT, NOON, timedelta(days=9)) == VISIT.not_after


def test_every_result_is_evidence_that_a_visit_can_report() -> None:
    assert set(OUTCOMES) == set(get_args(Result))
    assert set(OUTCOMES.values()) <= EVIDENCE & CHANNELS["visit"].reports
