"""Which addresses in a touchpoint's data name its customer: whoever answers from that phone or mailbox must be found again. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nextwave_contracts.identifiers import InvalidIdentifierError, identifier

TELLING: frozenset[str] = frozenset({"customer.identified", "customer.registered", "preference.changed"})
"""Types whose data says how the customer is reached; scoring takes the addresses of these and of no others."""


def contact_points(kind: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The identifiers of `email` and `phone` in normal form; a national phone number is read by the address's country."""
    if kind not in TELLING:
        return ()
    address = data.get("address")
    country = address.get("country") if isinstance(address, dict) else None
    region = country.upper() if isinstance(country, str) and len(country) == 2 else None
    names = []
    for point in ("email", "phone"):
        value = data.get(point)
        if isinstance(value, str) and value.strip():
            try:
                names.append(identifier(point, value, region=region))
            except InvalidIdentifierError:
                continue  # a trait need not be an address: it is kept in the data, and names nobody
    return tuple(names)
