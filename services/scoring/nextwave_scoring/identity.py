"""Which customer a set of identifiers means, which customers turn out to be one, and which names turn out to be several customers'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from nextwave_contracts.identifiers import INTERNAL, kind_of, strength, strongest
from nextwave_contracts.touchpoints import Touchpoint

NAMESPACE = UUID("6f1d7c1e-0b52-5c58-9d2e-7f0a6f6b1c11")
"""Of customer ids. Changing it would make new customers of everybody."""
CONTACTS_MAX = 8
"""Mail addresses and phone numbers of a customer that is pulled together without a `customer_id`: a public computer names hundreds."""
CONTACTS_NAMED_MAX = 32
"""The same where the source names the `customer_id`: a business account has many, an account "walk-in" has everybody's."""
NAMES_MERGED_MAX = 48
"""Names of any kind of a customer that is pulled together without a `customer_id`."""
_CONTACTS = ("email:", "phone:")
_ACCOUNT = "customer_id:"


class UnknownCustomerError(LookupError):
    """The only name given is a Nextwave id that no customer has."""


@dataclass(frozen=True, slots=True)
class Known:
    """What bears on who a customer is: its names, and names that an operator said are another's."""

    names: Collection[str]
    apart: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """The customer meant; the customers that became part of it; the new names that are its own from now on; names that it only shares."""

    customer_id: str
    absorbed: tuple[str, ...]
    bound: tuple[str, ...]
    shared: tuple[str, ...] = ()


def derive(name: str) -> str:
    """The id of the customer first met under this identifier: equal wherever it is met first."""
    return str(uuid5(NAMESPACE, name))


def derive_once(what: str, touchpoint: Touchpoint) -> str:
    """The id of somebody who begins with this touchpoint, one that nobody ever had: who had an id by a name may have been absorbed since.

    With the instant of its reception, since a source may use a touchpoint's id again once it is forgotten.
    """
    return derive(f"{what}:{touchpoint.source}/{touchpoint.id}/{touchpoint.received_at.isoformat()}")


def resolve(names: Sequence[str], root_of: Mapping[str, str | None], known: Callable[[str], Known], *, linked: bool = False) -> Resolution:
    """Reads the names strongest first. `root_of` gives the customer of each name (None: not bound yet).

    A name brings its customer in unless both have a `customer_id`, an operator keeps the two apart, or together they would have more
    names than one person has; `linked` (the source declared them one) outweighs all of these. A weaker name that leads to a customer
    who stays apart is shared. Raises `UnknownCustomerError`.
    """
    ordered = sorted(names, key=strength)
    if not any(root_of.get(name) or not name.startswith(INTERNAL) for name in ordered):
        raise UnknownCustomerError(f"no customer has the id {ordered[0].removeprefix(INTERNAL)}")
    gathering = _Gathering(known, linked=linked, is_named=ordered[0].startswith(_ACCOUNT))
    for name in ordered:
        root = root_of.get(name)
        if root is not None:
            gathering.lead(name, root)
        elif not name.startswith(INTERNAL):
            gathering.meet(name)
    return gathering.resolution()


@dataclass(slots=True)
class _Gathering:
    """Who is meant together, as the names are read."""

    known: Callable[[str], Known]
    linked: bool
    is_named: bool
    """The touchpoint names a `customer_id`."""
    group: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
    bound: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)

    def lead(self, name: str, root: str) -> None:
        """A name of a customer."""
        if root in self.group:
            return
        other = self.known(root)
        others = set(other.names)
        is_other = not self.linked and (_accounts(self.names, others) or self._is_kept_apart(other))
        is_full = not self.linked and self._is_too_many(others)
        if not is_other and not is_full:
            self.group.append(root)
            self.names |= others
            self.apart |= set(other.apart)
            return
        if not name.startswith((_ACCOUNT, INTERNAL)) and (is_other or len(others) > len(self.names)):
            self.shared.append(name)

    def meet(self, name: str) -> None:
        """A name of nobody yet. What does not fit stays nobody's until it is met by itself."""
        is_other = bool(self.names) and _accounts(self.names, {name})
        if self.linked or not (is_other or name in self.apart or self._is_too_many({name})):
            self.bound.append(name)
            self.names.add(name)

    def resolution(self) -> Resolution:
        """The customer with the strongest name survives; no two have the same strongest name but by sharing it, then the ids decide."""
        if not self.group:
            return Resolution(derive(strongest(self.bound)), (), tuple(self.bound), tuple(self.shared))
        survivor = min(self.group, key=self._precedence)
        return Resolution(survivor, tuple(c for c in self.group if c != survivor), tuple(self.bound), tuple(self.shared))

    def _is_kept_apart(self, other: Known) -> bool:
        return not self.names.isdisjoint(other.apart) or not self.apart.isdisjoint(other.names)

    def _is_too_many(self, others: set[str]) -> bool:
        if not self.names:
            return False
        together = self.names | others
        contacts = sum(name.startswith(_CONTACTS) for name in together)
        if self.is_named:
            return contacts > CONTACTS_NAMED_MAX
        return contacts > CONTACTS_MAX or len(together) > NAMES_MERGED_MAX

    def _precedence(self, customer: str) -> tuple[tuple[int, str], str]:
        names = self.known(customer).names
        return (strength(strongest(names)) if names else (99, ""), customer)


def _accounts(one: set[str], other: set[str]) -> bool:
    """Both have a `customer_id`: a shared device or phone proves nothing."""
    return any(kind_of(name) == "customer_id" for name in one) and any(kind_of(name) == "customer_id" for name in other)
