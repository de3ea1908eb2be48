"""Whether trees never fall along a feature: read from the trees themselves, since a header may say anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from nextwave_scoring.churn.trees import Node

_ROUNDING = 1e-9
"""Log-odds by which a leaf may be lower for having been written as text."""
_ALL = (float("-inf"), float("inf"))


class Leaf(NamedTuple):
    """What a tree gives, and where: by feature the range (beyond the first number, up to the second); none where all values do."""

    logit: float
    ranges: Mapping[int, tuple[float, float]]


def rises_along(root: Node, feature: int) -> bool:
    """Whether no growth of the feature alone, whatever the others are, leads to a lower leaf."""
    leaves = list(_leaves(root, {}))
    falls = ((before, after) for before in leaves for after in leaves if after.logit < before.logit - _ROUNDING)
    return not any(_is_beyond(before, after, feature) for before, after in falls)


def _is_beyond(before: Leaf, after: Leaf, feature: int) -> bool:
    """Whether one can come from `before` to `after` by the feature alone: all others allow both."""
    if before.ranges.get(feature, _ALL)[0] >= after.ranges.get(feature, _ALL)[0]:
        return False
    return all(_meet(before.ranges[other], after.ranges[other]) for other in before.ranges.keys() & after.ranges.keys() if other != feature)


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def _leaves(node: Node, ranges: Mapping[int, tuple[float, float]]) -> Iterator[Leaf]:
    """Every leaf that some values lead to."""
    if not isinstance(node, tuple):
        yield Leaf(node, ranges)
        return
    index, threshold, lower, upper, _ = node
    low, high = ranges.get(index, _ALL)
    if low < threshold:
        yield from _leaves(lower, {**ranges, index: (low, min(high, threshold))})
    if threshold < high:
        yield from _leaves(upper, {**ranges, index: (max(low, threshold), high)})
