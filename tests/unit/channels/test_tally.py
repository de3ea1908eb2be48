"""What a provider answered lately."""

from __future__ import annotations

from nextwave_channels.answers import Accepted, Refused, Uncertain
from nextwave_channels.tally import MINUTES, Tally

NOW = 1_772_452_800.0


def test_answers_are_counted_by_kind_and_forgotten_after_some_minutes() -> None:
    tally = Tally()
    for answer in (
        Accepted(),
        Refused(detail="550", permanent=True),
        Refused(detail="429", permanent=False),
        Refused(detail="503", permanent=False, down=True),
        Uncertain(detail="lost"),
    ):
        tally.add(answer, NOW)
    assert tally.recent(NOW) == {"accepted": 1, "refused": 1, "put_off": 1, "down": 1, "uncertain": 1}
    tally.add(Accepted(), NOW + 60 * (MINUTES - 1))
    assert tally.recent(NOW + 60 * (MINUTES - 1))["accepted"] == 2
    assert tally.recent(NOW + 60 * MINUTES) == {"accepted": 1}
    assert tally.recent(NOW + 60 * 2 * MINUTES) == {}


def test_the_last_error_is_kept_without_addresses_and_a_contacts_refusal_is_none() -> None:
    tally = Tally()
    tally.add(Refused(detail="550 no such user", permanent=True), NOW)
    assert (tally.error, tally.error_at) == ("", None)
    tally.add(Refused(detail="503 cannot reach +1 415 555 0100 nor <ann@example.com>", permanent=False, down=True), NOW)
    tally.add(Accepted(), NOW + 1)
    assert tally.error_at == NOW
    assert "415" not in tally.error
    assert "ann@" not in tally.error
    assert tally.error.startswith("503 cannot reach")
