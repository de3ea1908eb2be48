"""Money is integer minor units with an ISO 4217 currency; it is never a float and never added across currencies."""

from __future__ import annotations

from decimal import Decimal

from nextwave_contracts.wire import Message

EXPONENTS: dict[str, int] = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""ISO 4217 exponents other than 2."""


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


def in_words(amount: int, currency: str) -> str:
    """Minor units as people read them: `120.00 EUR`, `12000 JPY`."""
    return f"{Decimal(amount).scaleb(-EXPONENTS.get(currency, 2)):f} {currency}"
