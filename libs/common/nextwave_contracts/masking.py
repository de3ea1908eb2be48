"""What a reader without a need for addresses sees: who a customer is to the business, not how to reach them or what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from nextwave_contracts.customers import Snapshot
from nextwave_contracts.identifiers import kind_of, value_of

MASK = "•••"
_ADDRESSES = frozenset({"email", "phone", "device_token"})
_PERSONAL = frozenset(
    {
        "avatar", "body", "contact", "dob", "html", "iban", "identifiers", "ip", "message", "messagebody", "name", "nickname",
        "note", "postcode", "promise", "recipient", "sender", "serial", "serialnumber", "ssn", "subject", "taxid", "text",
        "useragent", "zip", "zipcode",
    }
)  # fmt: skip
"""Keys in lower case, of letters and digits alone. What people write in their own words may name anybody."""
_PERSONAL_PARTS = re.compile(
    "address|birth|contactname|displayname|email|(?:family|first|full|given|last|maiden|middle|sur|user)name|fax|mobile|passport|phone|postal|street"
)
"""What makes a key personal wherever it stands in it: `billing_address_line1`, `phoneNumber`."""
_ADDRESS = re.compile(
    r"[^\s@]@[^\s@]+\.[^\s@]{2}"  # mail
    r"|(?<![\w+])(?:\+|00)[1-9](?:[\s().\-/]{0,3}\d){6,14}(?!\d)"  # international
    r"|^\s*\(?0(?:[\s().\-/]{0,3}\d){6,13}\s*$"  # national with its trunk prefix, and nothing else
    r"|(?<!\d)\(?\d{3}\)?[\s.\-]\d{3}[\s.\-]\d{4}(?!\d)"  # North America
)
"""Texts that hold an address or a phone number, whatever they are called."""
_IN_WORDS = re.compile(
    r"(?<![^\s<>\"'@,;:()\[\]])[^\s<>\"'@,;:()\[\]]+(?:@|%40)[^\s<>\"'@,;:()\[\]]+"  # mail, also cut off behind its @
    r"|\"[^\"]{1,64}\"@[^\s<>\"'@,;:()\[\]]+"  # mail with a quoted name
    r"|(?<!\w)(?:\+|%2B|00)[1-9](?:[\s().\-/]{0,3}\d){5,14}(?!\w)"  # international
    r"|(?<![\w.\-])\(?0(?:[\s()\-/]{0,3}\d){6,13}(?!\w)"  # national with its trunk prefix
    r"|(?<!\d)\(?\d{3}\)?[\s.\-]\d{3}[\s.\-]\d{4}(?!\d)"  # North America
    r"|(?<![\w.\-])\d{8,15}(?![\w.\-]*\w)",  # international without its plus
    re.IGNORECASE,
)
"""Addresses and phone numbers within words. A number too many is masked rather than one too few; codes (5.1.1, 21211) are shorter."""
_LOOKED_AT = 1000
_NOT_OF_A_KEY = re.compile(r"[\W_]+")


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
    """Identifiers without addresses; a shop may use a mail address as its customers' id."""
    return tuple(f"{kind_of(name)}:{MASK if kind_of(name) in _ADDRESSES else _mask(value_of(name))}" for name in names)


def mask_data(data: dict[str, Any]) -> dict[str, Any]:
    """Personal entries of a touchpoint's data, at any depth."""
    return {_mask(key): MASK if _is_personal(key, value) else _mask(value) for key, value in data.items()}


def in_words(text: str, characters: int = 200) -> str:
    """Somebody else's words as one line of at most this many characters, without mail addresses and phone numbers."""
    line = "".join(c if c.isprintable() else " " for c in text[:_LOOKED_AT])
    return _IN_WORDS.sub(MASK, line)[:characters].strip()


def _is_personal(key: str, value: Any) -> bool:
    """By the key, however it is written; yes and no (`email_verified`) tell nothing."""
    plain = _NOT_OF_A_KEY.sub("", key).casefold()
    return not isinstance(value, bool) and (plain in _PERSONAL or _PERSONAL_PARTS.search(plain) is not None)


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return MASK if _ADDRESS.search(value) else value
    if isinstance(value, dict):
        return mask_data(value)
    return [_mask(item) for item in value] if isinstance(value, list | tuple) else value
