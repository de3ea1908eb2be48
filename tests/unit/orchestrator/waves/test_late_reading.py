"""What is read late, or early, because it came through different partitions counts by when it was received."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomerAbsorbed, CustomerUpdated
from nextwave_contracts.decisions import Decision, GoalReached, RunEnded, RunStarted, WaveClosed
from nextwave_contracts.touchpoints import Touchpoint
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, wave

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TWO_WAVES = (wave("tell", "email"), wave("again", "email", enter={"after": "tell", "unless": "responded"}))
THANKS = (wave("tell", "email"), wave("thank", "email", enter={"after": "tell"}))


def late_house(*waves: dict[str, Any], **changes: Any) -> House:
    """Five minutes late with what lets the customer in."""
    return House(catalogue(campaign("winter", *(waves or TWO_WAVES), **changes)), now=MONDAY_NOON + 5 * MINUTE)


def closings(house: House) -> list[tuple[str, bool]]:
    return [(closed.wave, closed.responded) for closed in house.all(WaveClosed)]


def test_word_of_an_absorbed_customer_that_comes_late_starts_nothing_there() -> None:
    """The message was in the outbox of one partition of scoring while another one merged its customer into somebody."""
    house = House(catalogue(campaign("winter", *TWO_WAVES)))
    house.take(CustomerAbsorbed(customer_id=CUSTOMER, into="c-9", at=MONDAY_NOON))
    assert house.touch("cart.updated", MONDAY_NOON - MINUTE) == []
    assert house.touch("cart.updated", MONDAY_NOON + MINUTE) == []
    assert (house.state.absorbed_into, house.state.runs, house.state.wishes) == ("c-9", (), ())


def test_a_response_that_was_read_before_its_run_began_counts_for_it() -> None:
    """Two names of a customer have two partitions: what let the customer in lay in the slower one, the answer a minute later did not."""
    house = late_house()
    house.touch("page.viewed", MONDAY_NOON + MINUTE, path="/renew")
    house.touch("cart.updated", MONDAY_NOON)
    assert [(c.wave, c.responded, c.at) for c in house.all(WaveClosed)] == [("tell", True, MONDAY_NOON + MINUTE)]
    assert house.all(Contact) == []
    assert house.wait(MONDAY_NOON + 60 * HOUR) == []


@pytest.mark.parametrize("early", [timedelta(0), MINUTE])
def test_what_was_read_first_and_received_no_later_than_the_entry_is_no_response(early: timedelta) -> None:
    """The broker stamps what is appended together with one instant; in it, what was read first came first."""
    house = late_house()
    house.touch("page.viewed", MONDAY_NOON - early, path="/renew")
    house.touch("contract.renewed", MONDAY_NOON - early)
    house.touch("cart.updated", MONDAY_NOON)
    assert [contact.wave for contact in house.all(Contact)] == ["tell"]
    assert house.all(GoalReached) == []


def test_a_response_counts_by_its_reception_and_not_by_when_it_is_said_to_have_happened() -> None:
    house = late_house()
    house.take(
        CustomerUpdated(
            customer_id=CUSTOMER,
            at=MONDAY_NOON + MINUTE,
            profile=house.profile,
            touchpoint=Touchpoint(
                id="written-on-paper",
                source="clerk",
                type="page.viewed",
                identifiers=("email:ann@example.com",),
                occurred_at=MONDAY_NOON - 30 * HOUR,
                received_at=MONDAY_NOON + MINUTE,
                data={"path": "/renew"},
            ),
        )
    )
    house.touch("cart.updated", MONDAY_NOON)
    assert closings(house) == [("tell", True)]


def test_what_is_of_suspect_time_or_of_another_matter_or_contact_is_no_early_response() -> None:
    house = late_house(entry={"on": {"event": "cart.updated"}, "key": "cart"})
    house.touch("page.viewed", MONDAY_NOON + MINUTE, suspect=True, path="/renew")
    house.touch("page.viewed", MONDAY_NOON + MINUTE, path="/renew", cart="another")
    house.touch("page.viewed", MONDAY_NOON + MINUTE, path="/renew", action_id="another")
    house.touch("cart.updated", MONDAY_NOON, cart="mine")
    assert [contact.wave for contact in house.all(Contact)] == ["tell"]


def test_an_answer_read_early_answers_every_campaign_that_the_entry_begins_and_moves_no_entry() -> None:
    campaigns = (campaign(key, *TWO_WAVES, priority=priority) for key, priority in (("a", 1), ("b", 2)))
    house = House(catalogue(*campaigns), now=MONDAY_NOON + 5 * MINUTE)
    house.touch("page.viewed", MONDAY_NOON + MINUTE, path="/renew")
    house.touch("cart.updated", MONDAY_NOON)
    assert [(start.campaign, start.at) for start in house.all(RunStarted)] == [("a", MONDAY_NOON), ("b", MONDAY_NOON)]
    assert [(end.campaign, end.reason, end.at) for end in house.all(RunEnded)] == [
        (key, "responded", MONDAY_NOON + MINUTE) for key in ("a", "b")
    ]


def test_one_answer_read_early_answers_one_wave_and_the_next_answer_the_next() -> None:
    one, two = late_house(*THANKS), late_house(*THANKS)
    for house, answers in ((one, 1), (two, 2)):
        for minutes in range(answers):
            house.touch("page.viewed", MONDAY_NOON + (1 + minutes) * MINUTE, path="/renew")
        house.touch("cart.updated", MONDAY_NOON)
    assert (closings(one), [contact.wave for contact in one.all(Contact)]) == ([("tell", True)], ["thank"])
    assert (closings(two), two.all(Contact)) == ([("tell", True), ("thank", True)], [])


def test_an_answer_while_the_campaign_is_paused_over_the_windows_end_answers_the_next_wave() -> None:
    house = House(catalogue(campaign("winter", *TWO_WAVES)))
    house.touch("cart.updated")
    closes_at = house.run.closes_at
    house.change(states={"winter": "paused"}, live=())
    house.wait(closes_at + HOUR)
    house.touch("page.viewed", path="/renew")
    house.change(states={"winter": "published"})
    house.wait(closes_at + 5 * HOUR)
    assert [(c.wave, c.responded, c.at) for c in house.all(WaveClosed)] == [("tell", False, closes_at), ("again", True, closes_at + HOUR)]
    assert [contact.wave for contact in house.all(Contact)] == ["tell"]


def test_an_event_received_before_the_entry_is_no_goal() -> None:
    """Two names of a customer have two partitions: the older event lay in the slower one."""
    house = House(catalogue(campaign("winter", *TWO_WAVES)), now=MONDAY_NOON + 5 * MINUTE)
    house.touch("cart.updated")
    assert house.touch("contract.renewed", MONDAY_NOON) == []
    house.touch("contract.renewed")
    assert [reached.at for reached in house.all(GoalReached)] == [house.now]


def test_a_goal_that_was_read_before_its_run_began_ends_it_and_nobody_is_contacted() -> None:
    house = late_house()
    house.touch("contract.renewed", MONDAY_NOON + MINUTE)
    said = house.touch("cart.updated", MONDAY_NOON)
    assert [type(message) for message in said] == [RunStarted, GoalReached, RunEnded]
    assert [message.at - MONDAY_NOON for message in said] == [timedelta(0), MINUTE, MINUTE]
    assert house.touch("contract.renewed") == []


def test_whoever_is_held_out_answers_nothing_early() -> None:
    house = late_house(*THANKS, holdout=0.999999)
    house.touch("page.viewed", MONDAY_NOON + MINUTE, path="/renew")
    house.touch("cart.updated", MONDAY_NOON)
    assert [decision.reason for decision in house.all(Decision)] == ["holdout"]
    assert [(end.reason, end.at) for end in house.all(RunEnded)] == [("completed", MONDAY_NOON)]
    assert (closings(house), house.state.runs) == ([], ())


FILLING = {f"field-{n}": n for n in range(16)}
"""Fields that fill what is remembered of an event; what is said behind them is asked for by rules, or forgotten."""
KEYED = {"entry": {"on": {"event": "cart.updated"}, "key": "cart"}}


def in_both_orders(condition: Any, said: dict[str, Any], **changes: Any) -> tuple[bool, bool]:
    """Whether an answer counts, read after its entry and read before it, where the response has this condition on `said`."""
    told = wave("tell", "email", response={"event": "page.viewed", "where": condition})
    after, before = (House(catalogue(campaign("winter", told, **changes)), now=MONDAY_NOON + 5 * MINUTE) for _ in range(2))
    after.touch("cart.updated", MONDAY_NOON, cart="mine")
    after.touch("page.viewed", MONDAY_NOON + MINUTE, **said)
    before.touch("page.viewed", MONDAY_NOON + MINUTE, **said)
    before.touch("cart.updated", MONDAY_NOON, cart="mine")
    assert (before.all(Contact) == []) == (closings(before) == [("tell", True)])
    return closings(after) == [("tell", True)], closings(before) == [("tell", True)]


def test_an_answer_read_early_is_found_behind_however_many_other_fields() -> None:
    assert in_both_orders({"path": "/renew"}, {**FILLING, "path": "/renew"}) == (True, True)


@pytest.mark.parametrize(("said", "counts"), [({"cart": "another"}, False), ({"cart": "mine"}, True), ({}, True), ({"cart": None}, True)])
@pytest.mark.parametrize("filling", [{}, FILLING, {"nested": {"a": 1}}])
def test_whose_matter_an_answer_read_early_is_stands_behind_however_many_other_fields(
    filling: dict[str, Any], said: dict[str, Any], *, counts: bool
) -> None:
    assert in_both_orders({"path": "/renew"}, {**filling, "path": "/renew", **said}, **KEYED) == (counts, counts)


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        ({"op": "eq", "value": "/" + "x" * 119}, False),
        ({"op": "eq", "value": "/" + "x" * 300 + "/renew"}, True),
        ({"op": "ne", "value": "/" + "x" * 300 + "/renew"}, False),
        ({"op": "ends_with", "value": "/renew"}, True),
        ({"op": "ends_with", "value": "x"}, False),
        ({"op": "contains", "value": "new"}, True),
        ({"op": "exists", "value": True}, True),
        ({"op": "exists", "value": False}, False),
    ],
)
def test_a_long_text_answers_the_same_in_whatever_order_it_is_read(condition: dict[str, Any], *, counts: bool) -> None:
    assert in_both_orders({"path": condition}, {"path": "/" + "x" * 300 + "/renew"}) == (counts, counts)


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        ({"page.path": "/renew"}, True),
        ({"tags": {"op": "contains", "value": "renew"}}, True),
        ({"page.gone": {"op": "exists", "value": False}}, True),
        ({"page.path": {"op": "exists", "value": False}}, False),
    ],
)
def test_what_lies_deeper_in_the_data_answers_the_same_in_whatever_order_it_is_read(condition: dict[str, Any], *, counts: bool) -> None:
    said = {**FILLING, "page": {"path": "/renew"}, "tags": ["a", "renew"]}
    assert in_both_orders(condition, said) == (counts, counts)


def test_keys_are_compared_as_far_as_they_are_kept() -> None:
    """A run's key has at most 120 characters; an answer that gives the same longer one is about its matter."""
    for early in (False, True):
        house = late_house(**KEYED)
        events: list[tuple[str, Any, dict[str, Any]]] = [
            ("cart.updated", MONDAY_NOON, {}),
            ("page.viewed", MONDAY_NOON + MINUTE, {"path": "/renew"}),
        ]
        for kind, at, said in reversed(events) if early else events:
            said["cart"] = "c" * 130
            house.touch(kind, at, **said)
        assert closings(house) == [("tell", True)]


def test_what_was_not_kept_is_no_answer_and_about_another_matter() -> None:
    """The campaign was published only after the event was read, so that nobody knew yet what would be asked of it."""
    for condition, key in (({"path": "/renew"}, ""), ({"path": {"op": "exists", "value": False}}, ""), ({"field-1": 1}, "cart")):
        told = wave("tell", "email", response={"event": "page.viewed", "where": condition})
        house = House(catalogue(), now=MONDAY_NOON + 5 * MINUTE)
        said: dict[str, Any] = {**FILLING, "path": "/renew", "cart": "another"}
        house.touch("page.viewed", MONDAY_NOON + MINUTE, **said)
        house.rules = catalogue(campaign("winter", told, entry={"on": {"event": "cart.updated"}, "key": key}))
        house.touch("cart.updated", MONDAY_NOON, cart="mine")
        assert [contact.wave for contact in house.all(Contact)] == ["tell"]
