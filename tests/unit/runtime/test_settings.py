"""Settings that a service cannot run with: which variable, what is wrong, how to write it; and never what stood in it."""

from __future__ import annotations

import sys

import pytest
from nextwave_channels.settings import ChannelsSettings
from nextwave_ingest.settings import IngestSettings
from nextwave_runtime.service import Service, run
from nextwave_runtime.settings import REFUSED, REFUSED_CODE, RefusedSettingsError, ServiceSettings, read
from nextwave_scoring.settings import ScoringSettings

KEY = "k" * 32
SECRET = "hush"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEYS_FILE", "IDENTIFIER_KEY", "LINK_KEY", "POSTGRES", "MAIL_CALLBACK_SECRET"):
        monkeypatch.setenv(f"NEXTWAVE_{name}", KEY)


@pytest.mark.parametrize(
    ("kind", "variable", "value", "told"),
    [
        (IngestSettings, "SOURCE_SECRETS", f"{{'shop': '{SECRET}'", "it is no JSON (Expecting"),
        (IngestSettings, "SOURCE_SECRETS", f"{{'shop': '{SECRET}'", "JSON: source -> scheme -> what signs its requests"),
        (IngestSettings, "SOURCE_SECRETS", f'{{"shop": {{"shopfy": "{SECRET}"}}}}', " at shop.shopfy: Input should be"),
        (IngestSettings, "LINK_KEY", SECRET, "NEXTWAVE_LINK_KEY: "),
        (ChannelsSettings, "CALL_LISTS", "{gold", "NEXTWAVE_CALL_LISTS: it is no JSON (Expecting"),
        (ChannelsSettings, "CALL_LISTS", "{gold", "JSON object: lists that leave in another way"),
        (ChannelsSettings, "ROUTES", '[{"channel": "sms", "provider": "x", "slots": 99}]', "NEXTWAVE_ROUTES at 0.slots: "),
        (ScoringSettings, "VALUE_THRESHOLDS_BY", "quantile", "\n  Value error, NEXTWAVE_VALUE_THRESHOLDS must be two shares"),
    ],
)
def test_a_refusal_names_the_variable_and_the_fix_and_never_the_value(
    monkeypatch: pytest.MonkeyPatch, kind: type[ServiceSettings], variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"NEXTWAVE_{variable}", value)
    with pytest.raises(RefusedSettingsError) as refused:
        read(kind)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_service_that_refuses_its_settings_ends_with_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXTWAVE_SOURCE_SECRETS", "{")
    monkeypatch.setattr(sys, "argv", ["ingest"])
    with pytest.raises(SystemExit) as ended:
        run("ingest", IngestSettings, _never)
    assert ended.value.code == REFUSED_CODE
    assert capsys.readouterr().err.startswith(REFUSED)


@pytest.mark.parametrize("arguments", [["--chek"], ["--check", "now"], ["migrate"]])
def test_an_unknown_option_is_refused_also_where_settings_are_missing(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.delenv("NEXTWAVE_KEYS_FILE")
    monkeypatch.setattr(sys, "argv", ["ingest", *arguments])
    with pytest.raises(SystemExit, match=r"unknown command .*: use --check, or nothing"):
        run("ingest", IngestSettings, _never)


def _never(_: IngestSettings) -> Service:
    raise AssertionError
