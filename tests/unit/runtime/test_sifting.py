"""Origin marks: whatever is repeated, cut short or repeated from the middle, each message is taken in exactly once and in order."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.holds import Hold
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.places import ORIGIN_HEADER, PREVIOUS_HEADER, Origin, Place, origin_header, parse_origin, previous_header
from nextwave_contracts.topics import CUSTOMERS, HOLDS, OUTCOMES, TOUCHPOINTS
from nextwave_contracts.wire import encode
from nextwave_runtime.sifting import RawRecord, judge, sift

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin("channels.actions", 2)


def record(offset: int, place: Place, previous: Place | None, value: bytes | None = None) -> RawRecord:
    outcome = Outcome(
        id=str(place), action_id="a", customer_id="c", campaign="k", version=1, wave="w", run_id="r", channel="sms", kind="accepted", at=NOW
    )
    headers = {ORIGIN_HEADER: origin_header(ORIGIN, place), PREVIOUS_HEADER: previous_header(previous)}
    raw = encode(outcome) if value is None else value
    return RawRecord(offset=offset, at=NOW, wall=0.0, day=date(2026, 1, 1), key=b"c", value=raw, headers=headers)


def chain(places: list[Place]) -> list[tuple[Place, Place | None]]:
    return list(zip(places, [None, *places[:-1]], strict=True))


@given(st.sets(st.tuples(st.integers(0, 40), st.integers(0, 5)), min_size=1), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99))))
def test_any_repetition_of_parts_of_the_way_takes_each_message_in_once_and_in_order(
    places: set[tuple[int, int]], again: list[tuple[int, int]]
) -> None:
    way = chain([Place(*p) for p in sorted(places)])
    sent = [*way]
    for start, length in again:
        part = way[start % len(way) :][: length % len(way) + 1]
        cut = start % (len(sent) + 1)
        sent[cut:cut] = part
    sent += way
    mark: Place | None = None
    taken = []
    for place, previous in sent:
        if judge(place, previous, mark, joined_late=False) == "new":
            taken.append(place)
            mark = place
    assert taken == [place for place, _ in way]


def test_a_message_whose_predecessor_is_missing_waits_for_its_repetition() -> None:
    assert judge(Place(5, 0), Place(4, 0), Place(3, 0), joined_late=False) == "gap"


def test_the_first_message_of_a_way_may_have_no_predecessor_only_at_its_beginning() -> None:
    assert judge(Place(5, 0), Place(4, 0), None, joined_late=False) == "gap"
    assert judge(Place(5, 0), Place(4, 0), None, joined_late=True) == "new"


def test_what_cannot_be_read_is_refused_and_still_moves_the_mark() -> None:
    sifted = sift(OUTCOMES, 0, [record(0, Place(1, 0), None, b"{"), record(1, Place(2, 0), Place(1, 0))], {}, joined_late=False)
    assert [r.reason for r in sifted.refusals] == ["undecodable"]
    assert [t.offset for t in sifted.taken] == [1]
    assert sifted.marks == {ORIGIN: Place(2, 0)}


def test_a_message_without_origin_on_a_processors_topic_is_refused() -> None:
    foreign = RawRecord(0, NOW, 0.0, date(2026, 1, 1), b"c", record(0, Place(0, 0), None).value, {})
    assert [r.reason for r in sift(OUTCOMES, 0, [foreign], {}, joined_late=False).refusals] == ["invalid"]


def test_poison_of_every_kind_is_refused_and_nothing_raises() -> None:
    poison = [b"", b"\x00", b"\xff\xfe", b"[" * 100_000, b'{"id": 1}', b"null", b"{}", b'"' + b"x" * 2_000_000 + b'"']
    records = [RawRecord(n, NOW, 0.0, date(2026, 1, 1), b"k", value, {}) for n, value in enumerate(poison)]
    for topic in (TOUCHPOINTS, CUSTOMERS):
        assert len(sift(topic, 0, records, {}, joined_late=False).refusals) == len(poison)


def test_the_origin_header_reads_back_as_it_was_written() -> None:
    assert parse_origin(origin_header(ORIGIN, Place(12, 3))) == (ORIGIN, Place(12, 3))


@pytest.mark.parametrize(
    "header", [b"x/0/99999999999999999999999999/0", b"x/0/1/-1", b"x/-1/1/1", b"/0/1/1", b"x/0/1", b"\xff/0/1/1", b"x" * 70 + b"/0/1/1"]
)
def test_an_origin_that_no_processor_could_write_is_refused(header: bytes) -> None:
    good = record(0, Place(0, 0), None)
    forged = RawRecord(0, NOW, 0.0, date(2026, 1, 1), b"c", good.value, {ORIGIN_HEADER: header})
    sifted = sift(OUTCOMES, 0, [forged], {}, joined_late=False)
    assert [r.reason for r in sifted.refusals] == ["invalid"]
    assert sifted.marks == {}


def test_a_forged_origin_cannot_hide_what_comes_through_a_door() -> None:
    forged = RawRecord(0, NOW, 0.0, date(2026, 1, 1), b"c", b"{}", {ORIGIN_HEADER: origin_header(ORIGIN, Place(9, 9))})
    sifted = sift(TOUCHPOINTS, 0, [forged], {}, joined_late=False)
    assert [r.reason for r in sifted.refusals] == ["invalid"]
    assert sifted.marks == {}


def test_a_watermark_that_cannot_be_read_is_refused() -> None:
    values = [
        b'{"type": "watermark", "processor": "p", "partition": 0, "until": "2026-01-01T00:00:00Z", "last_place": "x"}',
        b'{"type": "watermark", "processor": "p", "partition": -1, "until": "2026-01-01T00:00:00Z"}',
        b'{"type": "watermark", "processor": "p", "partition": 0, "until": "2026-01-01T00:00:00"}',
    ]
    records = [RawRecord(n, NOW, 0.0, date(2026, 1, 1), b"k", value, {}) for n, value in enumerate(values)]
    assert len(sift(CUSTOMERS, 0, records, {}, joined_late=False).refusals) == 3


def test_a_hold_of_a_kind_that_this_build_does_not_know_is_rejected_by_itself_and_the_next_one_is_taken() -> None:
    known = encode(Hold(id="h", source="s", kind="opt_out", subjects=("a",), at=NOW))
    later = known.replace(b"opt_out", b"added_later")
    records = [
        RawRecord(offset=n, at=NOW, wall=0.0, day=date(2026, 1, 1), key=b"a", value=v, headers={}) for n, v in enumerate((later, known))
    ]
    sifted = sift(HOLDS, 0, records, {}, joined_late=False)
    assert [(refusal.record.offset, refusal.reason) for refusal in sifted.refusals] == [(0, "undecodable")]
    assert [taken.offset for taken in sifted.taken] == [1]
