"""A complaint from its opening to the recovered customer, through the shipped campaigns and the real fold; nothing is sold meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import Cases, Change, CustomerUpdated, HeldBy, Orders
from nextwave_contracts.decisions import GoalReached, RunEnded
from nextwave_contracts.holds import COMPLAINT_HOLDS_FOR
from nextwave_orchestrator.catalogue import Facts
from unit.orchestrator.decision_world import House
from unit.orchestrator.service.shipped_house import house

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def complain(at_home: House, reference: str = "T-1", **data: Any) -> list[Any]:
    """A complaint, with what scoring makes of the profile."""
    held = HeldBy(kind="complaint", since=at_home.now, reference=reference)
    at_home.profile = replace(
        at_home.profile, open_complaints=1, holds=(held,), complained_at=at_home.now, complaints=Cases(open=1, solved=0)
    )
    return at_home.touch("complaint.opened", reference=reference, **data)


def resolve(at_home: House, reference: str = "T-1", *, satisfied: bool = True, **data: Any) -> list[Any]:
    """Its resolution."""
    at_home.profile = replace(at_home.profile, open_complaints=0, holds=(), unsatisfied=not satisfied, complaints=Cases(open=0, solved=1))
    return at_home.touch("complaint.resolved", reference=reference, satisfied=satisfied, **data)


def lose(at_home: House) -> list[Any]:
    """The risk rises, which is when the renewal and the win-back would like to sell."""
    changes = (Change(field="churn.band", before="low", after="high"), Change(field="churn.band", before="high", after="lost"))
    return at_home.take(CustomerUpdated(customer_id=at_home.profile.customer_id, at=at_home.now, profile=at_home.profile, changes=changes))


def contacts(said: list[Any]) -> list[tuple[str, str, str]]:
    return [(one.campaign, one.wave, one.channel) for one in said if isinstance(one, Contact)]


def test_from_the_complaint_to_the_recovered_customer() -> None:
    at_home = house(traits={"contract": "gold", "name": "Ann"})
    (apology,) = [one for one in complain(at_home, subject="a broken kettle") if isinstance(one, Contact)]
    assert (apology.campaign, apology.channel, apology.decided_at) == ("recovery-apology", "email", at_home.now)
    assert "a broken kettle" in apology.content.text
    assert "number T-1" in apology.content.text
    assert contacts(lose(at_home)) == []
    assert contacts(at_home.wait(at_home.now + DAY)) == [("recovery-apology", "keep-informed", "email")]
    said = resolve(at_home, cause="a loose plug", remedy="a new kettle is on its way", prevention="plugs are tested")
    assert [one.reason for one in said if isinstance(one, RunEnded)] == ["goal"]
    (letter,) = [one for one in said if isinstance(one, Contact)]
    assert (letter.campaign, letter.wave) == ("recovery-assurance", "assure")
    assert all(told in letter.content.text for told in ("a loose plug", "a new kettle is on its way", "plugs are tested"))
    (call,) = [one for one in at_home.wait(at_home.now + 2 * DAY) if isinstance(one, Contact)]
    assert (call.campaign, call.wave, call.channel, call.list) == ("recovery-assurance", "follow-up", "call", "recovery")
    at_home.outcome("answered", call)
    said = at_home.touch("satisfaction.rated", rating=5, reference="T-1")
    assert [one.campaign for one in said if isinstance(one, GoalReached)] == ["recovery-assurance"]
    assert not [run for run in at_home.state.runs if run.campaign.startswith("recovery")]
    segments = {segment.key for segment in at_home.rules.segments if segment.matches(_facts(at_home))}
    assert "recovered" in segments


def test_nothing_is_sold_while_the_complaint_is_open_nor_while_the_customer_is_unsatisfied() -> None:
    at_home = house(traits={"contract": "gold"})
    complain(at_home)
    lose(at_home)
    at_home.wait(at_home.now + 10 * DAY)
    resolve(at_home, satisfied=False)
    at_home.wait(at_home.now + 10 * DAY)
    sold = [one for one in at_home.decisions if one.purpose == "marketing"]
    assert sold
    assert {one.result for one in sold} <= {"withhold", "defer"}
    assert {one.reason for one in sold} <= {"complaint_open", "unsatisfied", "cap"}
    assert not [one for one in at_home.all(Contact) if one.purpose == "marketing"]


def test_who_is_left_unsatisfied_gets_another_letter_and_still_the_call() -> None:
    at_home = house()
    complain(at_home)
    (letter,) = [one for one in resolve(at_home, satisfied=False) if isinstance(one, Contact)]
    assert letter.template == "recovery-not-enough"
    assert contacts(at_home.wait(at_home.now + 2 * DAY)) == [("recovery-assurance", "follow-up", "call")]


def test_a_complaint_that_nobody_closes_holds_back_for_half_a_year_and_then_no_longer() -> None:
    at_home = house("win-back", orders=Orders(count=1))
    complain(at_home)
    at_home.profile = replace(at_home.profile, holds=tuple(replace(h, until=h.since + COMPLAINT_HOLDS_FOR) for h in at_home.profile.holds))
    at_home.wait(at_home.now + COMPLAINT_HOLDS_FOR - timedelta(days=6))
    assert contacts(lose(at_home)) == []
    assert at_home.decisions[-1].reason == "complaint_open"
    at_home.wait(at_home.now + timedelta(days=9))
    assert [one.reason for one in at_home.decisions[-1:]] == ["permitted"]


def test_two_complaints_are_two_matters() -> None:
    at_home = house("recovery-apology", "recovery-assurance")
    complain(at_home, "T-1")
    complain(at_home, "T-2")
    assert sorted(run.entry_key for run in at_home.state.runs) == ["T-1", "T-2"]
    resolve(at_home, "T-1")
    assert sorted((run.campaign, run.entry_key) for run in at_home.state.runs) == [
        ("recovery-apology", "T-2"),
        ("recovery-assurance", "T-1"),
    ]


def test_a_complaint_in_a_call_is_confirmed_in_writing() -> None:
    at_home = house()
    said = at_home.touch("call.wrapped_up", complaint=True, disposition="complaint")
    assert contacts(said) == [("recovery-after-call", "confirm", "email")]


def test_a_complaint_nobody_solves_is_heard_by_a_person() -> None:
    at_home = house("recovery-apology")
    complain(at_home)
    at_home.wait(at_home.now + 5 * DAY)
    assert [one.wave for one in at_home.all(Contact)] == ["apologise", "keep-informed", "listen"]


def test_who_was_missed_by_the_follow_up_call_is_written_to() -> None:
    at_home = house("recovery-assurance")
    resolve(at_home)
    said = at_home.wait(at_home.now + 2 * DAY)
    while calls := [one for one in said if isinstance(one, Contact) and one.channel == "call"]:
        at_home.outcome("no_answer", calls[0])
        said = at_home.wait(at_home.now + DAY)
    at_home.wait(at_home.now + 7 * DAY)
    assert at_home.all(Contact)[-1].template == "recovery-missed-you"


def test_a_bad_rating_brings_a_call_and_a_good_one_nothing() -> None:
    at_home = house("recovery-bad-rating")
    assert contacts(at_home.touch("satisfaction.rated", rating=4)) == []
    assert contacts(at_home.touch("satisfaction.rated", rating=1)) == [("recovery-bad-rating", "ask-why", "call")]


def _facts(at_home: House) -> Facts:
    return Facts(at_home.profile, at_home.state.history, at_home.now)
