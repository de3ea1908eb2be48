"""The schedule comes from the seed alone, leaves no kind out, and is over in time; so do the lives."""

from __future__ import annotations

from itertools import islice
from typing import get_args

import pytest

from faults.load.lives import Kind as Doing
from faults.load.lives import lives
from faults.plan import CLIENTS, KINDS, USUAL, Kind, plan
from faults.runs import MINUTES, SEEDS

REPLICAS = dict.fromkeys(CLIENTS, 2)


def test_the_same_seed_gives_the_same_schedule_and_another_seed_another() -> None:
    assert plan(7, 120, replicas=REPLICAS) == plan(7, 120, replicas=REPLICAS)
    assert plan(7, 120, replicas=REPLICAS) != plan(8, 120, replicas=REPLICAS)


@pytest.mark.parametrize("seed", range(20))
def test_faults_come_in_order_of_time_and_are_over_before_the_load_is(seed: int) -> None:
    faults = plan(seed, 60, replicas=REPLICAS)
    assert faults
    assert list(faults) == sorted(faults, key=lambda fault: fault.at)
    assert all(fault.at + fault.seconds < 60 for fault in faults)


def test_a_long_schedule_leaves_no_usual_kind_out_and_names_replicas_that_exist() -> None:
    faults = plan(1, 600, replicas=REPLICAS)
    assert {fault.kind for fault in faults} == set(USUAL)
    servers = {"", "kafka", "postgres"}
    assert {fault.target for fault in faults} - servers <= {f"{service}-{n}" for service in CLIENTS for n in range(2)}


def test_the_fixed_seeds_together_do_every_kind_of_harm() -> None:
    done = {fault.kind for seed, kinds in SEEDS.items() for fault in plan(seed, 60 * MINUTES, kinds=kinds, replicas=REPLICAS)}
    assert done == set(KINDS)


def test_a_replica_rolls_to_the_previous_build_first_and_then_back() -> None:
    rolls = [fault for fault in plan(31, 600, kinds=["roll"], replicas=REPLICAS) if fault.target == "scoring-0"]
    assert [fault.way for fault in rolls[:4]] == ["previous", "this", "previous", "this"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_for_alone(kind: Kind) -> None:
    assert {fault.kind for fault in plan(3, 300, kinds=[kind], replicas=REPLICAS)} == {kind}


def test_a_quiet_run_has_no_faults() -> None:
    assert plan(3, 300, kinds=(), replicas=REPLICAS) == ()


def test_lives_repeat_by_seed_and_no_two_posts_share_an_id() -> None:
    some = list(islice(lives("r", 5, window_seconds=10), 300))
    assert some == list(islice(lives("r", 5, window_seconds=10), 300))
    posts = [post for life in some for step in life.steps for post in step.posts]
    assert len({post.id for post in posts}) == len(posts)
    assert {post.kind for post in posts} == set(get_args(Doing))


def test_everybody_has_an_address_of_their_own() -> None:
    some = list(islice(lives("r", 5, window_seconds=10), 3000))
    assert len({life.phone for life in some}) == len({life.email for life in some}) == len(some)
