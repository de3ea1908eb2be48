"""Providers as the settings say: order, limits, prices; and settings that cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from channels_place import HandClock, Recorder
from nextwave_channels.answers import Answer, Refused, Uncertain
from nextwave_channels.breaker import FAILURES_MAX
from nextwave_channels.pacing import PACES
from nextwave_channels.prices import COLUMNS
from nextwave_channels.providers import PUSHED, SetupError, make_outlets
from nextwave_channels.rate import Rate
from nextwave_channels.settings import ProviderSettings

ADAPTERS = {("email", "smtp"): Recorder(), ("sms", "twilio"): Recorder(), ("sms", "gateway"): Recorder()}


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> ProviderSettings:
    for name, value in values.items():
        monkeypatch.setenv(f"NEXTWAVE_{name.upper()}", value)
    return ProviderSettings()


def test_without_settings_every_provider_is_used_as_its_channel_is_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    outlets = make_outlets(read(monkeypatch), ADAPTERS, HandClock())
    assert {channel: list(each.all) for channel, each in outlets.items()} == {"email": ["smtp"], "sms": ["twilio", "gateway"]}
    assert outlets["sms"].all["twilio"].pace == PACES["sms"]
    assert outlets["sms"].all["twilio"].rate is None


def test_routes_give_the_order_and_the_limits_of_each_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = '[{"channel":"sms","provider":"gateway","slots":3,"deadline_seconds":40,"per_second":2.5,"burst":4}]'
    sms = make_outlets(read(monkeypatch, routes=routes), ADAPTERS, HandClock())["sms"]
    assert list(sms.all) == ["gateway", "twilio"]
    gateway = sms.all["gateway"]
    assert (gateway.pace.concurrency, gateway.pace.deadline_seconds, gateway.rate) == (3, 40, Rate(per_second=2.5, burst=4))
    assert sms.pace.lease_seconds >= 40 + 15  # nobody may think it lost while it may still be answered and recorded


def test_the_dialler_is_a_provider_whose_calls_nobody_else_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = '[{"channel":"call","provider":"dialler","slots":2,"per_second":5}]'
    outlets = make_outlets(read(monkeypatch, routes=routes), {("call", "twilio"): Recorder(), PUSHED: None}, HandClock())
    assert {name: (each.channel, list(each.all)) for name, each in outlets.items()} == {
        "dialler": ("call", ["dialler"]),
        "call": ("call", ["twilio"]),
    }
    pushed = outlets["dialler"].all["dialler"]
    assert (pushed.pace.concurrency, pushed.rate) == (2, Rate(per_second=5, burst=1))


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        (
            '[{"channel":"sms","provider":"other"}]',
            "NEXTWAVE_ROUTES: entry 1: 'other' is no provider of sms that is set up; there are: gate",
        ),
        ('[{"channel":"visit","provider":"team"}]', "'team' is no provider of visit that is set up; there are: none"),
        ('[{"channel":"sms","provider":"twilio"},{"channel":"sms","provider":"twilio"}]', "entry 2: twilio is named twice for sms"),
    ],
)
def test_routes_that_cannot_be_meant_end_the_start_with_the_fix(monkeypatch: pytest.MonkeyPatch, routes: str, says: str) -> None:
    with pytest.raises(SetupError) as refused:
        make_outlets(read(monkeypatch, routes=routes), ADAPTERS, HandClock())
    assert says in str(refused.value)


def test_a_price_table_that_cannot_be_used_ends_the_start_with_file_line_and_field(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    for written, says in ((",".join(COLUMNS) + "\ntwilio,sms,*,2026-01-01,,x,EUR\n", "line 2, amount: 'x'"), (None, "No such file")):
        file.unlink(missing_ok=True)
        if written:
            file.write_text(written)
        with pytest.raises(SetupError) as refused:
            make_outlets(read(monkeypatch, prices_file=str(file)), ADAPTERS, HandClock())
        assert str(refused.value).startswith(f"NEXTWAVE_PRICES_FILE: {file} cannot be used\n")
        assert says in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        Refused(detail="503", permanent=False, down=True),
        Refused(detail="429", permanent=False, retry_after_seconds=3600.0),
        Uncertain(detail="500"),
    ],
)
def test_what_one_push_service_answers_closes_none_of_the_others(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    adapters = {("webpush", "vapid"): Recorder(), ("sms", "twilio"): Recorder()}
    routes = '[{"channel":"webpush","provider":"vapid","slots":3}]'
    for setting in (routes, "[]"):
        outlets = make_outlets(read(monkeypatch, routes=setting), adapters, HandClock())
        for channel, provider, closed in (("webpush", "vapid", False), ("sms", "twilio", True)):
            for number in range(FAILURES_MAX):
                outlets[channel].begin(f"action-{number}", provider)
                outlets[channel].end(f"action-{number}", provider, answer)
            outlet = outlets[channel].all[provider]
            assert (outlets[channel].closed_seconds(outlet) > 0) is closed, channel


def test_every_channel_has_the_prices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("\ufeff" + ",".join(COLUMNS) + "\r\ngateway,sms,*,2026-01-01,,4,EUR\r\n", "utf-8")
    outlets = make_outlets(read(monkeypatch, prices_file=str(tmp_path / "prices.csv")), ADAPTERS, HandClock())
    assert outlets["sms"].prices.currency == "EUR"
