"""Complaints, service requests and possible refusals: which are open, by reference. A closing may arrive before its opening.

However many there are, only the newest openings and closings are kept one by one, of the others the instants up to which they were
forgotten: what was opened up to a forgotten closing is taken as closed, and forgotten openings hold together as one more, until a closing
without a reference or until closings from then on are forgotten too. So what is closed never holds, in whatever order it was told, and
what is open holds while no more than `MATTERS_MAX` others are closed after it.

Reviews are kept and forgotten channel by channel (`REVIEWS_MAX`). A forgotten opening holds nothing by itself: newer ones hold its channel,
and each of these can be read and ended. The channels hold every one until its own verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from nextwave_contracts.customers import HeldBy, UnderReview
from nextwave_contracts.holds import COMPLAINT_HOLDS_FOR
from nextwave_contracts.messages_in import CHANNEL_OF

from nextwave_scoring.instants import instant
from nextwave_scoring.profile.joins import Since
from nextwave_scoring.profile.record import MATTERS_MAX, MATTERS_MIN, Matter

COMPLAINT = "c:"
SERVICE = "s:"
REVIEW = "r:"
"""Words that may be a refusal, until somebody has read them. The reference begins with the channel that they hold, or with `all`."""
KINDS = (COMPLAINT, SERVICE, REVIEW)
REVIEWS_MAX = 32
"""Openings and closings of reviews on each channel by one name."""
_ANY = "all"
_CHANNELS = frozenset(CHANNEL_OF.values())
_ALL = "*"
"""Reference under which a closing without a reference is kept: it closes everything of its kind opened up to then. So do those forgotten;
and it was opened when the last forgotten opening was."""
_EVERYTHING = {COMPLAINT: COMPLAINT + _ALL, SERVICE: SERVICE + _ALL}
Matters = dict[str, Matter]


def opened(matters: Matters, kind: str, reference: str, at: int) -> None:
    """A matter was opened (again); not before 1970."""
    if at <= 0:
        return
    matter = matters.setdefault(kind + reference[:64], Matter())
    matter.opened_at = max(matter.opened_at, at)
    _forget(matters, _group(kind + reference), "opened_at")


def closed(matters: Matters, kind: str, reference: str, at: int) -> None:
    """A matter was closed; without a reference, everything of its kind that was opened up to then."""
    if at <= 0:
        return
    key = kind + (reference[:64] or _ALL)
    matter = matters.setdefault(key, Matter())
    matter.closed_at = max(matter.closed_at, at)
    _forget(matters, _group(key), "closed_at")


def open_of(matters: Matters, kind: str) -> list[tuple[str, Matter]]:
    """The open matters of a kind, by reference."""
    if not matters:
        return []
    found = [(key.removeprefix(kind), m) for key, m in matters.items() if key.startswith(kind) and _is_open(matters, key, m)]
    return sorted(found) if len(found) > 1 else found


def count_open(matters: Matters, kind: str) -> int:
    """How many matters of a kind are open."""
    if not matters:
        return 0
    found = 0
    for key, matter in matters.items():  # a plain loop, for speed
        if matter.opened_at > matter.closed_at and key.startswith(kind) and _is_open(matters, key, matter):
            found += 1
    return found


def holds(matters: Matters) -> tuple[HeldBy, ...]:
    """One per open complaint, each until it lapses."""
    return tuple([_hold(reference, instant(matter.opened_at)) for reference, matter in open_of(matters, COMPLAINT)])


def reviews(matters: Matters) -> tuple[UnderReview, ...]:
    """One per possible refusal that nobody has read. It does not lapse: that nobody looked permits nothing."""
    return tuple([_review(reference, instant(matter.opened_at)) for reference, matter in open_of(matters, REVIEW)])


def is_over(matters: Matters, reference: str, at: int) -> bool:
    """Whether the review of what was heard then ended, by its own verdict or by one of those forgotten."""
    key = REVIEW + reference[:64]
    own = matters.get(key, Matter())
    if own.opened_at:
        return not _is_open(matters, key, own)
    return own.closed_at > 0 or not _is_open(matters, key, Matter(at))


def _review(reference: str, since: datetime) -> UnderReview:
    channel = reference.partition("-")[0]
    return UnderReview(reference=reference, channel="" if channel == _ANY else channel, since=since)


def _hold(reference: str, since: datetime) -> HeldBy:
    return HeldBy(kind="complaint", since=since, until=since + COMPLAINT_HOLDS_FOR, reference=reference)


def merge(a: Matters, b: Matters) -> Matters:
    """The newest of both, said by one name."""
    merged = {key: _newest(a.get(key, Matter()), b.get(key, Matter())) for key in {**a, **b}}
    bound(merged)
    return merged


def bound(matters: Matters, most: int = REVIEWS_MAX) -> bool:
    """Forgets all but the newest `most` (or as many as are kept of its group, if less) openings and closings of each group; says whether.

    Each is the newest of its matter, so that what was forgotten once was older than `most` others and stays so.
    """
    if len(matters) <= min(most, MATTERS_MAX):
        return False
    groups = {_group(key) for key in matters}
    forgot = [_forget(matters, group, sort, most) for group in groups for sort in ("opened_at", "closed_at")]
    return any(forgot)


def coarse(matters: Matters) -> Matters:
    """A copy with the newest `MATTERS_MIN` openings and closings of each group."""
    known = {key: _newest(matter, Matter()) for key, matter in matters.items()}
    bound(known, MATTERS_MIN)
    return known


def standing(spoken: Mapping[str, Matters], since: Since) -> Matters:
    """What stands by what each name said: a matter opened by one is closed by those who were known to be one with it by then."""
    if len(spoken) == 1:
        return next(iter(spoken.values()))
    groups: dict[str, list[tuple[str, Matter]]] = {}
    for key in sorted({key for said in spoken.values() for key in said}):
        groups.setdefault(_group(key), []).append((key, _standing(spoken, since, key)))
    return {key: matter for group, facts in sorted(groups.items()) for key, matter in _newest_of(group, facts).items()}


def _group(key: str) -> str:
    """How keys begin that are kept and forgotten together: those of a kind, and of reviews those of a channel."""
    if not key.startswith(REVIEW):
        return key[:2]
    channel = key.removeprefix(REVIEW).partition("-")[0]
    return f"{REVIEW}{channel if channel in _CHANNELS else _ANY}-"


def _most(group: str) -> int:
    return REVIEWS_MAX if group.startswith(REVIEW) else MATTERS_MAX


def _is_open(matters: Matters, key: str, matter: Matter) -> bool:
    if matter.opened_at <= matter.closed_at:
        return False
    everything = matters.get(_EVERYTHING.get(key[:2]) or _group(key) + _ALL)
    return everything is None or matter.opened_at > everything.closed_at


def _standing(spoken: Mapping[str, Matters], since: Since, key: str) -> Matter:
    everything = _group(key) + _ALL
    closings = [(name, said[k].closed_at) for name, said in spoken.items() for k in (key, everything) if k in said]
    openings = [(name, said[key].opened_at) for name, said in spoken.items() if key in said and said[key].opened_at]
    pending = [at for name, at in openings if not any(c >= at and since(name, other) <= c for other, c in closings)]
    if pending:
        return Matter(max(pending), 0)
    return Matter(max((at for _, at in openings), default=0), max(at for _, at in closings))


def _newest(a: Matter, b: Matter) -> Matter:
    return Matter(max(a.opened_at, b.opened_at), max(a.closed_at, b.closed_at))


def _newest_of(group: str, facts: Iterable[tuple[str, Matter]]) -> Matters:
    """What stands, of a group: the newest that are open and that are not, and as one until when all other open ones were opened."""
    own, most = list(facts), _most(group)
    waiting = sorted((m.opened_at, key) for key, m in own if not m.closed_at)
    done = sorted((m.closed_at, key, m) for key, m in own if m.closed_at and key != group + _ALL)
    found = {key: m for _, key, m in done[-most:]} | {key: Matter(at) for at, key in waiting[-most:]}
    if len(waiting) > most and not group.startswith(REVIEW):
        rest, _ = waiting[-most - 1]
        found[group + _ALL] = Matter(max(rest, found.get(group + _ALL, Matter()).opened_at))
    return found


def _forget(matters: Matters, group: str, sort: str, most: int = REVIEWS_MAX) -> bool:
    """Of one sort of instant all but the newest, to the newest of which it is noted that all are forgotten."""
    most = min(most, _most(group))
    if len(matters) <= most:
        return False
    told = sorted((at, key) for key, m in matters.items() if _group(key) == group and key != group + _ALL and (at := getattr(m, sort)))
    forgotten = told[: max(len(told) - most, 0)]
    if not forgotten:
        return False
    if sort == "closed_at" or not group.startswith(REVIEW):
        everything = matters.setdefault(group + _ALL, Matter())
        setattr(everything, sort, max(getattr(everything, sort), forgotten[-1][0]))
    for _, key in forgotten:
        setattr(matters[key], sort, 0)
        if matters[key] == Matter():
            del matters[key]
    return True
