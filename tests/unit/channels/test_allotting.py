"""Which provider takes which delivery of a claim."""

from __future__ import annotations

from dataclasses import replace

from channel_contacts import NOON, a_contact
from nextwave_channels.allotting import Offer, Shares
from nextwave_channels.delivery import Delivery, Way, queue
from nextwave_channels.prices import COLUMNS, NO_PRICES, parse

PRICES = parse(
    ",".join(COLUMNS) + "\na,sms,*,2026-01-01,,7,EUR\na,sms,+33,2026-01-01,,4,EUR\nb,sms,*,2026-01-01,,5,EUR", {("sms", "a"), ("sms", "b")}
)


def text(to: str) -> Delivery:
    return queue(a_contact(channel="sms", address=to, cost=6), NOON)


def test_the_cheapest_for_this_address_takes_it_at_its_price() -> None:
    shares = Shares([Offer("a", 9), Offer("b", 9)], 9, PRICES)
    assert [shares.way(text(to), NOON) for to in ("+33612345678", "+14155550100")] == [Way("a", 4), Way("b", 5)]


def test_a_provider_without_a_price_counts_with_the_contacts_own_cost() -> None:
    shares = Shares([Offer("a", 9), Offer("c", 9)], 9, PRICES)
    assert [shares.way(text(to), NOON) for to in ("+33612345678", "+14155550100")] == [Way("a", 4), Way("c", None)]


def test_at_equal_prices_the_first_named_goes_first_as_long_as_it_has_room() -> None:
    shares = Shares([Offer("b", 2), Offer("a", 1)], 9, NO_PRICES)
    assert shares.room == 3
    assert [shares.way(text("+14155550100"), NOON).provider for _ in range(3)] == ["b", "b", "a"]
    assert shares.room == 0


def test_a_dear_provider_is_better_than_none() -> None:
    shares = Shares([Offer("a", 5), Offer("b", 0)], 9, PRICES)
    assert shares.way(text("+14155550100"), NOON) == Way("a", 7)


def test_after_a_refusal_another_provider_is_asked_if_there_is_one() -> None:
    refused = replace(text("+14155550100"), attempt=1, provider="b")
    assert Shares([Offer("a", 1), Offer("b", 1)], 9, PRICES).way(refused, NOON).provider == "a"
    assert Shares([Offer("a", 0), Offer("b", 1)], 9, PRICES).way(refused, NOON).provider == "b"


def test_a_claim_takes_no_more_than_it_was_asked_for() -> None:
    assert Shares([Offer("a", 16), Offer("b", 16)], 5, NO_PRICES).room == 5
    assert Shares([Offer("a", 0)], 5, NO_PRICES).room == 0
