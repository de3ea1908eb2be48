"""What the processes of a stack are told: replicas, ports, clock, secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from channels_place import HandClock
from nextwave_channels.call_lists.setup import make_dialler, ways_of
from nextwave_channels.endpoints.setup import endpoints_of
from nextwave_channels.providers import make_adapters, make_outlets
from nextwave_channels.settings import ChannelsSettings
from nextwave_contracts.clock import ClockSetting
from nextwave_local.credentials import Credentials
from nextwave_local.layout import (
    DEFAULT_PORTS,
    DIALLER_LIST,
    ENDPOINTS,
    Layout,
    LayoutError,
    environment,
    next_clock,
    replicas_of,
    watermark_seconds,
)

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = Credentials(
    identifier_key="i" * 32,
    link_key="l" * 32,
    twilio_account="AC1",
    twilio_token="t",
    mail_callback_secret="whsec_m",
    write_key="w",
    api_token="a",
)


def _layout(clock: ClockSetting | None = None) -> Layout:
    ports = {**DEFAULT_PORTS, "scoring-1": 9999}
    return Layout(replicas=replicas_of(["scoring=2"]), ports=ports, clock=clock or ClockSetting())


def test_one_replica_of_each_service_unless_said_otherwise() -> None:
    assert replicas_of(["channels=3", "ingest=0"]) == {"ingest": 0, "scoring": 1, "orchestrator": 1, "channels": 3}


@pytest.mark.parametrize("wish", ["scoring", "scoring=two", "sales=2", "scoring=-1", "scoring=99"])
def test_a_wish_for_replicas_that_is_none_is_refused(wish: str) -> None:
    with pytest.raises(LayoutError, match="SERVICE=N"):
        replicas_of([wish])


def test_every_replica_has_a_name_and_its_own_port() -> None:
    assert _layout().names() == ("ingest-0", "scoring-0", "scoring-1", "orchestrator-0", "channels-0")
    assert _layout().url("scoring-1") == "http://127.0.0.1:9999"


def test_a_replica_keeps_its_name_for_static_membership() -> None:
    told = environment("scoring-1", _layout(), SECRET, "keys.json", "postgresql://x")
    assert (told["NEXTWAVE_REPLICA"], told["NEXTWAVE_PORT"], told["NEXTWAVE_POSTGRES"]) == ("1", "9999", "postgresql://x")


def test_a_service_is_told_no_secret_that_it_does_not_need() -> None:
    scoring = environment("scoring-0", _layout(), SECRET, "keys.json", "postgresql://x")
    assert "NEXTWAVE_LINK_KEY" not in scoring
    assert "NEXTWAVE_TWILIO_TOKEN" not in scoring
    assert "NEXTWAVE_POSTGRES" not in environment("ingest-0", _layout(), SECRET, "keys.json", "")


def test_ingest_and_channels_share_the_key_of_links() -> None:
    ingest = environment("ingest-0", _layout(), SECRET, "keys.json", "")
    channels = environment("channels-0", _layout(), SECRET, "keys.json", "postgresql://x")
    assert ingest["NEXTWAVE_LINK_KEY"] == channels["NEXTWAVE_LINK_KEY"] == SECRET.link_key
    assert ingest["NEXTWAVE_INGEST_URL"] == channels["NEXTWAVE_INGEST_URL"] == "http://127.0.0.1:7401"


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 1.0), (3_600.0, 1.0), (36_000.0, 0.1), (1_000_000.0, 0.1)])
def test_watermarks_come_every_business_hour_within_limits(speed: float, seconds: float) -> None:
    assert watermark_seconds(speed) == seconds


def test_business_time_is_the_wall_clock_unless_asked_otherwise() -> None:
    assert next_clock(1_000.0, 1.0, None, None, None) == ClockSetting()


def test_business_time_begins_where_it_is_told_and_runs_as_fast_as_told() -> None:
    clock = next_clock(1_000.0, 60.0, ORIGIN, None, None)
    assert (clock.at(1_000.0), clock.at(1_001.0)) == (ORIGIN, ORIGIN + timedelta(minutes=1))


def test_a_stopped_stack_goes_on_from_the_business_instant_it_had_reached() -> None:
    reached = ORIGIN + timedelta(days=90)
    fast = next_clock(1_000.0, 10.0, ORIGIN, None, None)
    assert next_clock(5_000.0, 10.0, None, fast, reached).at(5_000.0) == reached


def test_a_stack_that_followed_the_wall_clock_follows_it_again_however_long_it_was_down() -> None:
    stopped_at = ClockSetting().at(1_000.0)
    assert next_clock(5_000.0, 1.0, None, ClockSetting(), stopped_at) == ClockSetting()
    assert next_clock(5_000.0, 60.0, None, ClockSetting(), stopped_at).at(5_000.0) == ClockSetting().at(5_000.0)


def test_business_time_never_goes_back() -> None:
    with pytest.raises(LayoutError, match="cannot go back"):
        next_clock(5_000.0, 10.0, ORIGIN, None, ORIGIN + timedelta(days=1))


def test_channels_reach_every_provider_that_the_simulator_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = msgspec.structs.replace(SECRET, endpoint_secret="whsec_" + "QUJD" * 10, webpush_key="w" * 43)
    for name, value in environment("channels-0", _layout(), secret, "keys.json", "postgresql://x/y").items():
        monkeypatch.setenv(name, value)
    settings = ChannelsSettings()
    outlets = make_outlets(settings.providers, make_adapters(settings, HandClock()), HandClock())
    assert list(outlets["sms"].all) == ["twilio", "gateway"], "the first provider is the choice while all is well"
    assert [endpoint.channel for endpoint in endpoints_of(settings.endpoints)] == list(ENDPOINTS)
    assert (ways_of(settings.calls).of(DIALLER_LIST), ways_of(settings.calls).of("renewals")) == ("dialler", "twilio")
    assert make_dialler(settings.calls, settings.channels_url, answer_seconds=15.0) is not None


def test_a_stack_from_before_there_were_endpoints_has_none() -> None:
    told = environment("channels-0", _layout(), SECRET, "keys.json", "postgresql://x")
    assert not any(f"NEXTWAVE_{channel.upper()}_URL" in told for channel in ENDPOINTS)
