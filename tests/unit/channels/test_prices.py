"""Price tables: what a delivery costs at a provider, and tables that are refused with line, field and fix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from channel_contacts import NOON, a_contact
from nextwave_channels.prices import COLUMNS, Prices, PriceTableError, parse
from nextwave_contracts.actions import Content

ROUTES = {("sms", "twilio"), ("sms", "gateway"), ("email", "smtp")}
HEAD = ",".join(COLUMNS) + "\n"


def table(*lines: str) -> Prices:
    return parse(HEAD + "\n".join(lines), ROUTES)


def cost(prices: Prices, to: str, said: str = "Hello", at: datetime = NOON) -> int | None:
    return prices.cost(a_contact(channel="sms", address=to, content=Content(text=said)), "twilio", at)


def test_the_longest_prefix_counts_then_the_country_then_everywhere() -> None:
    prices = table(
        "twilio,sms,*,2026-01-01,,9,EUR",
        "twilio,sms,FR,2026-01-01,,6,EUR",
        "twilio,sms,+337,2026-01-01,,5,EUR",
        "twilio,sms,+33,2026-01-01,,7,EUR",
        "twilio,sms,DE,2026-01-01,,4,EUR",
    )
    assert [cost(prices, to) for to in ("+33712345678", "+33612345678", "+4915112345678", "+14155550100")] == [5, 7, 4, 9]


def test_a_text_costs_its_segments_and_a_mail_once() -> None:
    prices = table("twilio,sms,*,2026-01-01,,7,EUR", "smtp,email,*,2026-01-01,,1,EUR")
    assert [cost(prices, "+14155550100", said) for said in ("x" * 160, "x" * 161, "ж" * 71)] == [7, 14, 14]
    assert prices.cost(a_contact(content=Content(text="x" * 999)), "smtp", NOON) == 1


def test_a_price_holds_from_its_first_instant_to_before_its_last() -> None:
    prices = table("twilio,sms,*,2026-03-01,2026-03-02T12:00:00Z,7,EUR", "twilio,sms,*,2026-03-02T13:00:00+01:00,,8,EUR")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert cost(prices, "+14155550100", at=start - timedelta(microseconds=1)) is None
    assert [cost(prices, "+14155550100", at=at) for at in (start, NOON - timedelta(microseconds=1), NOON)] == [7, 7, 8]


def test_where_the_table_says_nothing_the_contacts_own_cost_stays() -> None:
    prices = table("gateway,sms,+33,2026-01-01,,7,EUR")
    assert cost(prices, "+33612345678") is None
    assert prices.cost(a_contact(channel="sms", address="+14155550100"), "gateway", NOON) is None
    assert prices.cost(a_contact(), "smtp", NOON) is None


def test_amounts_are_never_given_to_a_contact_in_another_currency() -> None:
    prices = table("twilio,sms,*,2026-01-01,,7,USD")
    assert cost(prices, "+14155550100") is None
    assert prices.cost(a_contact(channel="sms", address="+14155550100", currency="USD"), "twilio", NOON) == 7


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("other,sms,*,2026-01-01,,7,EUR", "line 2, provider: 'other' serves no channel 'sms' here; there are gateway for sms"),
        ("twilio,call,*,2026-01-01,,7,EUR", "line 2, provider: 'twilio' serves no channel 'call'"),
        ("twilio,sms,33,2026-01-01,,7,EUR", "line 2, to: '33' is no prefix like +33"),
        ("twilio,sms,XX,2026-01-01,,7,EUR", "line 2, to: XX is no country"),
        ("smtp,email,FR,2026-01-01,,7,EUR", "line 2, to: addresses of email have no country; write *"),
        ("twilio,sms,*,yesterday,,7,EUR", "line 2, from: 'yesterday' is no day"),
        ("twilio,sms,*,2026-01-01T12:00:00,,7,EUR", "line 2, from: "),
        ("twilio,sms,*,2026-01-01,never,7,EUR", "line 2, until: 'never' is no day"),
        ("twilio,sms,*,2026-01-02,2026-01-01,7,EUR", "line 2, until: it must be after from"),
        ("twilio,sms,*,2026-01-01,,0.75,EUR", "line 2, amount: '0.75' is no whole number of minor units"),
        ("twilio,sms,*,2026-01-01,,-1,EUR", "line 2, amount: "),
        ("twilio,sms,*,2026-01-01,,7,euro", "line 2, currency: 'euro' is no ISO 4217 code"),
        ("twilio,sms,*,2026-01-01,,7", "line 2, row: it must have 7 fields"),
        ("twilio,sms,*,2026-01-01,,7,EUR,8", "line 2, row: it must have 7 fields"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line_its_field_and_the_fix(line: str, fault: str) -> None:
    with pytest.raises(PriceTableError) as refused:
        table(line)
    assert str(refused.value).startswith(fault)


def test_rows_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(PriceTableError, match="line 3, from: overlaps line 2; end that row first"):
        table("twilio,sms,*,2026-01-01,,7,EUR", "twilio,sms,*,2026-06-01,,8,EUR")
    with pytest.raises(PriceTableError, match="line 3, currency: USD beside EUR; a table has one currency"):
        table("twilio,sms,*,2026-01-01,,7,EUR", "gateway,sms,*,2026-06-01,,8,USD")


def test_all_faults_are_told_at_once_and_a_file_of_another_kind_by_its_first_line() -> None:
    with pytest.raises(PriceTableError) as refused:
        table(*["twilio,sms,*,2026-01-01,,x,EUR"] * 30)
    assert str(refused.value).count("amount:") == 20
    assert str(refused.value).endswith("and 10 more")
    with pytest.raises(PriceTableError, match="line 1: the columns must be provider,channel,to,from,until,amount,currency"):
        parse("a,b\n1,2\n", ROUTES)
