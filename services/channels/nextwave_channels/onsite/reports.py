"""What a page says of the invitation that it was handed: evidence, as a provider's callback is.

It is taken from whoever can name the visitor and the action, which nobody can guess. Twice, late and in any order it comes to the same.
"""

from __future__ import annotations

from typing import Literal

from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels import claiming, store
from nextwave_channels import delivery as life
from nextwave_channels.claiming import Desk

Said = Literal["shown", "clicked", "dismissed"]
MEANING: dict[Said, OutcomeKind] = {"shown": "delivered", "clicked": "clicked", "dismissed": "opened"}
"""Who closes an invitation has seen it, and so was reached; no more was said, so it is no refusal."""


async def take(desk: Desk, action_id: str, subject: str, said: Said) -> bool:
    """Takes it in; False where no invitation of this action was handed to this visitor."""
    async with desk.database.transaction() as connection:
        stored = await store.lock_one(connection, action_id)
        if stored is None or stored.contact.channel != "onsite" or subject not in stored.contact.subjects or not stored.attempt:
            return False
        step = life.learn(stored, MEANING[said], desk.clock.now())
        steps = [step] if step else []
        await store.report(connection, steps, desk.partitions)
    claiming.count(steps)
    return True
