"""Which customer a set of identifiers means, and which customers turn out to be one. Nothing here depends on the order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from nextwave_contracts.identifiers import INTERNAL, kind_of, strength, strongest

NAMESPACE = UUID("6f1d7c1e-0b52-5c58-9d2e-7f0a6f6b1c11")
"""Of customer ids. Changing it would make new customers of everybody."""


class UnknownCustomerError(LookupError):
    """The only name given is a Nextwave id that no customer has."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The customer meant; the customers that became part of it; the new names that are its own from now on."""

    customer_id: str
    absorbed: tuple[str, ...]
    bound: tuple[str, ...]


def derive(name: str) -> str:
    """The id of the customer first met under this identifier: equal wherever it is met first."""
    return str(uuid5(NAMESPACE, name))


def resolve(
    names: Sequence[str], root_of: Mapping[str, str | None], names_of: Callable[[str], Collection[str]], *, linked: bool = False
) -> Resolution:
    """Reads the names strongest first. `root_of` gives the customer of each name (None: not bound yet).

    Customers that have different `customer_id`s stay apart unless `linked` (the source declared them one): a shared device or phone
    proves nothing. Then the customer of the strongest name is meant. Raises `UnknownCustomerError`.
    """
    ordered = sorted(names, key=strength)
    new = [name for name in ordered if root_of.get(name) is None and not name.startswith(INTERNAL)]
    if not new and not any(root_of.get(name) for name in ordered):
        raise UnknownCustomerError(f"no customer has the id {ordered[0].removeprefix(INTERNAL)}")
    group, own_ids = _join(ordered, root_of, names_of, linked=linked)
    bound = tuple(n for n in new if linked or kind_of(n) != "customer_id" or n in own_ids)
    if not group:
        return Resolution(derive(strongest(bound)), (), bound)
    survivor = min(group, key=lambda customer: _precedence(customer, names_of))
    return Resolution(survivor, tuple(c for c in group if c != survivor), bound)


def _join(
    ordered: Sequence[str], root_of: Mapping[str, str | None], names_of: Callable[[str], Collection[str]], *, linked: bool
) -> tuple[list[str], set[str]]:
    """The customers meant together, and the `customer_id` names they have."""
    group: list[str] = []
    own_ids = {ordered[0]} if kind_of(ordered[0]) == "customer_id" and root_of.get(ordered[0]) is None else set()
    for name in ordered:
        root = root_of.get(name)
        if root is None or root in group:
            continue
        ids = {n for n in names_of(root) if kind_of(n) == "customer_id"}
        if linked or not ids or not own_ids:
            group.append(root)
            own_ids |= ids
    return group, own_ids


def _precedence(customer: str, names_of: Callable[[str], Collection[str]]) -> tuple[int, str]:
    """The customer with the strongest name survives a merge; names are never shared, so there are no ties."""
    names = names_of(customer)
    return strength(strongest(names)) if names else (99, customer)
