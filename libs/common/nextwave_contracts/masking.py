"""What a reader without a need for addresses sees: who a customer is to the business, not how to reach them or what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from nextwave_contracts.customers import Snapshot
from nextwave_contracts.identifiers import kind_of, value_of

MASK = "•••"
_ADDRESSES = frozenset({"email", "phone", "device_token"})
_PERSONAL = frozenset(
    {
        "email", "phone", "name", "first_name", "last_name", "firstname", "lastname", "firstName", "lastName", "username",
        "address", "street", "birthday", "body", "text", "message", "identifiers", "ip", "avatar",
        "serial", "serial_number", "email_address", "phone_number", "mobile",
    }
)  # fmt: skip


def mask_snapshot(snapshot: Snapshot) -> Snapshot:
    """Without addresses, names and other personal traits."""
    points = tuple(msgspec.structs.replace(point, address=MASK) for point in snapshot.contact_points)
    products = tuple(msgspec.structs.replace(product, serial=MASK if product.serial else "") for product in snapshot.products)
    return msgspec.structs.replace(
        snapshot,
        contact_points=points,
        products=products,
        identifiers=mask_names(snapshot.identifiers),
        shared=mask_names(snapshot.shared),
        traits=mask_data(snapshot.traits),
    )


def mask_names(names: Iterable[str]) -> tuple[str, ...]:
    """Identifiers without addresses."""
    return tuple(f"{kind_of(name)}:{MASK if kind_of(name) in _ADDRESSES else value_of(name)}" for name in names)


def mask_data(data: dict[str, Any]) -> dict[str, Any]:
    """Personal entries of a touchpoint's data, at any depth."""
    return {key: MASK if key in _PERSONAL else _mask(value) for key, value in data.items()}


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return mask_data(value)
    return [_mask(item) for item in value] if isinstance(value, list) else value
