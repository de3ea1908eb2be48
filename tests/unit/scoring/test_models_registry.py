"""The folder of models: what is in force, what is refused and by which name, and swaps without a restart."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.card import CardError, beats
from nextwave_scoring.churn.features import knows, trait_keys
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Customer, Judge
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.registry import registry as registries
from nextwave_scoring.registry.registry import Registry

from .trained import GOOD, POOR, TREES, card, put, trees_card

BASELINE = Baseline(DEFAULT)


def started(folder: Path) -> Registry:
    found = Registry(BASELINE, folder)
    found.reload()
    return found


def test_without_a_folder_the_baseline_is_live(tmp_path: Path) -> None:
    assert Registry(BASELINE).current.live is BASELINE
    assert started(tmp_path / "none").current.live is BASELINE


def test_live_and_shadow_are_read_and_named_with_their_versions(tmp_path: Path) -> None:
    put(tmp_path, card())
    put(tmp_path, trees_card(role="shadow"))
    put(tmp_path, card(version="2", role="off"))
    current = started(tmp_path).current
    assert (current.live.name, [shadow.name for shadow in current.shadows]) == ("churn@1", ["trees@1"])
    assert current.live.horizon_days == 60
    assert not current.refused


def test_a_changed_folder_is_swapped_in_and_an_unchanged_one_is_not_read_again(tmp_path: Path) -> None:
    put(tmp_path, card())
    registry = started(tmp_path)
    first = registry.current
    assert not registry.reload()
    assert registry.current is first
    put(tmp_path, card(role="off"))
    put(tmp_path, card(version="2"))
    assert registry.reload()
    assert registry.current.live.name == "churn@2"
    assert first.live.name == "churn@1"  # who judges with it goes on with it to the end


def test_a_model_taken_off_leaves_the_baseline_in_force(tmp_path: Path) -> None:
    put(tmp_path, card())
    registry = started(tmp_path)
    put(tmp_path, card(role="off"))
    assert registry.reload()
    assert registry.current.live is BASELINE


@pytest.mark.parametrize(
    ("about", "file", "said"),
    [
        (card(version="2"), b"{", "truncated"),
        (card(version="2", features=("orders",)), None, "the card tells the features orders"),
        (card(version="2", metrics={"model": POOR, "baseline": GOOD}), None, "does not beat the baseline"),
        (card(version="2", metrics={}), None, "no metrics"),
        (trees_card(version="2"), TREES.replace("orders", "odors").encode(), "odors is no feature"),
        (trees_card(version="2"), TREES[:700].encode(), "not complete"),
        (card(version="2", horizon_days=0), None, "horizon_days"),
        (card(version="2", ranges={"orders": (3.0, 2.0)}), None, "ranges.orders"),
        (card(version="2", ranges={"odors": (2.0, 3.0)}), None, "ranges.odors"),
    ],
)
def test_what_is_refused_is_named_and_what_was_live_stays(tmp_path: Path, about: object, file: bytes | None, said: str) -> None:
    put(tmp_path, card())
    registry = started(tmp_path)
    put(tmp_path, card(role="off"))
    put(tmp_path, about, file)  # type: ignore[arg-type]  # cards of two makers
    registry.reload()
    (refusal,) = registry.current.refused
    assert refusal.folder.endswith("@2")
    assert said in refusal.reason
    assert registry.current.live.name == "churn@1"


def test_a_card_in_the_wrong_folder_or_no_card_at_all_is_refused(tmp_path: Path) -> None:
    put(tmp_path, card()).rename(tmp_path / "other@1")
    (put(tmp_path, card(version="3")) / "card.json").write_text('{"name": "churn"}')
    current = started(tmp_path).current
    assert {refusal.folder for refusal in current.refused} == {"other@1", "churn@3"}
    assert current.live is BASELINE


def test_of_two_live_models_neither_takes_over(tmp_path: Path) -> None:
    put(tmp_path, card())
    registry = started(tmp_path)
    put(tmp_path, card(version="2"))
    registry.reload()
    assert registry.current.live.name == "churn@1"
    assert "both live" in registry.current.refused[0].reason


def test_a_refused_shadow_does_not_touch_the_live_model(tmp_path: Path) -> None:
    put(tmp_path, trees_card(role="shadow"), b"nonsense")
    put(tmp_path, card())
    current = started(tmp_path).current
    assert current.live.name == "churn@1"
    assert not current.shadows


def test_a_model_that_lost_may_be_live_when_a_reason_is_given() -> None:
    lost = card(metrics={"model": POOR, "baseline": GOOD})
    with pytest.raises(CardError, match="does not beat"):
        lost.check_live()
    card(metrics={"model": POOR, "baseline": GOOD}, forced="law asks for it").check_live()


def test_what_counts_is_how_it_did_before_it_was_calibrated_by_the_check() -> None:
    between = msgspec.structs.replace(POOR, auc=0.78, brier=0.16)
    card(metrics={"model": GOOD, "baseline": between}).check_live()
    with pytest.raises(CardError):
        card(metrics={"model": GOOD, "time_split": POOR, "baseline": between}).check_live()


@pytest.mark.parametrize("change", [{"auc": 0.74}, {"brier": 0.18}])
def test_better_in_one_measure_and_worse_in_the_other_does_not_beat_the_baseline(change: dict[str, float]) -> None:
    assert not beats(msgspec.structs.replace(GOOD, **change), POOR)
    assert not beats(POOR, POOR)
    assert beats(msgspec.structs.replace(POOR, auc=0.76), POOR)


async def test_the_folder_is_followed_while_the_service_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "LOOK_SECONDS", 0.001)
    registry = Registry(BASELINE, tmp_path)
    following = asyncio.create_task(registry.follow())
    put(tmp_path, card())
    async with asyncio.timeout(10):
        while registry.current.live is BASELINE:  # noqa: ASYNC110  (the swap is what is waited for, and it tells nobody)
            await asyncio.sleep(0.001)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    assert registry.current.live.name == "churn@1"


def test_whose_traits_are_unknown_is_judged_by_the_baseline_and_by_no_shadow(tmp_path: Path) -> None:
    put(tmp_path, trees_card())
    put(tmp_path, trees_card(name="beside", role="shadow"))
    current = started(tmp_path).current
    stranger, told = Profile(), Profile(traits={"plan": (0, "pre paid")})
    assert (current.judging(stranger), current.beside(stranger)) == (BASELINE, ())
    assert (current.judging(told).name, [shadow.name for shadow in current.beside(told)]) == ("trees@1", ["beside@1"])


@pytest.mark.parametrize(("told", "enough"), [({"a", "b"}, True), ({"a"}, False), ({"x", "y"}, False), (set("abcd"), True)])
def test_half_of_the_traits_is_enough(told: set[str], enough: bool) -> None:
    asked = trait_keys(["trait:a", "trait:b=yes", "trait:b=no", "trait:c", "trait:d", "orders"])
    assert knows(Profile(traits=dict.fromkeys(told, (0, 1))), asked) is enough
    assert knows(Profile(), trait_keys(["orders"]))


def test_the_judge_says_which_model_it_was(tmp_path: Path) -> None:
    put(tmp_path, trees_card())
    judge = Judge(started(tmp_path))
    stranger = Customer(profile=Profile(first_at=1, active_at=1), version=1)
    assert judge.judge(stranger, 2).churn.model == "baseline-1"
    stranger.profile.traits["plan"] = (1, "pre paid")
    assert judge.judge(stranger, 2).churn.model == "trees@1"
