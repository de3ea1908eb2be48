"""What a channel's adapter can say about one send. There is no fourth answer, so that uncertainty can never pass for a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from nextwave_contracts.actions import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has taken the contact over. `provider_id` is its name for it, empty where it gave none."""

    provider_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider surely did not take it. `permanent`: the same request would be refused again.

    `retry_after_seconds` is wall time that the provider asked for. `opted_out`: it knows that the recipient said stop.
    `down`: the provider is at fault, not the contact (it was not reached, or says that it is away).
    `bounced`: the address is dead, and nothing can be sent there any more. `asked`: False where we ourselves called nobody.
    """

    detail: str
    permanent: bool
    retry_after_seconds: float | None = None
    opted_out: bool = False
    down: bool = False
    bounced: bool = False
    asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """The request left us and no answer settles whether it was taken. It must never be repeated."""

    detail: str


Answer = Accepted | Refused | Uncertain


class Adapter(Protocol):
    """One channel's way out."""

    async def send(self, contact: Contact) -> Answer:
        """Hands the contact to the provider, once. Never raises for what a provider or network does."""

    async def close(self) -> None:
        """Lets go of its connections."""
