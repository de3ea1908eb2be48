"""What a push service's answer says of a message: taken, not now, never, nobody knows, or that the browser is gone."""

from __future__ import annotations

import pytest
from channel_contacts import NOON, a_contact
from nextwave_channels.adapters.webpush import interpret
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.delivery import Delivery, begin, conclude, lose, queue
from nextwave_channels.http_port import Reply


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(status=201), Accepted()),
        (Reply(status=200), Accepted()),
        (Reply(status=404), Refused(detail="404", permanent=True, bounced=True)),
        (Reply(status=410, body=b"gone"), Refused(detail="410 gone", permanent=True, bounced=True)),
        (Reply(status=413), Refused(detail="413", permanent=True)),
        (Reply(status=401), Refused(detail="401", permanent=True)),
        (Reply(status=307), Refused(detail="307", permanent=True)),
        (Reply(status=429, retry_after_seconds=7.0), Refused(detail="429", permanent=False, retry_after_seconds=7.0)),
        (Reply(status=503), Refused(detail="503", permanent=False, down=True)),
        (Reply(status=500), Uncertain(detail="500")),
    ],
)
def test_each_status_says_whether_it_was_taken(reply: Reply, answer: Answer) -> None:
    assert interpret(reply) == answer


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_dead_address_ends_the_delivery_as_bounced_also_when_its_lease_had_run_out(state: str) -> None:
    delivery = begin(queue(a_contact(), NOON), NOON, 30).delivery
    step = conclude(delivery if state == "sending" else lost(delivery), Refused(detail="410", permanent=True, bounced=True), NOON)
    assert step is not None
    assert step.outcome is not None
    assert (step.delivery.state, step.outcome.kind, step.outcome.reach) == ("bounced", "bounced", "missed")


def lost(delivery: Delivery) -> Delivery:
    step = lose(delivery, NOON, "lost")
    assert step is not None
    return step.delivery
