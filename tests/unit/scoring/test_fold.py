"""The fold on a unit of work in memory: what it makes known, when it plans reviews, and how customers become one."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged, CustomerUpdated
from nextwave_contracts.topics import OUTCOMES, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_contracts.wire import encode
from nextwave_runtime.application import RejectedError, Taken, Timer
from nextwave_scoring.identity import derive
from nextwave_scoring.instants import DAY, instant, micros
from nextwave_scoring.profile import bounds
from nextwave_scoring.profile.record import ABSORBED_MAX
from nextwave_scoring.rejudging import REJUDGE, Page

from .ledger import PARTITIONS, Ledger
from .making import outcome, taken, touchpoint, touchpoints

ANN = "email:ann@example.com"


def changes(message: CustomerUpdated) -> dict[str, tuple[str, str]]:
    return {change.field: (change.before, change.after) for change in message.changes}


def test_a_touchpoint_makes_known_itself_the_profile_and_what_changed() -> None:
    seen = touchpoint()
    [updated] = Ledger().see(seen)
    assert updated.touchpoint == seen
    assert updated.at == seen.received_at
    assert updated.customer_id == updated.profile.customer_id == derive(ANN)
    assert updated.profile.identifiers == (ANN,)
    assert changes(updated) == {"churn.band": ("", "low"), "stage": ("", "exploration"), "value.cell": ("", "I")}


def test_a_complaint_is_a_hold_until_it_is_resolved() -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    [opened] = ledger.see(touchpoint("complaint.opened", after=1, reference="t1"))
    assert changes(opened)["hold"] == ("", "complaint")
    assert [(h.kind, h.reference) for h in opened.profile.holds] == [("complaint", "t1")]
    [resolved] = ledger.see(touchpoint("complaint.resolved", after=2, reference="t1", satisfied=True))
    assert changes(resolved)["hold"] == ("complaint", "")


def imported(day: int) -> Touchpoint:
    """An order of a customer who orders every ten days; all of them are read on day 605."""
    return touchpoint("order.placed", after=day, late=605 - day, amount=5_000, currency="EUR")


def test_history_that_is_read_late_holds_nobody_in_the_band_that_half_of_it_seemed_to_mean() -> None:
    ledger = Ledger()
    told = [ledger.see(imported(day))[-1] for day in range(0, 601, 10)]
    assert told[0].profile.churn.band == "lost"
    assert told[-1].profile.churn.band == "low"


def test_history_that_is_read_newest_first_puts_nobody_into_a_band_on_the_way() -> None:
    ledger = Ledger()
    told = [ledger.see(imported(day))[-1].profile.churn.band for day in range(600, -1, -10)]
    assert set(told) == {"low"}


def test_what_happens_now_waits_for_the_least_stay_all_the_same() -> None:
    ledger = Ledger()
    for day in range(0, 501, 10):
        ledger.see(imported(day))
    [back] = ledger.see(touchpoint("order.placed", after=606, amount=5_000, currency="EUR"))
    assert (back.profile.churn.risk < 0.5, back.profile.churn.band) == (True, "lost")


def test_an_outcome_is_made_known_with_the_customer_it_was_for() -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    refused = outcome("refused", customer_id=derive(ANN), after=1)
    [updated] = ledger.take(taken(refused))
    assert updated.outcome == refused
    assert updated.profile.refusals == 1


def test_what_names_no_customer_is_rejected() -> None:
    with pytest.raises(RejectedError):
        Ledger().take(taken(outcome("opened", customer_id=derive("email:nobody@example.com"))))
    with pytest.raises(RejectedError):
        Ledger().see(touchpoint(names=("external:nextwave:" + derive(ANN),)))


def test_our_own_identifier_means_that_customer() -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    [clicked] = ledger.see(touchpoint("email.clicked", after=1, names=("external:nextwave:" + derive(ANN),)))
    assert clicked.customer_id == derive(ANN)
    assert clicked.profile.identifiers == (ANN,)


def test_a_merge_tells_the_survivor_and_the_absorbed_and_carries_contacts_and_holds() -> None:
    ledger = Ledger()
    device = ("anonymous_id:d1",)
    ledger.see(touchpoint(), touchpoint("complaint.opened", names=device, reference="t1"))
    ledger.see(touchpoint("call.wrapped_up", names=device, refusal=True))
    ledger.take(taken(outcome("accepted", customer_id=derive(device[0]))))
    merged, absorbed, updated = ledger.see(touchpoint("customer.identified", after=1, names=(*device, ANN)))
    assert isinstance(merged, CustomersMerged)
    assert (merged.customer_id, merged.absorbed) == (derive(ANN), derive(device[0]))
    assert [c.action_id for c in merged.contacts] == ["a1"]
    assert (merged.profile.refused, merged.profile.complained_at) == ({"call": touchpoint().received_at}, touchpoint().received_at)
    assert absorbed == CustomerAbsorbed(customer_id=derive(device[0]), into=derive(ANN), at=merged.at)
    assert changes(updated)["hold"] == ("", "complaint")
    assert updated.profile.version > merged.profile.version
    [late] = ledger.take(taken(outcome("opened", customer_id=derive(device[0]), after=2)))
    assert late.customer_id == derive(ANN)


def test_a_merge_takes_the_absorbed_out_of_the_tally_and_outranks_the_versions_of_both() -> None:
    for busy, calm in ((ANN, "anonymous_id:d1"), ("anonymous_id:d1", ANN)):
        ledger = Ledger()
        ledger.see(touchpoint(names=(calm,)), *(touchpoint(after=n, names=(busy,)) for n in range(9)))
        versions = [customer.version for customer in ledger.unit.customers.values()]
        merged, _, updated = ledger.see(touchpoint(after=10, names=(ANN, "anonymous_id:d1")))
        assert max(versions) < merged.profile.version < updated.profile.version
        assert [sum(tally.values()) for tally in ledger.unit.moved_tallies] == [1, 1]


def test_an_outcome_that_claims_to_be_ahead_counts_for_when_it_came() -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    came = outcome("opened", customer_id=derive(ANN), after=1)
    ahead = msgspec.structs.replace(came, at=came.at + timedelta(days=20 * 365))
    [updated] = ledger.take(Taken(OUTCOMES, 0, 0, came.at, ahead))
    assert (updated.at, updated.outcome) == (came.at, came)
    assert ledger.profile(ANN).landmark == micros(came.at) // DAY


def test_a_survivor_is_also_named_by_the_ids_of_all_that_became_part_of_it_in_turn() -> None:
    ledger = Ledger()
    ledger.see(touchpoint(names=("anonymous_id:d1",)), touchpoint(names=(ANN,)), touchpoint(names=("customer_id:7",)))
    ledger.see(touchpoint(after=1, names=(ANN, "anonymous_id:d1")))
    merged, _, updated = ledger.see(touchpoint(after=2, names=("customer_id:7", ANN)))
    assert isinstance(merged, CustomersMerged)
    assert set(merged.profile.absorbed) == set(updated.profile.absorbed) == {derive("anonymous_id:d1"), derive(ANN)}


def test_only_the_newest_absorbed_ids_are_kept() -> None:
    kept = bounds.newest({f"c-{n}": n for n in range(ABSORBED_MAX + 5)}, ABSORBED_MAX)
    assert sorted(kept.values()) == list(range(5, ABSORBED_MAX + 5))


def test_silence_is_reviewed_at_the_instant_it_changes_the_band() -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    bands = ["low"]
    while ledger.timers:
        timer = ledger.timers.pop()
        assert (timer.key, timer.kind, timer.gate) == (derive(ANN), "review", "clock")
        assert timer.partition == partition_of(timer.key.encode(), PARTITIONS)
        for updated in ledger.take(timer):
            assert updated.at == timer.due_at
            assert updated.touchpoint is updated.outcome is None
            bands.append(updated.profile.churn.band)
        assert len(ledger.timers) <= 1
    assert bands == ["low", "elevated", "high", "lost"]


def test_a_review_that_comes_early_says_nothing_and_is_set_again() -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    [first] = ledger.timers
    ledger.see(touchpoint(after=1))
    assert ledger.timers == [first]
    assert ledger.take(first) == []
    assert len(ledger.timers) == 2
    assert ledger.timers[1].due_at > first.due_at


def test_a_review_that_another_replaced_is_stale() -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    [first] = ledger.timers
    ledger.see(touchpoint("payment.failed", after=0.1))
    assert ledger.timers[-1].due_at < first.due_at
    assert ledger.take(first) == []
    assert len(ledger.timers) == 2


def test_a_review_of_an_absorbed_customer_is_stale() -> None:
    ledger = Ledger()
    ledger.see(touchpoint(names=("anonymous_id:d1",)))
    [orphan] = ledger.timers
    ledger.see(touchpoint(), touchpoint("customer.identified", names=("anonymous_id:d1", ANN)))
    assert ledger.take(orphan) == []


@settings(max_examples=50)
@given(st.lists(touchpoints(), min_size=1, max_size=12), st.integers(1, 11))
def test_folding_again_and_in_other_batches_gives_equal_messages(seen: list[Touchpoint], cut: int) -> None:
    seen = sorted(seen, key=lambda t: t.received_at)
    whole, parts = Ledger(), Ledger()
    assert [encode(m) for m in whole.see(*seen)] == [encode(m) for m in (*parts.see(*seen[:cut]), *parts.see(*seen[cut:]))]
    assert whole.timers == parts.timers


@settings(max_examples=50)
@given(st.lists(touchpoints(), min_size=1, max_size=20))
def test_one_review_at_most_is_valid_and_the_band_never_changes_before_it(seen: list[Touchpoint]) -> None:
    ledger = Ledger()
    for each in sorted(seen, key=lambda t: t.received_at):
        ledger.see(each)
        [customer] = ledger.unit.customers.values()
        if customer.standing.review_at:
            before = ledger.fold.judge.judge(customer, customer.standing.review_at - 1)
            assert before.churn.band == customer.standing.band


def test_a_change_of_model_frees_customers_from_the_band_of_the_one_before_at_once() -> None:
    ledger = Ledger()
    ledger.see(touchpoint("order.placed"))
    [(customer_id, customer)] = ledger.unit.customers.items()
    standing, at = customer.standing, customer.profile.last_at + DAY
    customer.standing = msgspec.structs.replace(standing, band="lost", since=at - 1, review_at=0)
    ledger.unit.pages = {"": Page((customer_id,), "")}
    [updated] = ledger.take(Timer(0, instant(at), "", REJUDGE))
    assert changes(updated)["churn.band"] == ("lost", standing.band)
