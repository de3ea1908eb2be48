"""Takes who is under way over to a newer version where the owner asked for it, before anything else is judged for that customer."""

from __future__ import annotations

from msgspec.structs import replace

from nextwave_orchestrator.catalogue import LiveCampaign
from nextwave_orchestrator.state import OpenGoal, Run
from nextwave_orchestrator.turn import Turn


def go_over(turn: Turn) -> None:
    """Moves the customer's runs of older versions, at the same wave with the same window, to the version that owners migrated them to.

    A run stays where it is when the newer version has no wave of its key, or keys its entries differently. So everybody is moved at
    the first word or timer after the wish, and nothing of them is judged by the older version after it.
    """
    migrations = turn.catalogue.migrations
    if not migrations or all(migrations.get(run.campaign, 0) <= run.version for run in turn.state.runs):
        return
    for run in turn.state.runs:
        older, newer = _versions(turn, run)
        if older is not None and newer is not None and _fits(run, older, newer):
            turn.keep(replace(run, version=newer.version))
            goals = (_moved(goal, older, newer) if goal.run_id == run.run_id else goal for goal in turn.state.goals)
            turn.state = replace(turn.state, goals=tuple(goals))


def _versions(turn: Turn, run: Run) -> tuple[LiveCampaign | None, LiveCampaign | None]:
    """The version that the run is in, and the newer one to which it is to go; None where there is none."""
    wanted = turn.catalogue.migrations.get(run.campaign, 0)
    campaigns = turn.catalogue.campaigns
    return campaigns.get((run.campaign, run.version)), campaigns.get((run.campaign, wanted)) if wanted > run.version else None


def _fits(run: Run, older: LiveCampaign, newer: LiveCampaign) -> bool:
    return older.definition.entry.key == newer.definition.entry.key and any(wave.key == run.wave for wave in newer.waves)


def _moved(goal: OpenGoal, older: LiveCampaign, newer: LiveCampaign) -> OpenGoal:
    """The goal as the newer version has it, from the same entry on."""
    return replace(goal, version=newer.version, until=goal.until - older.goal_within + newer.goal_within)
