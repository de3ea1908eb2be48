"""A customer who came to us, as every part of the answer looks at them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from msgspec.structs import replace
from nextwave_contracts.actions import Channel
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.masking import mask_data, mask_snapshot

from nextwave_orchestrator.catalogue import Catalogue, Facts, Happening
from nextwave_orchestrator.decisions import id_of
from nextwave_orchestrator.state import CustomerState


@dataclass(frozen=True)
class Visit:
    """By a channel, at an instant, served by an agent. `masked`: the asking role sees neither addresses nor names."""

    catalogue: Catalogue
    state: CustomerState
    channel: Channel
    now: datetime
    agent: str
    masked: bool

    @property
    def profile(self) -> Snapshot:
        """All that is known; only a customer with a profile can be asked for."""
        assert self.state.profile is not None
        return self.state.profile

    @cached_property
    def shown(self) -> Snapshot:
        """What the asking role may see of it."""
        return mask_snapshot(self.profile) if self.masked else self.profile

    @cached_property
    def told(self) -> tuple[Happening, ...]:
        """What the asking role may see of what happened."""
        history = self.state.history
        return tuple(replace(one, data=mask_data(dict(one.data))) for one in history) if self.masked else history

    @cached_property
    def answer_id(self) -> str:
        """The same for the same question at the same instant."""
        return id_of("inbound", self.state.customer_id, self.now.isoformat(), self.channel, self.agent)

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """All that the customer is in, in their priority order; each is asked once."""
        facts = Facts(self.profile, self.state.history, self.now)
        return tuple(segment.key for segment in self.catalogue.segments if segment.matches(facts))

    def segment_of(self, wanted: Collection[str]) -> str:
        """The first of `wanted` that the customer is in; `*` if wanted; else empty."""
        return next((key for key in self.segments if key in wanted), "*" if "*" in wanted else "")
