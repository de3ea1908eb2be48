"""How well risks fit what came: order, hits, probability, calibration, and how much the top of the list is worth."""

from __future__ import annotations

import numpy as np
from nextwave_scoring.churn.card import Metrics
from numpy.typing import NDArray
from scipy.stats import rankdata

Risks = NDArray[np.float64]
Left = NDArray[np.bool_]
BINS = 10
TOP = 0.1


def measure(risks: Risks, left: Left) -> Metrics:
    """All measures, some of each kind given. Those with a risk above one half are taken for lost."""
    return Metrics(
        auc=auc(risks, left),
        accuracy=float(np.mean((risks > 0.5) == left)),
        brier=float(np.mean((risks - left) ** 2)),
        ece=ece(risks, left),
        lift10=lift(risks, left),
        customers=len(left),
        left_share=float(np.mean(left)),
    )


def auc(risks: Risks, left: Left) -> float:
    """The chance that a random customer who left had a higher risk than a random one who did not; ties count half (Mann & Whitney)."""
    leavers = int(left.sum())
    stayers = len(left) - leavers
    return float((rankdata(risks)[left].sum() - leavers * (leavers + 1) / 2) / (leavers * stayers))


def bins(risks: Risks, left: Left) -> list[tuple[float, float, int]]:
    """Ten groups of equally many customers in order of risk: mean risk, share that left, customers; ties count by their share."""
    _, tie, sizes = np.unique(risks, return_inverse=True, return_counts=True)
    shares = (np.bincount(tie, left) / sizes)[tie]
    order = np.argsort(risks, kind="stable")
    return [(float(risks[part].mean()), float(shares[part].mean()), len(part)) for part in np.array_split(order, BINS) if len(part)]


def ece(risks: Risks, left: Left) -> float:
    """Expected calibration error over the ten groups: mean distance of risk and share (Naeini, Cooper & Hauskrecht 2015)."""
    return float(sum(count * abs(risk - share) for risk, share, count in bins(risks, left)) / len(left))


def lift(risks: Risks, left: Left) -> float:
    """How many times more leavers are among the tenth with the highest risks than among all."""
    return found_in(risks, left, TOP) / (max(1, round(len(risks) * TOP)) / len(risks))


def found_in(risks: Risks, left: Left, share: float) -> float:
    """The part of all leavers that is among this share of customers with the highest risks; ties at the edge count by their share."""
    wanted = max(1, round(len(risks) * share))
    edge = np.sort(risks)[-wanted]
    above, on_edge = risks > edge, risks == edge
    return float((left[above].sum() + (wanted - above.sum()) * left[on_edge].mean()) / left.sum())
