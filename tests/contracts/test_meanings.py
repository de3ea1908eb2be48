"""Every code, topic and touchpoint type that others build on says what it means."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from nextwave_contracts.outcomes import REACH, OutcomeKind
from nextwave_contracts.reasons import GATE_REASONS, REJECT_REASONS, RUN_ENDS, GateCode, RejectCode, RunEnd
from nextwave_contracts.topics import TOPICS
from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES

CODES = [
    pytest.param(GATE_REASONS, get_args(GateCode), id="gate"),
    pytest.param(REJECT_REASONS, get_args(RejectCode), id="rejected"),
    pytest.param(RUN_ENDS, get_args(RunEnd), id="run end"),
]


@pytest.mark.parametrize(("meanings", "codes"), CODES)
def test_every_reason_code_has_its_own_meaning(meanings: dict[str, str], codes: tuple[str, ...]) -> None:
    assert set(meanings) == set(codes)
    assert all(meanings.values())
    assert len(set(meanings.values())) == len(meanings)


def test_every_outcome_says_how_the_contact_ended() -> None:
    assert set(REACH) == set(get_args(OutcomeKind))


def test_every_topic_says_what_it_carries_what_its_key_is_and_who_writes_and_reads_it() -> None:
    for topic in TOPICS:
        assert re.fullmatch(r"nextwave\.[a-z]+\.v\d+", topic.name)
        assert topic.meaning, topic.name
        assert topic.keyed_by, topic.name
        assert topic.written_by, topic.name
        assert topic.read_by, topic.name


def test_every_touchpoint_type_is_a_subject_and_something_past_with_a_meaning() -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", name) for name in TOUCHPOINT_TYPES)
    assert all(TOUCHPOINT_TYPES.values())
