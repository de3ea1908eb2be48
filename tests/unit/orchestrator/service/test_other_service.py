"""Ask, self-service first, call back, the visitor who hesitates, and care without selling, as they are shipped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import Value
from unit.orchestrator.service.shipped_house import house

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def contacts(said: list[Any]) -> list[tuple[str, str]]:
    return [(one.wave, one.channel) for one in said if isinstance(one, Contact)]


def test_the_one_question_goes_by_the_channel_that_the_matter_came_by() -> None:
    by_text, by_form = house("ask-after-service"), house("ask-after-service")
    by_text.touch("service.requested", reference="S-1", channel="sms")
    assert contacts(by_text.touch("service.completed", reference="S-1")) == [("ask", "sms")]
    by_form.touch("service.requested", reference="S-2", channel="form")
    assert contacts(by_form.touch("service.completed", reference="S-2")) == [("ask", "email")]


def test_nobody_is_asked_twice_about_one_matter() -> None:
    at_home = house("ask-after-service")
    assert len(contacts(at_home.touch("service.completed", reference="S-1"))) == 1
    at_home.wait(at_home.now + HOUR)
    assert contacts(at_home.touch("service.completed", reference="S-1")) == []


def test_who_serves_themselves_well_gets_the_page_first_and_a_person_after_four_hours() -> None:
    at_home = house("self-service-first", value=Value(cell="I"))
    assert contacts(at_home.touch("service.requested", reference="S-1", topic="invoice")) == [("help", "email")]
    assert contacts(at_home.wait(at_home.now + 4 * HOUR)) == []  # 18:00 in Berlin: no calls at dinner time
    assert contacts(at_home.wait(at_home.now + 14 * HOUR)) == [("person", "call")]  # 08:00


def test_the_page_that_solved_it_spares_the_call() -> None:
    at_home = house("self-service-first", value=Value(cell="II"))
    at_home.touch("service.requested", reference="S-1", topic="invoice")
    at_home.touch("service.completed", reference="S-1")
    assert contacts(at_home.wait(at_home.now + 2 * DAY)) == []


def test_the_most_valuable_reach_a_person_at_once() -> None:
    at_home = house("self-service-first", value=Value(cell="IV"))
    assert contacts(at_home.touch("service.requested", reference="S-1", topic="invoice")) == [("help", "call")]


def test_a_visitor_who_hesitates_is_invited_while_still_there_also_without_a_name() -> None:
    for identifiers in (("email:ann@example.com",), ("anonymous_id:a-1",)):
        at_home = house("hesitating-visitor", identifiers=identifiers, contact_points=(), consents=(), zones=(), country="")
        for sku in "abc":
            assert contacts(at_home.touch("product.viewed", sku=sku)) == []
        (invite,) = [one for one in at_home.touch("product.viewed", sku="a") if isinstance(one, Contact)]
        assert (invite.channel, invite.purpose, invite.not_after) == ("onsite", "service", at_home.now + 10 * MINUTE)


def test_a_visitor_who_takes_their_time_or_has_bought_is_left_alone() -> None:
    slow, bought = house("hesitating-visitor"), house("hesitating-visitor")
    for sku in "abcdef":
        slow.wait(slow.now + 5 * MINUTE)
        assert contacts(slow.touch("product.viewed", sku=sku)) == []
    bought.touch("order.placed")
    for sku in "abcdef":
        assert contacts(bought.touch("product.viewed", sku=sku)) == []


def test_who_asks_to_be_called_back_is_called_also_with_an_open_complaint() -> None:
    at_home = house("call-back", open_complaints=1, unsatisfied=True)
    (call,) = [one for one in at_home.touch("service.requested", topic="callback") if isinstance(one, Contact)]
    assert (call.channel, call.list, call.purpose) == ("call", "callbacks", "service")


def test_an_agents_promise_to_call_back_is_kept() -> None:
    at_home = house("call-back-promised")
    assert contacts(at_home.touch("call.wrapped_up", callback=True)) == [("call", "call")]
