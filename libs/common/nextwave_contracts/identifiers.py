"""Names of customers: `kind:value` strings in one normal form, so that equal names are equal bytes everywhere."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import idna
import phonenumbers

KINDS: tuple[str, ...] = ("customer_id", "external", "email", "phone", "device_token", "anonymous_id")
"""Strongest first: the strongest identifier of a touchpoint is its Kafka key."""

LIMIT = 256
"""Characters of a whole identifier; longer ones are refused at the door."""

INTERNAL = "external:nextwave:"
"""Prefix of the identifier that names a customer by Nextwave's own id (used by links in messages we sent)."""

CALL = "external:call:"
"""Prefix of the name of a single call, `external:call:<platform>:<id>`: it means whoever was on the phone, and nobody for longer."""

SINGLE = (CALL, "external:order:")
"""Prefixes of names of a single call or order: they bring together what is told of it, and make no two customers one."""

WEB_PUSH = "wp_"
"""Prefix of the device tokens that browsers get from us. Any other device token is a native app's, and no address that web push reaches."""

_UNSET = frozenset({"undefined", "null", "(null)", "none", "nil", "nan", "[object object]"})
"""What programs write where they have no value, in small letters: as a name it would make one customer of everybody who has none."""

_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


class InvalidIdentifierError(ValueError):
    """The text is no identifier; the message says what is expected."""


def identifier(kind: str, value: str, *, region: str | None = None) -> str:
    """`kind:value` in normal form: mail addresses lower-cased with IDNA 2008 domain, phones in E.164 (`region` helps national ones).

    Normalising twice is normalising once. Raises `InvalidIdentifierError`.
    """
    if kind not in _RANK:
        raise InvalidIdentifierError(f"unknown identifier kind; use one of {', '.join(KINDS)}")
    if kind in _NORMAL_FORMS:
        normal = _NORMAL_FORMS[kind](value, region)
    else:
        normal = value.strip() if value.isascii() else unicodedata.normalize("NFC", value.strip())
    if not normal or len(normal) + len(kind) >= LIMIT or (not normal.isprintable() and any(ord(c) < 32 for c in normal)):
        raise InvalidIdentifierError(f"{kind} must have 1 to {LIMIT - len(kind) - 1} printable characters")
    if is_unset(normal.rpartition(":")[2] if kind == "external" else normal):
        raise InvalidIdentifierError(f"{kind} is {normal!r}, which a program writes where it has no value; leave the name out then")
    return f"{kind}:{normal}"


def is_unset(value: str) -> bool:
    """Whether it is no name, but what stands where there is none."""
    return value.strip().lower() in _UNSET


def parse(text: str) -> str:
    """The normal form of `kind:value` as a person may type it. Raises `InvalidIdentifierError`."""
    kind, colon, value = text.partition(":")
    if not colon:
        raise InvalidIdentifierError("expected kind:value, for example customer_id:7")
    return identifier(kind, value)


def kind_of(name: str) -> str:
    """The kind of a normal identifier."""
    return name.partition(":")[0]


def value_of(name: str) -> str:
    """The value of a normal identifier."""
    return name.partition(":")[2]


def strength(name: str) -> tuple[int, str]:
    """Sort key: the strongest kind first, calls and orders last, then alphabetical, so that the choice never depends on order."""
    return len(KINDS) if name.startswith(SINGLE) else _RANK[name.partition(":")[0]], name


def strongest(names: Iterable[str]) -> str:
    """The strongest identifier. Raises `ValueError` when there is none."""
    return min(names, key=strength)


def blind(name: str, key: bytes) -> str:
    """A keyed hash of an identifier (HMAC-SHA256, 32 hex characters), comparable and not readable."""
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:32]


def _email(value: str, _region: str | None) -> str:
    """The part before the @ is folded too: no provider of note tells `Ann@` from `ann@`, and a customer must not become two."""
    written = _folded(value).strip()
    local, at, domain = written.rpartition("@")
    if not at or not local or len(written.split()) != 1:
        raise InvalidIdentifierError("email must be a name, an @ and a domain, without blanks")
    return f"{local}@{_host(domain)}"


def _folded(text: str) -> str:
    """Lower case; full-width and other compatibility forms as what they stand for, and nothing that cannot be seen."""
    if text.isascii():
        return text.lower()
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).lower())


def _host(domain: str) -> str:
    """The ASCII form by IDNA 2008 (UTS 46, non-transitional: `faß.de` is not `fass.de`), without the dot of the root.

    What IDNA 2008 refuses and IDNA 2003 allowed (emoji) is read by the older rule, since such mailboxes exist.
    """
    domain = domain.replace("\u3002", ".").removesuffix(".")
    try:
        ascii_domain = domain if _HOST.fullmatch(domain) else idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        ascii_domain = _older(domain)
    if not _HOST.fullmatch(ascii_domain):
        raise InvalidIdentifierError("email has a domain that is no valid host name")
    return ascii_domain


def _older(domain: str) -> str:
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError as wrong:
        raise InvalidIdentifierError("email has a domain that is no valid host name") from wrong


def _phone(value: str, region: str | None) -> str:
    """`region` is an ISO 3166-1 alpha-2 code in either case. An extension is dropped: it is no number that can be called."""
    written = _e164(value, region.upper() if region else None)
    if written != value and _e164(written, None) != written:
        raise InvalidIdentifierError("phone has digits that no number of its country begins with")
    return written


def _e164(value: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as wrong:
        raise InvalidIdentifierError("phone must be E.164: +, the calling code of its country and its number, all digits") from wrong
    if not phonenumbers.is_possible_number(number):
        raise InvalidIdentifierError("phone has a length that no number of its country has")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=4096)
def countries_of_phone(number: str) -> tuple[str, ...]:
    """The ISO 3166-1 code of an E.164 number's country; where its digits do not tell, every country that shares its calling code."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    known = phonenumbers.region_code_for_number(parsed)
    candidates = (known,) if known else phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    return tuple(code for code in candidates if code.isalpha())


@lru_cache(maxsize=4096)
def area_code_of_phone(number: str) -> str:
    """The area code of an E.164 number of North America that belongs to a place; empty for any other (a toll-free one, another country)."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    is_placed = parsed.country_code == 1 and phonenumbers.is_number_geographical(parsed)
    return str(parsed.national_number)[:3] if is_placed else ""


_NORMAL_FORMS = {"email": _email, "phone": _phone}
