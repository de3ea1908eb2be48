"""The models in force: one live, others beside it as shadows. A changed folder takes effect without a restart, by one swapped reference."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.card import Card
from nextwave_scoring.churn.outlook import Model
from nextwave_scoring.registry.folder import Refusal, Shelf, fingerprint, read_shelf

LOOK_SECONDS = 2.0
"""How often the folder is looked at."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Models:
    """The models in force at one time; never changed, only replaced as a whole."""

    live: Model
    shadows: tuple[Model, ...] = ()
    cards: tuple[Card, ...] = ()
    refused: tuple[Refusal, ...] = ()


class Registry:
    """Holds `current`, which is the shipped baseline where no folder is given or nothing in it may be live."""

    def __init__(self, baseline: Baseline, folder: Path | None = None) -> None:
        self.current = Models(live=baseline)
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
    return Models(live=chosen, shadows=shelf.of_role("shadow"), cards=tuple(card for card, _ in shelf.models), refused=refused)
