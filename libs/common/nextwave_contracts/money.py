"""Money is integer minor units with an ISO 4217 currency; it is never a float and never added across currencies."""

from __future__ import annotations

from nextwave_contracts.wire import Message


class CurrencyMismatchError(ValueError):
    """Two currencies met in one sum."""


class Money(Message, frozen=True, kw_only=True):
    """`amount` in minor units (cents), `currency` as ISO 4217."""

    amount: int
    currency: str

    def plus(self, other: Money) -> Money:
        """The sum. Raises `CurrencyMismatchError`."""
        if other.currency != self.currency:
            raise CurrencyMismatchError(f"cannot add {other.currency} to {self.currency}")
        return Money(amount=self.amount + other.amount, currency=self.currency)
