"""LightGBM's text file read as what it is, data: decision trees of numbers, walked without the library that grew them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sys import float_info
from typing import cast
from urllib.parse import unquote

from nextwave_scoring.churn.features import each_once

LOGIT_MAX = 1e6
LEAVES_OF_A_TREE_MAX = 256
LEAVES_MAX = 20_000
DEPTH_MAX = 64
"""Bounds far above what training makes, within which reading and judging take their usual time."""
Node = float | tuple[int, float, "Node", "Node", float]
"""A leaf's log-odds; or feature index, threshold, the way up to it, the way beyond, and the share of cases that went up to it."""


class TreesError(ValueError):
    """The text is no model that can be read here; the message says why."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Their sum is the log-odds of leaving."""

    features: tuple[str, ...]
    roots: tuple[Node, ...]


def read_trees(text: str) -> Trees:
    """Reads a model that LightGBM saved as text (format v4); feature names may be percent-encoded. Raises `TreesError`."""
    head, *blocks = text.split("\nTree=")
    header = _fields(head)
    if not blocks or "end of trees" not in blocks[-1]:
        raise TreesError("the file of the trees is not complete: it must go on to 'end of trees'")
    if not header.get("objective", "").startswith("binary"):
        raise TreesError(f"the objective is {header.get('objective') or 'not told'}, and must be binary")
    if header.get("objective", "").partition("sigmoid:")[2].split(" ")[0] not in ("", "1") or "average_output" in head:
        raise TreesError("only boosted trees whose sum is in plain log-odds are read")
    names = tuple(unquote(name) for name in header.get("feature_names", "").split())
    each_once(names)
    try:
        roots = tuple(_root(_fields(block.split("\nend of trees")[0]), len(names)) for block in blocks)
    except (KeyError, IndexError) as wrong:
        raise TreesError(f"a tree is damaged: {wrong!r}") from wrong
    if sum(map(_leaves, roots)) > LEAVES_MAX:
        raise TreesError(f"all trees together may have {LEAVES_MAX} leaves")
    return Trees(names, roots)


def total(roots: Sequence[Node], values: Sequence[float]) -> float:
    """The sum of the trees for these features, in log-odds."""
    logit = 0.0
    for root in roots:
        node = root
        while isinstance(node, tuple):
            node = node[2] if values[node[0]] <= node[1] else node[3]
        logit += node
    return logit


def mean(node: Node) -> float:
    """What a tree gives on average over the cases that it learned from."""
    if not isinstance(node, tuple):
        return node
    return node[4] * mean(node[2]) + (1.0 - node[4]) * mean(node[3])


def without(node: Node, values: Sequence[float], feature: int) -> float:
    """What a tree gives when a feature is not known: both ways where it is asked for, by the share of cases that went each way."""
    if not isinstance(node, tuple):
        return node
    index, threshold, lower, upper, share = node
    if index == feature:
        return share * without(lower, values, feature) + (1.0 - share) * without(upper, values, feature)
    return without(lower if values[index] <= threshold else upper, values, feature)


def asked(node: Node, values: Sequence[float]) -> set[int]:
    """The features that a tree asks for on the way of these values."""
    found: set[int] = set()
    while isinstance(node, tuple):
        found.add(node[0])
        node = node[2] if values[node[0]] <= node[1] else node[3]
    return found


def steps(root: Node, values: Sequence[float], feature: int) -> list[tuple[float, float]]:
    """The tree as a function of one feature alone: (value beyond which it holds, log-odds), in rising order."""
    found: list[tuple[float, float]] = []
    todo = [(root, float("-inf"), float("inf"))]
    while todo:
        node, low, high = todo.pop()
        while isinstance(node, tuple):
            index, threshold, lower, upper, _ = node
            if index != feature:
                node = lower if values[index] <= threshold else upper
            elif low < threshold < high:
                todo.append((upper, threshold, high))
                node, high = lower, threshold
            else:
                node = upper if threshold <= low else lower
        found.append((low, node))
    return found


def _fields(block: str) -> dict[str, str]:
    return {key: value for key, is_field, value in (line.partition("=") for line in block.splitlines()) if is_field}


def _leaves(node: Node) -> int:
    return _leaves(node[2]) + _leaves(node[3]) if isinstance(node, tuple) else 1


def _root(tree: dict[str, str], features: int) -> Node:
    leaves = _numbers(tree["leaf_value"], LOGIT_MAX)
    if int(tree["num_leaves"]) <= 1:
        return leaves[0]
    if tree.get("num_cat", "0") != "0" or tree.get("is_linear", "0") != "0":
        raise TreesError("categorical splits and linear leaves are not read: give each category a feature of its own")
    if any(kind & 1 or kind >> 2 & 3 == 1 for kind in _whole(tree["decision_type"])):
        raise TreesError("a split takes 0 for missing: train with zero_as_missing=false")
    arrays = _Arrays.of(tree, leaves)
    arrays.check(features)
    return _node(arrays, 0, DEPTH_MAX)


@dataclass(frozen=True, slots=True)
class _Arrays:
    """A tree as the file has it; a child below 0 is the leaf -child - 1."""

    features: list[int]
    thresholds: list[float]
    lower: list[int]
    upper: list[int]
    leaves: list[float]
    node_cases: list[int]
    leaf_cases: list[int]

    @classmethod
    def of(cls, tree: dict[str, str], leaves: list[float]) -> _Arrays:
        thresholds = _numbers(tree["threshold"], float_info.max)
        lower, upper = _whole(tree["left_child"]), _whole(tree["right_child"])
        return cls(
            _whole(tree["split_feature"]), thresholds, lower, upper, leaves, _whole(tree["internal_count"]), _whole(tree["leaf_count"])
        )

    def check(self, features: int) -> None:
        """Raises `TreesError` unless every split asks for one of the features, and is, as every leaf, the child of exactly one other."""
        splits, leaves = len(self.features), len(self.leaves)
        if not leaves <= LEAVES_OF_A_TREE_MAX:
            raise TreesError(f"a tree may have {LEAVES_OF_A_TREE_MAX} leaves")
        if sorted([*self.lower, *self.upper]) != [*range(-leaves, 0), *range(1, splits)]:
            raise TreesError("a tree is damaged: every split but the first, and every leaf, must be the child of one other")
        if not all(0 <= feature < features for feature in self.features):
            raise TreesError("a tree is damaged: it asks for a feature that the file does not name")
        if not all(cases >= 0 for cases in (*self.node_cases, *self.leaf_cases)):
            raise TreesError("a tree is damaged: fewer than no cases went one way")

    def cases(self, child: int) -> int:
        return self.node_cases[child] if child >= 0 else self.leaf_cases[-child - 1]


def _node(arrays: _Arrays, index: int, depth: int) -> Node:
    if index < 0:
        return arrays.leaves[-index - 1]
    if not depth:
        raise TreesError(f"a tree may be {DEPTH_MAX} splits deep")
    lower, upper = arrays.lower[index], arrays.upper[index]
    first, rest = arrays.cases(lower), arrays.cases(upper)
    return cast("Node", (
        arrays.features[index], arrays.thresholds[index],
        _node(arrays, lower, depth - 1), _node(arrays, upper, depth - 1), first / max(first + rest, 1),
    ))  # fmt: skip


def _numbers(text: str, most: float) -> list[float]:
    """Raises `ValueError`, also for what is no number though Python reads it as one (nan, inf)."""
    numbers = [float(value) for value in text.split()]
    if bad := [number for number in numbers if not abs(number) <= most]:
        raise TreesError(f"a tree is damaged: {bad[0]} must be a number up to {most:g}")
    return numbers


def _whole(text: str) -> list[int]:
    return [int(value) for value in text.split()]
