"""Whose every touchpoint of a stream is, by the service's own fold: a model must learn from the customers that it will judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache

from nextwave_contracts.customers import Snapshot
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import RejectedError, Taken
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Customer, Judge, Judgement, Standing
from nextwave_scoring.fold import Fold
from nextwave_scoring.instants import DAY
from nextwave_scoring.unit import Unit
from nextwave_scoring.value.cells import Thresholds

from nextwave_local.learning.history import History, history_of

TELL_EVERY = 100_000
Known = dict[tuple[str, str], Touchpoint]


def histories_of(touchpoints: Iterable[Touchpoint], progress: Callable[[str], None]) -> list[History]:
    """A history for each customer whom the fold makes of them, read in the order in which they were received.

    What the service would reject, since it names nobody, is left out. All of it is held at once, in one unit of work: of every touchpoint
    a line, of every customer a profile.
    """
    fold, unit = Fold(_Unasked(Only(Baseline(DEFAULT)))), Unit(0, 1)
    known, left_out = _told(fold, unit, touchpoints, progress)
    if left_out:
        progress(f"{left_out:,} touchpoints name no customer that is known, and are left out")
    by_customer: dict[str, list[Touchpoint]] = defaultdict(list)
    for entry in unit.entries:
        by_customer[str(unit.root(entry.customer_id))].append(known[entry.source, entry.id])
    return [history_of(customer, own) for customer, own in sorted(by_customer.items())]


def _told(fold: Fold, unit: Unit, touchpoints: Iterable[Touchpoint], progress: Callable[[str], None]) -> tuple[Known, int]:
    """Tells the fold each once: what was taken in, and how many were rejected. Nobody looks at a customer again: timers are let go."""
    known: Known = {}
    rejected = 0
    for touchpoint in sorted(touchpoints, key=_received):
        name = (touchpoint.source, touchpoint.id)
        if name in known:
            continue
        known[name] = touchpoint
        try:
            fold.take(unit, Taken(TOUCHPOINTS, 0, len(known), touchpoint.received_at, touchpoint))
        except RejectedError:
            rejected += 1
        unit.timers.clear()
        if len(known) % TELL_EVERY == 0:
            progress(f"{len(known):,} touchpoints given to their customers")
    return known, rejected


def _received(touchpoint: Touchpoint) -> tuple[datetime, str, str]:
    return touchpoint.received_at, touchpoint.source, touchpoint.id


class _Unasked(Judge):
    """Judges nobody: who is who hangs on no judgement, and most of the fold's time goes into them."""

    def judge(
        self,
        customer: Customer,  # noqa: ARG002  (a judge's signature)
        at: int,  # noqa: ARG002
        taken: Sequence[Thresholds] = (),  # noqa: ARG002
        heard_of: int | None = None,  # noqa: ARG002
    ) -> Judgement:
        return _nobody()[0]

    def snapshot(self, customer_id: str, customer: Customer, judged: Judgement) -> Snapshot:  # noqa: ARG002  (a judge's signature)
        return _nobody()[1]


@cache
def _nobody() -> tuple[Judgement, Snapshot]:
    """Of somebody long lost, whom there is no need to look at again."""
    judge, nobody = Judge(Only(Baseline(DEFAULT))), Customer(standing=Standing(band="lost"))
    judged = judge.judge(nobody, 365 * DAY)
    return judged, judge.snapshot("", nobody, judged)
