"""The models in force: one live, others beside it as shadows. A changed folder takes effect without a restart, by one swapped reference."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.card import Card
from nextwave_scoring.churn.features import knows, trait_keys
from nextwave_scoring.churn.outlook import Model
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.registry.folder import Refusal, Shelf, fingerprint, read_shelf

LOOK_SECONDS = 2.0
"""How often the folder is looked at."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Models:
    """The models in force at one time; never changed, only replaced as a whole."""

    live: Model
    baseline: Model
    shadows: tuple[Model, ...] = ()
    cards: tuple[Card, ...] = ()
    refused: tuple[Refusal, ...] = ()
    traits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By name of a model the traits that it asks for."""

    def judging(self, profile: Profile) -> Model:
        """The live model, or the baseline where that knows too few of the traits it asks for."""
        return self.live if self._answers(self.live, profile) else self.baseline

    def beside(self, profile: Profile) -> tuple[Model, ...]:
        """The shadows that know enough of this customer."""
        return tuple([shadow for shadow in self.shadows if self._answers(shadow, profile)])

    def _answers(self, model: Model, profile: Profile) -> bool:
        return knows(profile, self.traits.get(model.name, frozenset()))


class Registry:
    """Holds `current`, which is the shipped baseline where no folder is given or nothing in it may be live."""

    def __init__(self, baseline: Baseline, folder: Path | None = None) -> None:
        self.current = Models(live=baseline, baseline=baseline)
        self.baseline = baseline
        self._folder = folder
        self._seen: object = None

    def reload(self) -> bool:
        """Reads the folder when it changed; True when other models are in force now. Call it from one task alone."""
        if self._folder is None:
            return False
        seen = fingerprint(self._folder)
        if seen == self._seen:
            return False
        before = self.current
        self.current = models_of(read_shelf(self._folder), before, self.baseline)
        self._seen = seen
        return (before.live.name, before.shadows, before.cards) != (self.current.live.name, self.current.shadows, self.current.cards)

    async def follow(self) -> None:
        """Looks at the folder for ever; a folder that cannot be read changes nothing and is said once per failure."""
        while True:
            try:
                changed = await asyncio.to_thread(self.reload)
            except OSError as wrong:
                log.warning("models_unreadable", folder=str(self._folder), reason=str(wrong))
            else:
                self._tell(changed)
            await asyncio.sleep(LOOK_SECONDS)

    def _tell(self, changed: bool) -> None:
        if changed:
            log.info("models_in_force", live=self.current.live.name, shadows=[model.name for model in self.current.shadows])
            for refusal in self.current.refused:
                log.warning("model_refused", folder=refusal.folder, reason=refusal.reason)


def models_of(shelf: Shelf, before: Models, baseline: Model) -> Models:
    """What a folder puts in force. Where it is not clear what is live (refused, or two are), what was live stays."""
    live, refused = shelf.of_role("live"), shelf.refused
    if len(live) > 1:
        names = " and ".join(model.name for model in live)
        refused = (*refused, *(Refusal(model.name, f"{names} are both live: one at most may be", wanted_live=True) for model in live))
    unclear = len(live) > 1 or (not live and any(refusal.wanted_live for refusal in refused))
    chosen = before.live if unclear else live[0] if live else baseline
    shadows = shelf.of_role("shadow")
    return Models(
        live=chosen,
        baseline=baseline,
        shadows=shadows,
        cards=tuple(card for card, _ in shelf.models),
        refused=refused,
        traits={model.name: trait_keys(model.asks) for model in (chosen, *shadows)},
    )
