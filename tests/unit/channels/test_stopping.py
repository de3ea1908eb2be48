"""What providers' words mean as facts: whose, for which channel and purpose, and about which address."""

from __future__ import annotations

import pytest
from channel_contacts import NOON, a_contact
from nextwave_channels.answers import Refused
from nextwave_channels.callbacks.evidence import Effect
from nextwave_channels.stopping import of_effect, of_refusal, party_of

ANN = a_contact(address_subject="hash-ann-mail")
ALL = ("hash-ann-id", "hash-ann-mail")


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ("", []),
        ("opted_out", [(name, "opt", "email", "") for name in ALL]),
        ("unsubscribed", [(name, "opt", "email", "marketing") for name in ALL]),
        ("closed", [("hash-ann-mail", "address", "email", "")]),
        ("complained", [*((name, "opt", "email", "") for name in ALL), ("hash-ann-mail", "address", "email", "")]),
    ],
)
def test_an_effect_is_about_the_customer_the_address_or_both(effect: Effect, said: list[tuple[str, str, str, str]]) -> None:
    facts = of_effect(effect, party_of(ANN), NOON, "provider:x")
    assert [(fact.subject, fact.kind, fact.channel, fact.purpose) for fact in facts] == said
    assert all(fact.stopped and fact.at == NOON and fact.source == "provider:x" for fact in facts)


def test_without_a_name_an_address_cannot_be_closed() -> None:
    assert of_effect("closed", party_of(a_contact()), NOON, "x") == []


@pytest.mark.parametrize(
    ("refused", "channel", "kinds"),
    [
        (Refused(detail="550 5.1.1", permanent=True, bounced=True), "email", {"address"}),
        (Refused(detail="410", permanent=True, bounced=True), "webpush", set()),
        (Refused(detail="21610", permanent=True, opted_out=True), "sms", {"opt"}),
        (Refused(detail="550 5.7.1", permanent=True), "email", set()),
    ],
)
def test_a_refusal_closes_an_address_that_does_not_exist_but_no_browser_that_may_come_back(
    refused: Refused, channel: str, kinds: set[str]
) -> None:
    contact = a_contact(channel=channel, address_subject="hash-ann-mail")
    assert {fact.kind for fact in of_refusal(refused, contact, NOON)} == kinds
