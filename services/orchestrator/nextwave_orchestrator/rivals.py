"""Two customers who turn out to be one may both have entered a campaign for one matter: which of the two entries counts."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.entry import campaign_in, entry_name
from nextwave_orchestrator.state import CustomerState, OpenGoal, Run


def going_on(catalogue: Catalogue, mine: CustomerState, other: CustomerState, *, wins_ties: bool) -> CustomerState:
    """`mine` with the runs and goals that go on beside those of `other`, as if both had always been one customer.

    So the first entry counts, unless re-entry would have let the later one in, which then replaces it. `wins_ties`: of two at one
    instant ours is the first. Asked both ways round, with one of both winning ties, one of two rivals goes on.
    """

    def counts(one: Run | OpenGoal) -> bool:
        rival = _rival(catalogue, other, one)
        if rival is None:
            return True
        entered, campaign = _entered(catalogue, one), catalogue.campaigns.get((one.campaign, one.version))
        is_first = entered <= rival if wins_ties else entered < rival
        again = None if campaign is None else campaign.reentry
        is_replaced = again is not None and abs(entered - rival) >= again
        return is_first != is_replaced

    return replace(mine, runs=tuple(run for run in mine.runs if counts(run)), goals=tuple(goal for goal in mine.goals if counts(goal)))


def entries_of(catalogue: Catalogue, mine: CustomerState, other: CustomerState) -> dict[str, datetime]:
    """When either entered, oldest first: the newest, from which re-entry counts; without re-entry the first."""
    again = {key for (key, _), campaign in catalogue.campaigns.items() if campaign.reentry is not None}
    joined = dict(mine.entries)
    for name, at in other.entries.items():
        better = max if campaign_in(name) in again else min
        joined[name] = better(at, joined.get(name, at))
    return dict(sorted(joined.items(), key=lambda entry: entry[1]))


def _rival(catalogue: Catalogue, other: CustomerState, one: Run | OpenGoal) -> datetime | None:
    """When the other one entered in the same matter, also where that run has ended."""
    entered: tuple[Run | OpenGoal, ...] = (*other.runs, *other.goals)
    open_ = next((each for each in entered if (each.campaign, each.entry_key) == (one.campaign, one.entry_key)), None)
    return other.entries.get(entry_name(one.campaign, one.entry_key)) if open_ is None else _entered(catalogue, open_)


def _entered(catalogue: Catalogue, one: Run | OpenGoal) -> datetime:
    """When the customer entered. Of a goal this follows from how long it stays open."""
    if isinstance(one, Run):
        return one.entered_at
    campaign = catalogue.campaigns.get((one.campaign, one.version))
    return one.until - (timedelta() if campaign is None else campaign.goal_within)
