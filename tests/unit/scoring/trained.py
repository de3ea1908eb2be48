"""Trained models small enough to be read: a logistic formula and LightGBM's text by hand, and a folder to put them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from nextwave_scoring.churn.card import FILES, Card, Kind, Metrics

FORMULA: dict[str, Any] = {
    "intercept": -0.4,
    "terms": [
        {"feature": "silence_days", "weight": 0.8, "mean": 30.0, "scale": 20.0},
        {"feature": "orders", "weight": -0.5, "mean": 2.0, "scale": 2.0},
        {"feature": "open_complaints", "weight": 0.9},
    ],
}
TREES = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:1
feature_names=silence_days orders trait:plan=pre%20paid
monotone_constraints=1 0 0
feature_infos=[0:400] [0:9] [0:1]
tree_sizes=1 1

Tree=0
num_leaves=4
num_cat=0
split_feature=0 1 0
threshold=20.5 1.5 60.5
decision_type=2 2 2
left_child=1 -1 -2
right_child=2 -3 -4
leaf_value=-0.4 0.3 -0.9 1.2
leaf_count=30 20 25 25
internal_value=0 0 0
internal_count=100 55 45
is_linear=0
shrinkage=1

Tree=1
num_leaves=2
num_cat=0
split_feature=2
threshold=0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=-0.1 0.25
leaf_count=60 40
internal_value=0
internal_count=100
is_linear=0
shrinkage=1

end of trees
"""
GOOD = Metrics(auc=0.8, accuracy=0.8, brier=0.15, ece=0.01, lift10=2.0, customers=1000, left_share=0.3)
POOR = msgspec.structs.replace(GOOD, auc=0.75, brier=0.17)


def card(**change: Any) -> Card:
    """A card of the logistic formula, which beats the baseline."""
    plain: dict[str, Any] = {
        "name": "churn", "version": "1", "kind": "logistic", "role": "live", "horizon_days": 60, "data": "a test",
        "features": ("silence_days", "orders", "open_complaints"), "metrics": {"model": GOOD, "baseline": POOR},
    }  # fmt: skip
    return Card(**{**plain, **change})


def trees_card(**change: Any) -> Card:
    """A card of the trees."""
    return card(**{"name": "trees", "kind": "lightgbm", "features": ("silence_days", "orders", "trait:plan=pre paid"), **change})


def put(folder: Path, about: Card, file: bytes | None = None) -> Path:
    """Writes a model into the folder as training does."""
    place = folder / about.full_name
    place.mkdir(parents=True, exist_ok=True)
    files: dict[Kind, bytes] = {"logistic": msgspec.json.encode(FORMULA), "lightgbm": TREES.encode()}
    (place / FILES[about.kind]).write_bytes(files[about.kind] if file is None else file)
    (place / "card.json").write_bytes(msgspec.json.encode(about))
    return place
