"""What tests know of the simulated world: where Nextwave would listen, what stands in the ledger, what would be posted."""

from __future__ import annotations

import json
from typing import Any

from nextwave_local.simulator.errands import Errand
from nextwave_local.simulator.message import Doors
from nextwave_local.simulator.world import World

DOORS = Doors(
    ingest_url="http://ingest",
    channels_url="http://channels",
    write_key="wk",
    twilio_account="AC1",
    twilio_token="token",
    mail_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
)


def rows(world: World) -> list[dict[str, Any]]:
    """The ledger."""
    return [json.loads(line) for line in b"".join(world.ledger.content()).splitlines()]


def answers(world: World) -> list[tuple[str, bool]]:
    """What the ledger says of each request: answer, and whether the action was taken with it."""
    return [(row["answer"], row["accepted"]) for row in rows(world)]


def planned(world: World) -> list[Errand]:
    """What will be posted to Nextwave, in the order of its instants."""
    return [errand for _, _, errand in sorted(world.errands._waiting)]
