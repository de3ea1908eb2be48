"""What a page, or a browser's service worker, says of what it was handed: evidence, as a provider's callback is.

It is taken from whoever can name the action and whom it was for, which nobody can guess. Twice, late and in any order it comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from nextwave_contracts.actions import Contact
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels import claiming, store
from nextwave_channels import delivery as life
from nextwave_channels.claiming import Desk

Said = Literal["shown", "clicked", "dismissed"]
MEANING: dict[Said, OutcomeKind] = {"shown": "delivered", "clicked": "clicked", "dismissed": "opened"}
"""Who closes an invitation has seen it, and so was reached; no more was said, so it is no refusal."""
ACTION_ID_MAX = 256


async def take(desk: Desk, action_id: str, said: Said, is_theirs: Callable[[Contact], bool]) -> bool:
    """Takes it in; False where no contact of this action that is theirs was handed out."""
    if "\0" in action_id or len(action_id) > ACTION_ID_MAX:
        return False
    async with desk.database.transaction() as connection:
        stored = await store.lock_one(connection, action_id)
        if stored is None or not stored.attempt or not is_theirs(stored.contact):
            return False
        step = life.learn(stored, MEANING[said], desk.clock.now())
        steps = [step] if step else []
        await store.report(connection, steps, desk.partitions)
    claiming.count(steps)
    return True
