"""What a customer said to an offer that an agent made: taking it answers the campaign, declining it ends its way and lets it rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from nextwave_orchestrator.catalogue import Happening
from nextwave_orchestrator.state import DECLINED_MAX
from nextwave_orchestrator.turn import Turn
from nextwave_orchestrator.waves import campaign_of, close_wave, withdraw

ACCEPTED = "offer.accepted"
DECLINED = "offer.declined"


def hear(turn: Turn, happening: Happening) -> None:
    """Takes an answer to an offer to the open waves of its campaign, or to the one run that it names.

    A declined offer is a refusal: what is queued is withdrawn, and the campaign's branch for refusals is the only way on.
    """
    campaign = happening.data.get("campaign")
    if happening.type not in {ACCEPTED, DECLINED} or not isinstance(campaign, str) or campaign not in turn.catalogue.states:
        return
    if happening.type == DECLINED:
        turn.state = replace(turn.state, declined=joined(turn.state.declined, {campaign: turn.at}))
    named = happening.data.get("run_id")
    for run in turn.state.runs:
        compiled = campaign_of(turn, run)
        was_open = run.opened_at < turn.at  # a wave that opens now was opened by this very answer
        if compiled is None or run.campaign != campaign or named not in (None, "", run.run_id) or not was_open:
            continue
        if happening.type == ACCEPTED:
            close_wave(turn, compiled, replace(run, responded_at=min(turn.at, run.responded_at or turn.at)))
        else:
            withdraw(turn, run, "declined")
            close_wave(turn, compiled, replace(run, reach="refused", withdrawn=True))


def joined(mine: Mapping[str, datetime], other: Mapping[str, datetime]) -> dict[str, datetime]:
    """By campaign the later of both refusals, oldest first, bounded."""
    newest = {key: max(said[key] for said in (mine, other) if key in said) for key in {**mine, **other}}
    return dict(sorted(newest.items(), key=lambda one: (one[1], one[0]))[-DECLINED_MAX:])
