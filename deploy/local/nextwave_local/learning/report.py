"""What is told of a trial: JSON for programs, a few lines for people, a plot for both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from nextwave_scoring.churn.card import Metrics, beats
from nextwave_scoring.churn.population import parameters_of
from nextwave_scoring.instants import instant

from nextwave_local.learning import measures
from nextwave_local.learning.named import Dated
from nextwave_local.learning.trial import Trial

JUDGES = {
    "model": "trained model",
    "time_split": "trained model, before calibration",
    "baseline": "shipped baseline",
    "silence": "silence alone, as learned",
    "silence_rule": "best limit of silence, in hindsight",
}
COLOURS = {"model": "#1b6ca8", "baseline": "#d1495b", "silence": "#8d99ae"}


def as_json(trial: Trial) -> dict[str, Any]:
    """The model's measures on top, those of the others under their names, and how it all came about."""
    told = {judge: msgspec.to_builtins(measured) for judge, measured in trial.metrics.items()}
    return {
        **told.pop("model"),
        "baseline": told.pop("baseline"),
        "silence_rule": told.pop("silence_rule", None),
        **told,
        "data": trial.data.name,
        "source": trial.data.source,
        "horizon_days": trial.data.horizon_days,
        "learning": _window(trial),
        "chosen": trial.chosen,
        "kind": trial.fitted.kind,
        "features": list(trial.fitted.names),
        "compared": {name: msgspec.to_builtins(found) for name, found in trial.compared.items()},
        "population": parameters_of(trial.population) if trial.population else None,
    }


def as_text(trial: Trial) -> str:
    """A table of the measures, and what was done."""
    head = f"{'':38} {'AUC':>7} {'accuracy':>9} {'Brier':>7} {'ECE':>7} {'lift 10%':>9}"
    judges = _judges(trial)
    lines = [_line(name, trial.metrics[judge]) for judge, name in judges.items() if judge in trial.metrics]
    compared = [_line(judges.get(name, name), found) for name, found in trial.compared.items()]
    one = trial.metrics["model"]
    about = f"{trial.data.source}: {one.customers:,} customers, {one.left_share:.1%} left within {trial.data.horizon_days} days."
    window = _window(trial)
    when = f" Learned from {window['start']} to {window['end']}." if window else " A table without dates: ten folds."
    return "\n".join([about + when, "", "Compared in cross-validation:", head, *compared, "", _choice(trial), head, *lines])


def draw(trial: Trial, file: Path) -> None:
    """Calibration and lift, as PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (slow to load, and wanted only here)

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    calibration, lift = figure.subplots(1, 2)
    judges = _judges(trial)
    calibration.plot([0, 1], [0, 1], color="#cccccc", linewidth=1)
    for judge in [judge for judge in COLOURS if judge in trial.risks]:
        style = {"color": COLOURS[judge], "label": judges[judge]}
        points = measures.bins(trial.risks[judge], trial.left)
        calibration.plot([risk for risk, _, _ in points], [share for _, share, _ in points], marker="o", markersize=4, **style)
        shares = np.arange(1, 101) / 100
        lift.plot(shares, [measures.found_in(trial.risks[judge], trial.left, share) for share in shares], **style)
    calibration.set(xlabel="risk (tenths of the customers, mean)", ylabel="share that left", title="Calibration")
    lift.plot([0, 1], [0, 1], color="#cccccc", linewidth=1)
    lift.set(xlabel="share of customers, highest risk first", ylabel="share of all who left", title="Who is found")
    for axes in (calibration, lift):
        axes.grid(alpha=0.2)
        axes.legend(frameon=False)
    figure.suptitle(f"{trial.data.source}, {trial.data.horizon_days} days ahead", fontsize=11)
    figure.savefig(file, dpi=110, metadata={"Software": None})


def _judges(trial: Trial) -> dict[str, str]:
    """Customers without dates have no rhythm: the shipped baseline can say nothing of them, a rule takes its place."""
    return JUDGES if trial.parts else JUDGES | {"baseline": "best rule by one trait"}


def _choice(trial: Trial) -> str:
    if beats(trial.compared[trial.chosen], trial.compared["baseline"]):
        return f"Chosen: {trial.chosen}, the best Brier score of those that beat the baseline there. Checked:"
    return f"Chosen: {trial.chosen}, the best Brier score; none beat the baseline there. Checked:"


def _line(name: str, found: Metrics) -> str:
    return f"{name:38} {found.auc:7.4f} {found.accuracy:9.4f} {found.brier:7.4f} {found.ece:7.4f} {found.lift10:9.2f}"


def _window(trial: Trial) -> dict[str, str] | None:
    if trial.parts is None or not isinstance(trial.data, Dated):
        return None
    days = [instant(at).date().isoformat() for at in (trial.parts.start, trial.parts.check_at, trial.data.end)]
    return {"start": days[0], "end": days[1], "checked_until": days[2]}
