"""Names of customers: `kind:value` strings in one normal form, so that equal names are equal bytes everywhere."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import phonenumbers

KINDS: tuple[str, ...] = ("customer_id", "external", "email", "phone", "device_token", "anonymous_id")
"""Strongest first: the strongest identifier of a touchpoint is its Kafka key."""

LIMIT = 256
"""Characters of a whole identifier; longer ones are refused at the door."""

INTERNAL = "external:nextwave:"
"""Prefix of the identifier that names a customer by Nextwave's own id (used by links in messages we sent)."""


class InvalidIdentifierError(ValueError):
    """The text is no identifier; the message says what is expected."""


def identifier(kind: str, value: str, *, region: str | None = None) -> str:
    """`kind:value` in normal form: mail addresses lower-cased with IDNA domain, phones in E.164 (`region` helps national ones)."""
    if kind not in KINDS:
        raise InvalidIdentifierError(f"unknown identifier kind; use one of {', '.join(KINDS)}")
    normal = _NORMAL_FORMS.get(kind, _plain)(value, region)
    if not normal or len(normal) + len(kind) >= LIMIT or (not normal.isprintable() and any(ord(c) < 32 for c in normal)):
        raise InvalidIdentifierError(f"{kind} must have 1 to {LIMIT - len(kind) - 1} printable characters")
    return f"{kind}:{normal}"


def parse(text: str) -> str:
    """The normal form of `kind:value` as a person may type it. Raises `InvalidIdentifierError`."""
    kind, colon, value = text.partition(":")
    if not colon:
        raise InvalidIdentifierError("expected kind:value, for example email:ann@example.com")
    return identifier(kind, value)


def kind_of(name: str) -> str:
    """The kind of a normal identifier."""
    return name.partition(":")[0]


def value_of(name: str) -> str:
    """The value of a normal identifier."""
    return name.partition(":")[2]


def strength(name: str) -> tuple[int, str]:
    """Sort key: the strongest kind first, then alphabetical, so that the choice never depends on order."""
    return KINDS.index(kind_of(name)), name


def strongest(names: Iterable[str]) -> str:
    """The strongest identifier. Raises `ValueError` when there is none."""
    return min(names, key=strength)


def blind(name: str, key: bytes) -> str:
    """A keyed hash of an identifier (HMAC-SHA256, 32 hex characters), comparable and not readable."""
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:32]


def _plain(value: str, _region: str | None) -> str:
    return value.strip()


def _email(value: str, _region: str | None) -> str:
    local, at, domain = value.strip().rpartition("@")
    if not at or not local or " " in value.strip():
        raise InvalidIdentifierError("email must look like name@domain")
    try:
        ascii_domain = domain.lower().encode("idna").decode()
    except UnicodeError as wrong:
        raise InvalidIdentifierError("email has a domain that is no valid host name") from wrong
    return f"{local.lower()}@{ascii_domain}"


def _phone(value: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as wrong:
        raise InvalidIdentifierError("phone must be E.164, for example +14155550100") from wrong
    if not phonenumbers.is_possible_number(number):
        raise InvalidIdentifierError("phone has a length that no number of its country has")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


_NORMAL_FORMS = {"email": _email, "phone": _phone}
