"""A folder of models is written by others: whatever it holds, reading it never raises, and what is accepted gives risks in 0..1."""

from __future__ import annotations

import os
from copy import deepcopy
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.features import reader
from nextwave_scoring.churn.population import DEFAULT, parameters_of
from nextwave_scoring.instants import DAY
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.registry import folder as folders
from nextwave_scoring.registry.folder import read_shelf
from nextwave_scoring.registry.registry import Registry

from .making import folded, touchpoint
from .trained import FORMULA, TREES, card, put, trees_card

STACKED: dict[str, Any] = {
    "intercept": 0.2,
    "terms": [{"feature": "baseline", "weight": 0.9, "mean": 0.3, "scale": 1.5}, {"feature": "trait:seats", "weight": 0.2}],
    "population": {**parameters_of(DEFAULT), "calibration": [[-1.0, -2.0], [1.0, 3.0]]},
}
CARDS = {
    "logistic": card(calibration=((-1.0, -2.0), (0.0, 0.5))),
    "stacked": card(version="2", role="off", features=("baseline", "trait:seats")),
    "trees": trees_card(role="shadow"),
}
LONG = 10**400
NUMBERS = [0, -1, 1, 99, 1e-320, 1e-9, 1e6, 1e15, 1e308, -1e308, 2**63, LONG, -LONG]
ODD: st.SearchStrategy[Any] = st.sampled_from([*NUMBERS, "", "2", "silence_days", "baseline", "trait:", None, True, [], {}, [[]], [[0, 1]]])
TOKENS = st.sampled_from(["", "x", "nan", "-inf", "1e400", "9" * 5000, *map(str, NUMBERS), "orders", "baseline", "="])


def crowded_events() -> list[Touchpoint | Outcome]:
    kinds = ["page.viewed", "order.placed", "payment.failed", "complaint.opened", "order.returned"]
    return [touchpoint(kind, after=3 * n, amount=n, currency="EUR", reference=f"t{n}") for n, kind in enumerate(kinds * 5)]


PROFILES = (
    Profile(),
    folded([]),
    folded(crowded_events()),
    folded([*crowded_events(), touchpoint("customer.identified", after=400, seats=LONG, plan="pre paid")]),
)


@st.composite
def spoilt_json(draw: st.DrawFn, good: Any) -> bytes:
    """The JSON with up to three of its values, at any depth, replaced, repeated or taken away."""
    value = msgspec.json.decode(msgspec.json.encode(good))
    for _ in range(draw(st.integers(1, 3))):
        place = value
        while True:
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            spoil(draw, place, key)
            break
    return msgspec.json.encode(value)


def spoil(draw: st.DrawFn, place: Any, key: Any) -> None:
    way = draw(st.sampled_from(["other", "other", "other", "gone", "again"]))
    if way == "other":
        place[key] = deepcopy(draw(ODD))  # which may be spoilt in its turn
    elif way == "gone":
        del place[key]
    elif isinstance(place, list):
        place.append(place[key])


@st.composite
def spoilt_text(draw: st.DrawFn) -> bytes:
    """The trees with up to three numbers or lines changed."""
    lines = TREES.split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        key, sign, told = lines[at].partition("=")
        words = told.split(" ")
        words[draw(st.integers(0, len(words) - 1))] = draw(TOKENS)
        lines[at : at + 1] = draw(st.sampled_from([[key + sign + " ".join(words)]] * 4 + [[], [lines[at]] * 2]))
    return "\n".join(lines).encode()


def assert_usable(folder: Path) -> None:
    for _card, model in read_shelf(folder).models:
        for profile in PROFILES:
            ahead = model.outlook(profile)
            for at in (0, profile.last_at, profile.last_at + 50 * DAY, profile.last_at + 40_000 * DAY):
                risk, reasons = ahead.explained(at)
                assert 0.0 <= risk <= 1.0
                assert all(isfinite(reason.value) and isfinite(reason.contribution) for reason in reasons)


def read(name: str, file: bytes, about: bytes | None = None) -> None:
    with TemporaryDirectory() as place:
        written = put(Path(place), CARDS[name], file)
        if about is not None:
            (written / "card.json").write_bytes(about)
        assert_usable(Path(place))


@given(spoilt_json(FORMULA))
def test_a_spoilt_formula_is_refused_or_gives_risks(file: bytes) -> None:
    read("logistic", file)


@given(spoilt_json(STACKED))
def test_a_spoilt_formula_on_the_baseline_is_refused_or_gives_risks(file: bytes) -> None:
    read("stacked", file)


@given(spoilt_text())
def test_spoilt_trees_are_refused_or_give_risks(file: bytes) -> None:
    read("trees", file)


@given(spoilt_json(CARDS["logistic"]))
def test_a_spoilt_card_is_refused_or_its_model_gives_risks(about: bytes) -> None:
    read("logistic", msgspec.json.encode(FORMULA), about)


@given(st.binary(max_size=60), st.sampled_from(sorted(CARDS)))
def test_any_bytes_are_refused(file: bytes, name: str) -> None:
    read(name, file)


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("stacked", {**STACKED, "population": {**STACKED["population"], "shape": "2"}}, "shape"),
        ("stacked", {**STACKED, "population": {**STACKED["population"], "weights": 5}}, "weights"),
        ("stacked", {**STACKED, "population": {**STACKED["population"], "calibration": [[0, 0], [1e-300, 1]]}}, "near to each other"),
        ("logistic", {"intercept": 0.0, "terms": [{"feature": f"trait:{n}", "weight": 1.0} for n in range(2_001)]}, "2000"),
    ],
)
def test_a_model_that_is_off_is_refused_like_any_other(tmp_path: Path, name: str, file: Any, said: str) -> None:
    put(tmp_path, msgspec.structs.replace(CARDS[name], role="off"), msgspec.json.encode(file))
    registry = Registry(Baseline(DEFAULT), tmp_path)
    registry.reload()
    (refusal,) = registry.current.refused
    assert said in refusal.reason


def test_the_surest_customer_of_an_extreme_population_has_a_risk(tmp_path: Path) -> None:
    extreme = {**STACKED["population"], "shape": 1e6, "exposure_days": 1e-9, "leaving_per_day": 1e-9, "horizon_days": 3650}
    put(tmp_path, CARDS["stacked"], msgspec.json.encode({**STACKED, "population": extreme}))
    assert read_shelf(tmp_path).models
    assert_usable(tmp_path)


@pytest.mark.parametrize("days", [0, 3_651, LONG])
def test_a_horizon_beyond_ten_years_is_refused(tmp_path: Path, days: int) -> None:
    put(tmp_path, card(horizon_days=days))
    (refusal,) = read_shelf(tmp_path).refused
    assert "horizon_days must be from 1 to 3650" in refusal.reason


def test_a_file_that_is_too_large_or_none_at_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MODEL_BYTES_MAX", 100)
    put(tmp_path, card())
    os.mkfifo(tmp_path / "waiting")  # nobody ever writes to it
    place = tmp_path / "pipe@1"
    place.mkdir()
    (place / "card.json").symlink_to(tmp_path / "waiting")
    assert [refusal.reason for refusal in read_shelf(tmp_path).refused] == [
        "model.json is larger than 100 bytes",
        "there is no file card.json",
    ]


def test_a_trait_of_any_length_is_a_number_that_models_can_take() -> None:
    assert reader(["trait:seats"])(Profile(traits={"seats": (0, LONG)})) == [1e15]


def test_trees_deeper_or_wider_than_any_that_are_trained_are_refused(tmp_path: Path) -> None:
    splits = 70
    chain = {
        "num_leaves": [splits + 1],
        "split_feature": [1] * splits,
        "threshold": list(range(splits)),
        "decision_type": [2] * splits,
        "left_child": list(range(-1, -splits - 1, -1)),
        "right_child": [*range(1, splits), -splits - 1],
        "leaf_value": [0] * (splits + 1),
        "leaf_count": [1] * (splits + 1),
        "internal_count": [1] * splits,
    }
    tree = "\n".join(f"{key}={' '.join(map(str, told))}" for key, told in chain.items())
    put(tmp_path, trees_card(), f"{TREES.split('Tree=')[0]}\nTree=0\n{tree}\n\nend of trees\n".encode())
    many = "".join(f"\nTree={n}\nnum_leaves=1\nleaf_value=0.0\n" for n in range(20_001))
    put(tmp_path, trees_card(version="2"), f"{TREES.split('Tree=')[0]}{many}\nend of trees\n".encode())
    assert ["64 splits deep" in refusal.reason or "20000 leaves" in refusal.reason for refusal in read_shelf(tmp_path).refused] == [
        True
    ] * 2
