"""How calls leave, as the environment says."""

from __future__ import annotations

import pytest
from nextwave_channels.call_lists.setup import NoDiallerError, NoVoiceError, channels_of, make_dialler, release_of, ways_of
from nextwave_channels.call_lists.ways import Way
from nextwave_channels.settings import CallSettings
from pydantic import ValidationError


def test_lists_may_leave_in_another_way_than_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTWAVE_CALLS_BY", "pull")
    monkeypatch.setenv("NEXTWAVE_CALL_LISTS", '{"spoken": "twilio", "pushed": "dialler"}')
    monkeypatch.setenv("NEXTWAVE_CALLS_PER_NUMBER", "5")
    settings = CallSettings()
    ways = ways_of(settings)
    assert [ways.of(name) for name in ("spoken", "pushed", "any")] == ["twilio", "dialler", "pull"]
    assert ways.used == {"twilio", "dialler", "pull"}
    assert release_of(settings, "pull").limits.per_number == 5


def test_a_way_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTWAVE_CALL_LISTS", '{"spoken": "shouting"}')
    with pytest.raises(ValidationError, match="spoken"):
        CallSettings()


@pytest.mark.parametrize(
    ("others", "named", "spoken", "served"),
    [
        ("twilio", {}, True, frozenset()),
        ("twilio", {}, False, frozenset()),
        ("pull", {}, False, {"call"}),
        ("dialler", {"mine": "pull"}, False, {"call"}),
        ("twilio", {"mine": "pull"}, True, {"call"}),
        ("twilio", {"mine": "pull"}, False, None),
        ("pull", {"mine": "twilio"}, False, None),
    ],
)
def test_calls_are_taken_in_where_somebody_carries_every_list(
    others: Way, named: dict[str, Way], spoken: bool, served: set[str] | None
) -> None:
    settings = CallSettings(calls_by=others, call_lists=named)
    if served is not None:
        assert channels_of(settings, spoken=spoken) == served
        return
    with pytest.raises(NoVoiceError, match="NEXTWAVE_CALLS_BY"):
        channels_of(settings, spoken=spoken)


def test_calls_cannot_be_pushed_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_dialler(CallSettings(), "http://channels", 15.0) is None
    monkeypatch.setenv("NEXTWAVE_CALL_LISTS", '{"pushed": "dialler"}')
    with pytest.raises(NoDiallerError, match="NEXTWAVE_DIALLER_URL"):
        make_dialler(CallSettings(), "http://channels", 15.0)
    monkeypatch.setenv("NEXTWAVE_DIALLER_URL", "http://dialler")
    assert make_dialler(CallSettings(), "http://channels", 15.0) is not None
