"""What judges customers has a name that every replica gives it alike, and that changes with the model and with the house."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from nextwave_scoring.assessment import House
from nextwave_scoring.changeover import judged_by
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.boosted import boosted
from nextwave_scoring.churn.calibration import Calibration
from nextwave_scoring.churn.logistic import logistic
from nextwave_scoring.churn.outlook import Model
from nextwave_scoring.churn.population import DEFAULT

from .trained import FORMULA, TREES

MODELS: dict[str, Model] = {
    "baseline": Baseline(DEFAULT),
    "logistic": logistic("logistic@1", 60, msgspec.json.encode(FORMULA), Calibration()),
    "trees": boosted("trees@1", 60, TREES.encode(), Calibration()),
}
TELL = "from unit.scoring.test_changeover import *; print(*(judged_by(model, House()) for model in MODELS.values()), sep='|')"


def test_two_processes_name_the_same_judges_alike() -> None:
    told = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run([sys.executable, "-c", TELL], env=environment, capture_output=True, text=True, check=True)
        told.add(done.stdout)
    assert told == {"|".join(judged_by(model, House()) for model in MODELS.values()) + "\n"}


@pytest.mark.parametrize("kind", MODELS)
def test_another_house_is_another_judge(kind: str) -> None:
    house = House()
    dearer = replace(house, economics=replace(house.economics, margin=0.5))
    assert judged_by(MODELS[kind], dearer) != judged_by(MODELS[kind], house)


def test_the_same_name_over_another_model_is_another_judge() -> None:
    gloomy = Baseline(replace(DEFAULT, leaving_per_day=DEFAULT.leaving_per_day * 2))
    assert gloomy.name == MODELS["baseline"].name
    assert judged_by(gloomy, House()) != judged_by(MODELS["baseline"], House())
