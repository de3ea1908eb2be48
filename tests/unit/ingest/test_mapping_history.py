"""Which versions of a mapping count: whoever writes at once, and whenever one begins to read, all readers have the same."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.mappings import MappingVersion
from nextwave_contracts.topics import MAPPINGS
from nextwave_ingest.follower import Follower
from nextwave_ingest.mappings.history import VERSIONS_KEPT, History
from nextwave_ingest.mappings.library import Library
from nextwave_ingest.mappings.log import MappingLog
from unit.ingest.fakes import NOW, MemoryCommitter

NAMES = ("phones", "shop")


def version(number: int, writer: str = "anna", name: str = "phones", *, retired: bool = False) -> MappingVersion:
    return MappingVersion(id=f"{name}/{number}/{writer}", name=name, version=number, document="{}", by=writer, at=NOW, retired=retired)


def read(records: list[MappingVersion]) -> History:
    history = History()
    for record in records:
        history.take(record)
    return history


def said(history: History) -> dict[str, tuple[MappingVersion, ...]]:
    return {name: history.of(name) for name in history.names()}


def test_of_two_who_write_the_same_version_the_first_on_the_log_wins() -> None:
    history = read([version(1), version(2, "anna"), version(2, "bert"), version(3, "bert")])
    assert [(one.version, one.by) for one in history.of("phones")] == [(1, "anna"), (2, "anna"), (3, "bert")]


def test_a_version_that_nothing_leads_to_does_not_count() -> None:
    assert read([version(2), version(7), version(1), version(3)]).of("phones") == (version(1),)


def test_a_retired_name_is_not_in_force_and_its_numbers_go_on() -> None:
    history = read([version(1), version(2, retired=True)])
    assert (history.in_force("phones"), history.number("phones")) == (None, 2)
    assert history.take(version(3))
    assert history.in_force("phones") == version(3)


def test_of_many_versions_the_newest_are_kept_and_the_old_ones_are_not_taken_in_again() -> None:
    written = [version(n) for n in range(1, VERSIONS_KEPT + 51)]
    history = read(written + written)
    assert [one.version for one in history.of("phones")] == list(range(51, VERSIONS_KEPT + 51))


FIELDS = {"id": "i", "name": "phones", "version": 1, "document": "{}", "by": "anna", "at": "2026-11-22T09:30:00Z"}


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda document: msgspec.json.encode(FIELDS | {"document": document})),
        st.binary(max_size=20).map(lambda part: msgspec.json.encode(FIELDS).replace(b"{}", part)),
        st.fixed_dictionaries({name: st.one_of(st.none(), st.integers(), st.just(value)) for name, value in FIELDS.items()}).map(
            msgspec.json.encode
        ),
    )
)
def test_nothing_that_strangers_write_stops_who_hears_it_or_who_looks_for_a_mapping(value: bytes) -> None:
    log = MappingLog(MemoryCommitter(), Library([]))
    record = SimpleNamespace(value=value, partition=0, offset=0)
    Follower("", MAPPINGS, log.take)._pass_on(record)
    for name in ("phones", *log.library.names()):
        found = log.find(name)
        assert found is None or not log.fault(name)


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[MappingVersion], set[str]]:
    """What writers leave on the log who each write the successor of what their own reader had seen by then; and who were told they won."""
    log: list[MappingVersion] = []
    seen = dict.fromkeys(("anna", "bert", "carl"), 0)
    for turn in range(draw(st.integers(1, 25))):
        writer = draw(st.sampled_from(sorted(seen)))
        seen[writer] = draw(st.integers(seen[writer], len(log)))
        name = draw(st.sampled_from(NAMES))
        number = read(log[: seen[writer]]).number(name) + 1
        log.append(version(number, f"{writer}-{turn}", name, retired=draw(st.booleans())))
    won = {one.id for end in range(len(log) + 1) for name in NAMES for one in read(log[:end]).of(name)}
    return log, won


@given(logs(), st.data())
def test_every_reader_has_the_same_library_however_the_writers_came_between_each_other(
    written: tuple[list[MappingVersion], set[str]], data: st.DataObject
) -> None:
    log, won = written
    whole = said(read(log))
    assert {one.id for versions in whole.values() for one in versions} == won, "whoever was told that he won stays the winner"
    for versions in whole.values():
        assert [one.version for one in versions] == list(range(1, len(versions) + 1))
    broken_at = data.draw(st.integers(0, len(log)))
    assert said(read(log[:broken_at] + log)) == whole, "beginning again changes nothing"
    by_name = sorted(log, key=lambda one: one.name, reverse=data.draw(st.booleans()))
    assert said(read(by_name)) == whole, "names lie on partitions of their own, which come in any order"
