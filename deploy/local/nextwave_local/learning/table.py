"""Customers as rows of numbers, as learning wants them; every number is read by the service's own feature reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nextwave_scoring.churn import baseline
from nextwave_scoring.churn.features import BASELINE, CATALOGUE, SILENCE, TRAIT, reader, silence_of, text_of
from nextwave_scoring.churn.population import Population
from nextwave_scoring.profile.record import Profile
from numpy.typing import NDArray

from nextwave_local.learning.history import InputError
from nextwave_local.learning.windows import Cut

CHOICES_MAX = 12
"""A trait with more different texts is no choice (a name, a number of a contract): it is left out."""


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` has a line for each customer and cut, a column for each of `names`; `customers` says whose line it is."""

    names: tuple[str, ...]
    rows: NDArray[np.float64]
    left: NDArray[np.bool_]
    customers: NDArray[np.str_]

    def only(self, names: Sequence[str]) -> Table:
        """The columns of these names, in this order."""
        return Table(tuple(names), self.rows[:, [self.names.index(name) for name in names]], self.left, self.customers)

    def where(self, chosen: NDArray[np.bool_]) -> Table:
        """The chosen lines."""
        return Table(self.names, self.rows[chosen], self.left[chosen], self.customers[chosen])


def table_of_cuts(cuts: Sequence[Cut], population: Population, names: Sequence[str] = ()) -> Table:
    """The named features, or all of the catalogue that differ between customers; the baseline looks ahead as far as each cut does."""
    columns = tuple(names or CATALOGUE)
    parts = [_rows(cut, columns, population) for cut in cuts]
    whole = Table(
        columns,
        np.vstack(parts),
        np.concatenate([cut.left for cut in cuts]),
        np.concatenate([cut.customers for cut in cuts]),
    )
    return whole if names else whole.only([name for column, name in enumerate(columns) if np.ptp(whole.rows[:, column]) > 0])


def table_of_traits(profiles: Sequence[Profile], left: Sequence[bool]) -> Table:
    """Numbers as they are, each text of a trait as a feature of its own but for the commonest. Raises `InputError` without traits."""
    names = [name for key in sorted({key for profile in profiles for key in profile.traits}) for name in _trait_names(key, profiles)]
    if not names:
        raise InputError("the customers have no traits that are numbers or choices: there is nothing to learn from")
    read = reader(names)
    numbers = np.arange(len(profiles)).astype(np.str_)
    return Table(tuple(names), np.array([read(profile) for profile in profiles], dtype=float), np.array(left), numbers)


def looking(cut: Cut, population: Population) -> Population:
    """The population with the horizon of the cut."""
    return population.with_horizon(cut.horizon_days)  # type: ignore[arg-type]  # days, whole only where people read them


def _rows(cut: Cut, names: tuple[str, ...], population: Population) -> NDArray[np.float64]:
    read = reader(names)
    ahead = looking(cut, population)
    rows = np.array([read(profile) for profile in cut.profiles], dtype=float)
    if SILENCE in names:
        rows[:, names.index(SILENCE)] = [silence_of(profile, cut.at) for profile in cut.profiles]
    if BASELINE in names:
        rows[:, names.index(BASELINE)] = [baseline.outlook(profile, ahead).logit(cut.at) for profile in cut.profiles]
    return rows


def _trait_names(key: str, profiles: Sequence[Profile]) -> list[str]:
    values = [profile.traits[key][1] for profile in profiles if key in profile.traits]
    if all(isinstance(value, int | float) for value in values):
        return [TRAIT + key]
    texts = [text_of(value) for value in values]
    choices = sorted(set(texts), key=lambda text: (-texts.count(text), text))
    return [f"{TRAIT}{key}={choice}" for choice in choices[1:]] if len(choices) <= CHOICES_MAX else []
