"""The ledger: what was asked of providers stays known over restarts and kills."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from nextwave_local.simulator.ledger import Entry, Ledger

ENTRY = Entry(
    action_id="a1",
    provider="twilio",
    kind="sms",
    accepted=True,
    at="t",
    business_at="b",
    to="+14155550111",
    answer="accepted",
    bytes_hash="h",
)


def _lines(ledger: Ledger) -> list[dict[str, object]]:
    return [json.loads(line) for line in b"".join(ledger.content()).splitlines()]


def test_an_entry_can_be_read_at_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.add(ENTRY)
    assert [line["action_id"] for line in _lines(ledger)] == ["a1"]
    assert {"action_id", "provider", "kind", "accepted", "at"} <= _lines(ledger)[0].keys()


def test_a_restarted_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.jsonl").add(ENTRY)
    again = Ledger(tmp_path / "ledger.jsonl")
    again.add(msgspec.structs.replace(ENTRY, action_id="a2", accepted=False))
    assert [line["action_id"] for line in _lines(again)] == ["a1", "a2"]
    assert (again.attempts("a1"), again.attempts("a3")) == (1, 0)


def test_the_half_line_of_a_killed_simulator_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    Ledger(path).add(ENTRY)
    with path.open("ab") as file:
        file.write(b'{"action_id":"a2","pro')
    again = Ledger(path)
    again.add(msgspec.structs.replace(ENTRY, action_id="a3"))
    assert [line["action_id"] for line in _lines(again)] == ["a1", "a3"]


def test_an_action_accepted_twice_is_counted_once_as_twice(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for accepted in (False, True, True, True):
        ledger.add(msgspec.structs.replace(ENTRY, accepted=accepted))
    assert ledger.totals() == {"sms": 3, "twice": 1}


def test_taking_back_what_was_never_accepted_does_not_hide_a_second_acceptance(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for answer in ("retracted", "accepted", "accepted"):
        ledger.add(msgspec.structs.replace(ENTRY, accepted=answer == "accepted", answer=answer))
    assert ledger.totals()["twice"] == 1


def test_an_action_that_was_taken_back_may_be_accepted_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for answer in ("accepted", "retracted", "accepted"):
        ledger.add(msgspec.structs.replace(ENTRY, accepted=answer == "accepted", answer=answer))
    assert ledger.totals()["twice"] == 0
    ledger.add(ENTRY)
    assert ledger.totals()["twice"] == 1
