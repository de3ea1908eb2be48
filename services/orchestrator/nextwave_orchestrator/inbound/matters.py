"""What is open between the customer and us: complaints, service matters, and what somebody promised and has not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.instants import instant
from nextwave_contracts.masking import MASK, mask_data

from nextwave_orchestrator.catalogue import Happening
from nextwave_orchestrator.inbound.answer import OpenMatter, Promise

CALL_BACK = "a call back"
CALLED = frozenset({"call.answered", "outcome.answered"})
"""What keeps the promise of a call."""
SOLVED = frozenset({"service.completed", "complaint.resolved"})
"""What keeps any promise made in the same matter, or, where it names no matter, every one."""


def open_matters(profile: Snapshot, history: Sequence[Happening]) -> tuple[OpenMatter, ...]:
    """Complaints first, the oldest first. The profile counts service matters; names of the older ones may be forgotten."""
    complaints = [
        OpenMatter(kind="complaint", reference=hold.reference, since=hold.since) for hold in profile.holds if hold.kind == "complaint"
    ]
    unnamed = max(0, profile.open_complaints - len(complaints))
    complaints += [OpenMatter(kind="complaint", reference="", since=None)] * unnamed
    services = _open_services(history)[-profile.services.open :] if profile.services.open else []
    forgotten = [OpenMatter(kind="service", reference="", since=None)] * (profile.services.open - len(services))
    return (*sorted(complaints, key=_age), *forgotten, *services)


def promises(history: Sequence[Happening], now: datetime) -> tuple[Promise, ...]:
    """What is not kept yet, the most urgent first.

    An event promises a call by `callback` (true, or the instant), and anything by `promise` (in words) with `promised_by` (the instant).
    """
    found = [promise for place, happening in enumerate(history) for promise in _made(happening, history[place + 1 :], now)]
    return tuple(sorted(found, key=lambda promise: (not promise.is_overdue, promise.due_at or now, promise.made_at)))


def masked_matter(matter: OpenMatter) -> OpenMatter:
    """For who needs no addresses: somebody may use one as a reference."""
    return replace(matter, reference=_masked(matter.reference))


def masked_promise(promise: Promise) -> Promise:
    """For who needs no names: what a person wrote may hold one."""
    return replace(promise, text=promise.text if promise.text == CALL_BACK else MASK, reference=_masked(promise.reference))


def _masked(reference: str) -> str:
    return str(mask_data({"reference": reference})["reference"])


def _age(matter: OpenMatter) -> tuple[bool, float, str]:
    return matter.since is not None, matter.since.timestamp() if matter.since else 0.0, matter.reference


def _open_services(history: Sequence[Happening]) -> list[OpenMatter]:
    """Of those remembered, oldest first; a completion without a reference closes all."""
    matters: dict[str, OpenMatter] = {}
    for happening in history:
        reference = reference_of(happening)
        if happening.type == "service.requested" or _is_bad_answer(happening):
            matters[reference] = OpenMatter(kind="service", reference=reference, since=happening.at)
        elif happening.type == "service.completed" and reference:
            matters.pop(reference, None)
        elif happening.type == "service.completed":
            matters.clear()
    return sorted(matters.values(), key=_age)


def _is_bad_answer(happening: Happening) -> bool:
    """A rating of 1 or 2 opens a matter."""
    rating = happening.data.get("rating")
    return happening.type == "satisfaction.rated" and isinstance(rating, int | float) and 1 <= rating <= 2


def _made(happening: Happening, later: Sequence[Happening], now: datetime) -> Iterator[Promise]:
    callback, words = happening.data.get("callback"), happening.data.get("promise")
    is_call = callback is True or instant(callback) is not None
    if is_call and not _is_kept(happening, later, called=True):
        yield _promise(happening, CALL_BACK, instant(callback), now)
    if isinstance(words, str) and words and not _is_kept(happening, later, called=False):
        yield _promise(happening, words, instant(happening.data.get("promised_by")), now)


def _promise(happening: Happening, text: str, due_at: datetime | None, now: datetime) -> Promise:
    is_overdue = due_at is not None and due_at < now
    return Promise(text=text, made_at=happening.at, due_at=due_at, is_overdue=is_overdue, reference=reference_of(happening))


def _is_kept(promised: Happening, later: Sequence[Happening], *, called: bool) -> bool:
    reference = reference_of(promised)
    return any(
        (called and happening.type in CALLED) or (happening.type in SOLVED and reference_of(happening) in {"", reference})
        for happening in later
    )


def reference_of(happening: Happening) -> str:
    """The matter that an event names, as text; empty where it names none."""
    value = happening.data.get("reference", "")
    return str(value) if isinstance(value, str | int) else ""
