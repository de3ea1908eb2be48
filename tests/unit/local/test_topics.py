"""The plan for topics: what is missing or different, and what must not be changed silently."""

from __future__ import annotations

from nextwave_contracts.topics import HOLDS, MAPPINGS, REJECTED, SOURCES, TOPICS
from nextwave_local.topics import Present, plan, refused, settings_of


def _all_right(partitions: int = 4, replication: int = 1) -> dict[str, Present]:
    return {topic.name: Present(partitions, settings_of(topic, replication)) for topic in TOPICS}


def test_an_empty_broker_gets_every_topic_of_the_contracts() -> None:
    steps = plan({}, partitions=4, replication=1)
    assert [(step.action, step.topic) for step in steps] == [("create", topic.name) for topic in TOPICS]


def test_nothing_is_done_when_all_is_well() -> None:
    assert plan(_all_right(), partitions=4, replication=1) == []


def test_the_broker_stamps_the_time_on_every_topic() -> None:
    assert {settings_of(topic, 1)["message.timestamp.type"] for topic in TOPICS} == {"LogAppendTime"}


def test_what_was_rejected_is_kept_longer() -> None:
    assert settings_of(REJECTED, 1)["retention.ms"] == str(30 * 86_400_000)
    assert settings_of(HOLDS, 1)["retention.ms"] == str(14 * 86_400_000)


def test_mappings_are_kept_for_ever_whatever_the_broker_does_with_others() -> None:
    settings = settings_of(MAPPINGS, 1)
    assert (settings["cleanup.policy"], settings["retention.ms"], settings["retention.bytes"]) == ("delete", "-1", "-1")


def test_only_the_newest_of_a_sources_tallies_is_kept_and_those_of_replicas_long_gone_are_not() -> None:
    settings = settings_of(SOURCES, 1)
    assert (settings["cleanup.policy"], settings["retention.ms"], settings["segment.ms"]) == ("compact,delete", "172800000", "3600000")


def test_with_three_replicas_two_must_have_a_message() -> None:
    assert settings_of(HOLDS, 3)["min.insync.replicas"] == "2"
    assert settings_of(HOLDS, 1)["min.insync.replicas"] == "1"


def test_a_changed_setting_is_put_right_and_others_on_the_topic_are_kept() -> None:
    present = _all_right()
    present[HOLDS.name] = Present(4, {**settings_of(HOLDS, 1), "message.timestamp.type": "CreateTime", "segment.ms": "60000"})
    (step,) = plan(present, partitions=4, replication=1)
    assert (step.action, step.topic, step.reason) == ("configure", HOLDS.name, "message.timestamp.type=LogAppendTime")
    assert step.settings == {**settings_of(HOLDS, 1), "segment.ms": "60000"}


def test_another_number_of_partitions_is_refused_because_customers_would_move() -> None:
    present = _all_right()
    present[HOLDS.name] = Present(8, settings_of(HOLDS, 1))
    (step,) = refused(plan(present, partitions=4, replication=1))
    assert step.topic == HOLDS.name
    assert "has 8 partitions, not 4" in step.reason
