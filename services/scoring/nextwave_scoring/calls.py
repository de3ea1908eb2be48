"""Names of single calls and orders: what a platform tells of one without naming the customer follows what names the customer.

A frequent caller has hundreds of calls, and a family's phone is in many: a call leads to a customer, and is no name that makes two one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from nextwave_contracts.identifiers import SINGLE, strongest
from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.instants import micros
from nextwave_scoring.profile.record import Join, Profile
from nextwave_scoring.unit import Unit


def without_calls(touchpoint: Touchpoint) -> Touchpoint:
    """The touchpoint by its other names; one that has none is named by its first call alone."""
    names = touchpoint.identifiers
    calls = [name for name in names if name.startswith(SINGLE)]
    if not calls or len(names) == 1:
        return touchpoint
    others = tuple(name for name in names if not name.startswith(SINGLE)) or (min(calls),)
    return msgspec.structs.replace(touchpoint, identifiers=others)


def follow(unit: Unit, touchpoint: Touchpoint, meant: str) -> Iterator[str]:
    """From now on the touchpoint's calls lead to the customer meant; gives those who were nothing but such a call, to be absorbed.

    A call that leads to somebody else stays theirs: a transfer, or another's phone, proves nothing.
    """
    for name in touchpoint.identifiers:
        if not name.startswith(SINGLE):
            continue
        root = unit.root_of_name(name)
        if root is None:
            unit.bind(name, meant)
        elif root != meant and _is_call(unit.customers[root].profile) and not unit.customers[meant].profile.sharers:
            known = Join(micros(touchpoint.received_at), strongest(touchpoint.identifiers), name)
            unit.customers[root].profile.joins.append(known)
            yield root


def _is_call(profile: Profile) -> bool:
    return bool(profile.names) and all(name.startswith(SINGLE) for name in profile.names)
