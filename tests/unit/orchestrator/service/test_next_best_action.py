"""The answer for the agent on the phone: who it is, why they come, what is open, what may be offered and what not, and what to do first."""

from __future__ import annotations

from dataclasses import replace as with_values
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.actions import Channel
from nextwave_contracts.customers import Cases, Consent, HeldBy, Snapshot, Value
from nextwave_contracts.masking import MASK
from nextwave_orchestrator.campaigns.definition import Policy, ServiceLevel
from nextwave_orchestrator.catalogue import Catalogue, Happening
from nextwave_orchestrator.inbound.answer import NextBestAction
from nextwave_orchestrator.inbound.best import next_best_action
from nextwave_orchestrator.inbound.visit import Visit
from nextwave_orchestrator.state import CustomerState, Reservation
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, NO_CAPS, House, campaign, catalogue, snapshot, wave

NIGHT = MONDAY_NOON + timedelta(hours=11)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CALLED = {"key": "tell", "window": "5d", "mixes": [{"segment": "*", "channels": [{"channel": "call", "list": "x", "script": "Renew?"}]}]}


def answer(
    rules: Catalogue, profile: Snapshot | None = None, *, happened: tuple[Happening, ...] = (), channel: Channel = "call", **more: Any
) -> NextBestAction:
    """Of a customer to whom this happened, oldest first."""
    state = CustomerState(customer_id=CUSTOMER, profile=profile or snapshot(), history=happened, **more)
    return next_best_action(Visit(rules, state, channel, MONDAY_NOON, "a-7", masked=False))


def ago(kind: str, since: timedelta, **data: Any) -> Happening:
    return Happening(kind, MONDAY_NOON - since, data, MONDAY_NOON - since)


def codes(found: NextBestAction) -> dict[str, str]:
    return {loser.campaign: loser.code for loser in found.losers}


def test_who_it_is_what_they_are_entitled_to_and_how_likely_they_leave() -> None:
    found = answer(catalogue(), snapshot(traits={"name": "Ann Example"}, value=Value(cell="IV", current=90_000)))
    assert (found.who.name, found.who.cell, found.who.value) == ("Ann Example", "IV", 90_000)
    assert (found.service_level.answer_within_seconds, found.service_level.first) == (15, "person")
    assert (found.risk.probability, found.risk.band) == (0.4, "elevated")
    assert found.next.do == "help"


def test_the_service_level_is_the_policys_and_the_shipped_one_where_it_says_nothing() -> None:
    policy = Policy(service_levels={"IV": ServiceLevel(answer_within="5s", line="gold")})
    found = answer(catalogue(policy=policy), snapshot(value=Value(cell="IV")))
    assert (found.service_level.answer_within_seconds, found.service_level.line) == (5, "gold")
    assert answer(catalogue(policy=policy), snapshot(value=Value(cell="I"))).service_level.answer_within_seconds == 120


def test_the_best_offer_is_the_one_that_the_formula_gives_most_and_the_others_are_told_with_their_numbers() -> None:
    goals = {"a": 100, "b": 900, "c": 500, "d": 300, "e": 700}
    rules = catalogue(
        *(campaign(k, CALLED, goal={"event": "order.placed", "within": "5d", "value": v}) for k, v in goals.items()),
        policy=Policy(loading_share=1.0),
    )
    found = answer(rules)
    assert [offer.campaign for offer in found.offers] == ["b", "e", "c"]
    assert codes(found) == {"d": "outranked", "a": "outranked"}
    assert [loser.score for loser in found.losers] == [0.2 * 300, 0.2 * 100]
    assert found.offers[0].score == 0.2 * 900
    assert (found.offers[0].say, found.next.do, found.next.about) == ("Renew?", "offer", "b")


def test_equal_offers_are_ranked_by_priority_and_then_key() -> None:
    rules = catalogue(campaign("a", CALLED), campaign("b", CALLED), campaign("c", CALLED, priority=1))
    assert [offer.campaign for offer in answer(rules).offers] == ["c", "a", "b"]


def test_only_who_is_in_the_audience_is_offered_anything() -> None:
    segments = [{"key": "gold", "rule": {"field": "traits.gold", "op": "eq", "value": True}}]
    rules = catalogue(campaign("a", CALLED, entry={"on": {"event": "x.seen"}, "audience": {"segment": "gold"}}), segments=segments)
    assert answer(rules).offers == ()
    (offer,) = answer(rules, snapshot(traits={"gold": True})).offers
    assert "audience (gold)" in offer.why


def test_who_comes_to_us_is_served_at_any_hour_on_no_cost_and_uses_up_no_cap_of_contacts() -> None:
    rules = catalogue(campaign("a", CALLED, goal={"event": "order.placed", "within": "5d", "value": 1}), policy=Policy())
    profile = snapshot(consents=(), contact_points=(), value=Value(cell="I"), refused={"call": MONDAY_NOON - DAY})
    contacted = Reservation("a-1", "b", "email", "marketing", MONDAY_NOON)
    state = CustomerState(customer_id=CUSTOMER, profile=profile, reservations=(contacted,))
    found = next_best_action(Visit(rules, state, "call", NIGHT, "", masked=False))
    assert [offer.campaign for offer in found.offers] == ["a"]
    assert found.may_sell.allowed


def test_a_withdrawn_consent_is_a_no_on_the_phone_too() -> None:
    no = Consent(channel="", purpose="marketing", granted=False, at=MONDAY_NOON - DAY)
    found = answer(catalogue(campaign("a", CALLED)), snapshot(consents=(no,)))
    assert (found.may_sell.allowed, found.may_sell.code, codes(found)) == (False, "no_consent", {"a": "no_consent"})


def test_an_open_complaint_comes_first_and_nothing_is_sold() -> None:
    held = HeldBy(kind="complaint", since=MONDAY_NOON - DAY, reference="T-1")
    told = ago("complaint.opened", DAY, reference="T-1", subject="kettle")
    found = answer(catalogue(campaign("a", CALLED)), snapshot(open_complaints=1, holds=(held,)), happened=(told,))
    assert (found.next.do, found.next.about) == ("solve", "T-1")
    assert (found.may_sell.allowed, found.may_sell.code, found.offers) == (False, "complaint_open", ())
    assert codes(found) == {"a": "complaint_open"}
    assert (found.calling[0].reason, found.calling[0].evidence[0].data["subject"]) == ("open_complaint", "kettle")
    assert "Open complaint T-1 since 14 June 2026." in found.handover
    assert "Sell nothing: a complaint is open." in found.handover
    assert found.record.handed_over["data"]["references"] == ["T-1"]


def test_an_open_request_for_service_is_a_matter_until_it_is_completed() -> None:
    asked = (ago("service.requested", 2 * DAY, reference="S-1"), ago("service.requested", DAY, reference="S-2"))
    done = (*asked, ago("service.completed", HOUR, reference="S-2"))
    profile = snapshot(unsatisfied=True, services=Cases(open=1, solved=1))
    found = answer(catalogue(campaign("a", CALLED)), profile, happened=done)
    assert [(matter.kind, matter.reference) for matter in found.matters] == [("service", "S-1")]
    assert (found.may_sell.code, found.next.about) == ("unsatisfied", "S-1")


def test_a_complaint_whose_hold_has_lapsed_is_still_solved_before_anything_is_sold_here() -> None:
    lapsed = HeldBy(kind="complaint", since=MONDAY_NOON - 200 * DAY, until=MONDAY_NOON - 20 * DAY, reference="T-1")
    found = answer(catalogue(campaign("a", CALLED)), snapshot(open_complaints=1, holds=(lapsed,)))
    assert (found.next.do, found.may_sell.code, found.offers) == ("solve", "complaint_open", ())


def test_a_bad_answer_is_a_matter() -> None:
    told = ago("satisfaction.rated", DAY, rating=1, reference="S-9")
    found = answer(catalogue(), snapshot(unsatisfied=True, services=Cases(open=1)), happened=(told,))
    assert [(matter.kind, matter.reference) for matter in found.matters] == [("service", "S-9")]


def test_matters_whose_names_are_forgotten_are_counted_all_the_same() -> None:
    found = answer(catalogue(), snapshot(open_complaints=2, services=Cases(open=1), unsatisfied=True))
    assert [(matter.kind, matter.reference) for matter in found.matters] == [("complaint", ""), ("complaint", ""), ("service", "")]


def test_why_they_probably_come_is_told_with_evidence_what_went_wrong_before_what_they_looked_at() -> None:
    pages = tuple(ago("page.viewed", timedelta(minutes=9 - n), path=f"/help/{n}") for n in range(8))
    found = answer(catalogue(), happened=(ago("payment.failed", HOUR, method="card"), *pages))
    assert [reason.reason for reason in found.calling] == ["payment_failed", "looked_at"]
    assert found.calling[0].evidence[0].data == {"method": "card"}
    assert [one.data["path"] for one in found.calling[1].evidence] == [f"/help/{n}" for n in (7, 6, 5, 4, 3)]


def test_a_reason_fades_and_is_taken_away_by_what_settles_it() -> None:
    failed = ago("payment.failed", 2 * DAY)
    assert answer(catalogue(), happened=(failed,)).calling[0].weight == 3.0
    assert answer(catalogue(), happened=(failed, ago("order.placed", 9 * DAY))).calling
    settled = answer(catalogue(), happened=(failed, ago("order.placed", DAY)))
    assert [reason.reason for reason in settled.calling] == ["ordered"]


def test_an_overdue_promise_is_kept_before_anything_is_offered() -> None:
    told = ago("call.wrapped_up", 2 * DAY, promise="a new invoice", promised_by=(MONDAY_NOON - DAY).isoformat(), reference="S-1")
    found = answer(catalogue(campaign("a", CALLED)), happened=(told,))
    assert [(one.text, one.is_overdue, one.reference) for one in found.promises] == [("a new invoice", True, "S-1")]
    assert (found.next.do, found.next.about) == ("keep_promise", "S-1")
    kept = answer(catalogue(campaign("a", CALLED)), happened=(told, ago("service.completed", HOUR, reference="S-1")))
    assert (kept.promises, kept.next.do) == ((), "offer")


def test_a_promised_call_is_kept_by_a_call() -> None:
    wished = ago("call.wrapped_up", DAY, callback=True)
    assert [one.text for one in answer(catalogue(), happened=(wished,)).promises] == ["a call back"]
    assert answer(catalogue(), happened=(wished, ago("outcome.answered", HOUR))).promises == ()


def test_a_declined_offer_is_not_repeated_within_its_rest() -> None:
    rules = catalogue(campaign("a", CALLED), campaign("b", CALLED))
    found = answer(rules, declined={"a": MONDAY_NOON - 29 * DAY})
    assert ([offer.campaign for offer in found.offers], codes(found)) == (["b"], {"a": "declined"})
    assert found.losers[0].until == MONDAY_NOON + DAY
    assert [offer.campaign for offer in answer(rules, declined={"a": MONDAY_NOON - 30 * DAY}).offers] == ["a", "b"]


def test_who_was_on_the_way_before_is_offered_it_again_only_when_they_may_enter_again() -> None:
    once, again = campaign("once", CALLED), campaign("again", CALLED, entry={"on": {"event": "x.seen"}, "reentry": {"after": "10d"}})
    entered = {"once\0": MONDAY_NOON - 90 * DAY, "again\0": MONDAY_NOON - 9 * DAY}
    found = answer(catalogue(once, again), entries=entered)
    assert (found.offers, codes(found)) == ((), {"once": "reentry", "again": "reentry"})
    assert {loser.campaign: loser.until for loser in found.losers} == {"once": None, "again": MONDAY_NOON + DAY}


def test_what_the_customer_is_on_the_way_of_is_offered_in_the_words_of_its_wave() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email"), {**CALLED, "key": "call", "enter": {"after": "tell"}})))
    house.touch("cart.updated")
    (offer,) = next_best_action(Visit(house.rules, house.state, "chat", house.now, "", masked=False)).offers
    assert (offer.run_id, offer.wave, offer.say) == (house.run.run_id, "tell", "text of tell-email")
    (spoken,) = next_best_action(Visit(house.rules, house.state, "call", house.now, "", masked=False)).offers
    assert spoken.say == "Renew?"


def test_who_is_held_out_is_not_sold_to_here_either() -> None:
    found = answer(catalogue(campaign("a", CALLED, holdout=1.0)))
    assert (found.offers, codes(found)) == ((), {"a": "holdout"})


def test_what_the_agent_posts_back_moves_the_campaign() -> None:
    house = House(catalogue(campaign("winter", CALLED, entry={"on": {"event": "cart.updated"}})))
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + HOUR)
    found = next_best_action(Visit(house.rules, house.state, "call", house.now, "a-7", masked=False))
    event = found.record.declined["winter"]
    assert (event["type"], event["data"]["identifiers"], event["data"]["agent"]) == ("offer.declined", ["external:nextwave:c-1"], "a-7")
    house.touch(event["type"], **event["data"])
    assert house.state.runs == ()
    assert set(house.state.declined) == {"winter"}
    after = next_best_action(Visit(house.rules, house.state, "call", house.now, "a-7", masked=False))
    assert codes(after) == {"winter": "declined"}


def test_the_same_question_gets_the_same_answer_with_the_same_ids() -> None:
    rules = catalogue(campaign("a", CALLED))
    assert msgspec.json.encode(answer(rules)) == msgspec.json.encode(answer(rules))
    accepted, declined = (getattr(answer(rules).record, name)["a"]["id"] for name in ("accepted", "declined"))
    assert accepted != declined


def test_a_role_without_need_for_names_sees_none_and_gets_the_same_decisions() -> None:
    segments = [{"key": "ann", "rule": {"field": "traits.name", "op": "eq", "value": "Ann"}}]
    rules = catalogue(campaign("a", CALLED, entry={"on": {"event": "x.seen"}, "audience": {"segment": "ann"}}), segments=segments)
    told = ago("message.left", HOUR, text="call Ann at +491511234567")
    page = ago("page.viewed", timedelta(minutes=1), path="/x", name="Ann")
    state = CustomerState(customer_id=CUSTOMER, profile=snapshot(traits={"name": "Ann"}), history=(told, page))
    visit = Visit(rules, state, "call", MONDAY_NOON, "a-7", masked=True)
    found = next_best_action(visit)
    assert [offer.campaign for offer in found.offers] == ["a"]
    assert found.who.name == MASK
    written = msgspec.json.encode(found).decode()
    assert "ann@example.com" not in written
    assert "4915112345678" not in written
    assert '"Ann' not in written
    assert msgspec.json.encode(next_best_action(with_values(visit, masked=False))) != msgspec.json.encode(found)


PROFILES = st.builds(
    lambda complaints, held, unsatisfied, services, cell, withdrawn: snapshot(
        open_complaints=complaints,
        holds=tuple(HeldBy(kind=kind, since=MONDAY_NOON - DAY, until=until) for kind, until in held),
        unsatisfied=unsatisfied or services > 0,
        services=Cases(open=services),
        value=Value(cell=cell),
        consents=(Consent(channel="", purpose="marketing", granted=False, at=MONDAY_NOON - DAY),) if withdrawn else (),
    ),
    st.integers(0, 2),
    st.lists(
        st.tuples(
            st.sampled_from(["complaint", "legal", "wrong_number", "manual"]), st.sampled_from([None, MONDAY_NOON, MONDAY_NOON + DAY])
        ),
        max_size=2,
    ),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from(["I", "II", "III", "IV"]),
    st.booleans(),
)
CHANNELS = st.sampled_from(["call", "chat", "email", "onsite", "visit"])


def may_be_sold_to(profile: Snapshot) -> bool:
    """By the specification alone: no hold in force, no matter open or closed without satisfaction, no withdrawal."""
    in_force = any((hold.until is None or hold.until > MONDAY_NOON) for hold in profile.holds)
    return not (in_force or profile.open_complaints or profile.unsatisfied or any(not consent.granted for consent in profile.consents))


@settings(max_examples=150, deadline=None)
@given(PROFILES, CHANNELS)
def test_never_an_offer_while_a_matter_is_open_or_under_a_hold_and_always_the_same_word_on_selling(
    profile: Snapshot, channel: Channel
) -> None:
    rules = catalogue(campaign("a", CALLED), campaign("b", wave("tell", "email")), policy=NO_CAPS)
    found = answer(rules, profile, channel=channel)
    assert found.may_sell.allowed == may_be_sold_to(profile)
    assert bool(found.offers) == may_be_sold_to(profile)
    assert {offer.campaign for offer in found.offers} | {loser.campaign for loser in found.losers} == {"a", "b"}
    if found.matters:
        assert found.next.do == "solve"
    assert not (found.next.do == "offer" and not found.may_sell.allowed)


def test_a_campaign_that_does_not_sell_is_no_offer() -> None:
    rules = catalogue(*(campaign(purpose, CALLED, purpose=purpose) for purpose in ("service", "recovery", "care", "transactional")))
    assert (answer(rules).offers, answer(rules).losers) == ((), ())


def test_a_template_that_fails_is_not_read_out_and_its_campaign_is_told_as_not_ready() -> None:
    rules = catalogue(campaign("a", wave("missing", "email")))
    found = answer(rules)
    assert (found.offers, codes(found), found.losers[0].detail) == ((), {"a": "not_ready"}, "template missing-email")


def test_a_paused_campaign_and_one_whose_systems_are_not_ready_are_not_offered() -> None:
    rules = catalogue(campaign("a", CALLED), campaign("b", CALLED, needs=["payment"]), states={"a": "paused", "b": "published"})
    assert codes(answer(rules)) == {"a": "campaign_stopped", "b": "not_ready"}
