"""Two customers turn out to be one: their profiles become one, whichever is named first, with the stricter consents and holds of both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nextwave_contracts.identifiers import SINGLE, strength

from nextwave_scoring.profile import bounds, cases, contacts, contracts, decay, hours, joins, orders, points, rests, sales, words
from nextwave_scoring.profile.record import (
    ABSORBED_MAX,
    APART_MAX,
    CATEGORIES_MAX,
    CURRENCIES_MAX,
    HINTS_MAX,
    NAMES_MAX,
    PRODUCTS_MAX,
    SHARERS_MAX,
    TRAITS_MAX,
    Product,
    Profile,
    first_of,
    newer,
)
from nextwave_scoring.profile.subjects import bounded_kinds

Facts = dict[str, tuple[int, Any]]
Counted = dict[str, list[int]]


def merge(a: Profile, b: Profile) -> Profile:
    """A new profile with everything of both. Nothing says yet that they are one: the touchpoint that does is taken in after this."""
    counts, landmark = decay.merge(a.counts, a.landmark, b.counts, b.landmark)
    kinds, _ = decay.merge(a.kinds, a.landmark, b.kinds, b.landmark)
    merged = Profile(
        names=bounded_names([*a.names, *b.names]),
        first_at=first_of(a.first_at, b.first_at),
        last_at=max(a.last_at, b.last_at),
        active_at=max(a.active_at, b.active_at),
        touchpoints=a.touchpoints + b.touchpoints,
        sessions=a.sessions + b.sessions,
        landmark=landmark,
        visits=a.visits.merged(b.visits),
        refusals=a.refusals + b.refusals,
        points=points.merge(a.points, b.points),
        named=points.merge_named(a.named, b.named),
        home=_newest(a.home, b.home),
        traits=bounded_traits(_newest(a.traits, b.traits)),
        contacts=contacts.merge(a.contacts, b.contacts, landmark),
        refused=rests.later(a.refused, b.refused),
        complained_at=max(a.complained_at, b.complained_at),
        absorbed=bounds.newest(rests.later(a.absorbed, b.absorbed), ABSORBED_MAX),
        words=words.merge(a.words, b.words),
        joins=joins.earliest([*a.joins, *b.joins]),
        counts=counts,
        kinds=bounded_kinds(kinds),
        hours=hours.merge(a.hours, a.landmark, b.hours, b.landmark),
        cases=cases.merge(a.cases, b.cases),
        hints=bounds.sampled(_counted(a.hints, b.hints), HINTS_MAX),
    )
    _merge_trade(merged, a, b)
    _merge_borders(merged, a, b)
    words.settle(merged)
    return merged


def bounded_names(names: Iterable[str]) -> list[str]:
    """Strongest first, each once, at most `NAMES_MAX`; names of calls only where there is no other."""
    known = set(names)
    return sorted({name for name in known if not name.startswith(SINGLE)} or known, key=strength)[:NAMES_MAX]


def bounded_traits(traits: Facts) -> Facts:
    """The newest `TRAITS_MAX`."""
    if len(traits) <= TRAITS_MAX:
        return traits
    return dict(sorted(traits.items(), key=lambda item: (-item[1][0], item[0]))[:TRAITS_MAX])


def bounded_products(products: dict[str, Product]) -> dict[str, Product]:
    """The newest `PRODUCTS_MAX`."""
    if len(products) <= PRODUCTS_MAX:
        return products
    return dict(sorted(products.items(), key=lambda item: (-item[1].registered_at, item[0]))[:PRODUCTS_MAX])


def _merge_trade(merged: Profile, a: Profile, b: Profile) -> None:
    """What was bought, agreed and spent."""
    sums = {key: orders.summed(a.orders.get(key, ()), b.orders.get(key, ())) for key in {**a.orders, **b.orders}}
    merged.orders = bounds.sampled(sums, CURRENCIES_MAX)
    merged.first_order_at = first_of(a.first_order_at, b.first_order_at)
    merged.converted = orders.summed(a.converted, b.converted)
    merged.unconverted = a.unconverted + b.unconverted
    sales.merge(merged, a, b)
    merged.categories = bounds.sampled(_counted(a.categories, b.categories), CATEGORIES_MAX)
    merged.referrals = a.referrals + b.referrals
    merged.acquisition_cost = bounds.added(a.acquisition_cost, b.acquisition_cost)
    merged.contact_costs = bounds.added(a.contact_costs, b.contact_costs)
    merged.contracts = contracts.merge(a.contracts, b.contracts)
    products = {**a.products, **{key: max(product, a.products.get(key, product)) for key, product in b.products.items()}}
    merged.products = bounded_products(products)


def _merge_borders(merged: Profile, a: Profile, b: Profile) -> None:
    """Who else has its names, and whose names are never to be its own: names that are together now were declared one."""
    merged.shared = bounds.newest(rests.later(a.shared, b.shared), NAMES_MAX)
    if a.sharers and b.sharers:  # a shared name that was declared to be one customer's is no longer shared
        merged.sharers = bounds.newest(rests.later(a.sharers, b.sharers), SHARERS_MAX)
    apart = rests.later(a.apart, b.apart)
    merged.apart = bounds.newest({name: at for name, at in apart.items() if name not in merged.names}, APART_MAX)


def _counted(a: Counted, b: Counted) -> Counted:
    """How many together, and the newest of both."""
    both = {key: (a.get(key, (0, 0)), b.get(key, (0, 0))) for key in {**a, **b}}
    return {key: [x[0] + y[0], max(x[1], y[1])] for key, (x, y) in both.items()}


def _newest(a: Facts, b: Facts) -> Facts:
    return {**a, **{key: newer(a.get(key), fact) for key, fact in b.items()}}
