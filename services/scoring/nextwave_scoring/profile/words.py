"""Who said what: a word that lifts (a grant, a closing, contentment) lifts what was said by names that were one's with its own by then.

So two customers who turn out to be one keep the stricter of both, and which touchpoint was read before the merge makes no difference:
the words of each name are kept apart, and what stands is told from all of them and from when names were joined (`docs/decisions/0005`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from nextwave_contracts.identifiers import INTERNAL, strength
from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.identity import derive
from nextwave_scoring.profile import consents, contacts, decay, joins, matters
from nextwave_scoring.profile.record import NAMES_MAX, SPEAKERS_MAX, Join, Profile, Words

Spoken = dict[str, Words]


def voices(profile: Profile, identifiers: Sequence[str]) -> list[str]:
    """The customer's names among these, strongest first; names that are not kept stand for the strongest of all."""
    names = profile.names or list(identifiers)
    known = [name for name in names if name in identifiers]
    if len(known) == len(identifiers):
        return known
    own = {_by_which_met(names, name.removeprefix(INTERNAL)) if name.startswith(INTERNAL) else name for name in identifiers}
    return sorted(own.intersection(names), key=strength) or names[:1]


def stopping(profile: Profile, touchpoint: Touchpoint) -> Words:
    """Where a stop is written: its names were one's by then, so any of them stands for all."""
    return profile.words.setdefault(voices(profile, touchpoint.identifiers)[0], Words())


def lifting(profile: Profile, touchpoint: Touchpoint) -> list[Words]:
    """Where a word that lifts is written: it was said by each of its names, also when they were joined by it alone."""
    return [profile.words.setdefault(name, Words()) for name in voices(profile, touchpoint.identifiers)]


def settle(profile: Profile) -> None:
    """Tells what stands from the words of all names."""
    _forget(profile)
    if not profile.words:
        return
    if len(profile.words) > SPEAKERS_MAX:
        _coarsen(profile.words)
    spoken, since = profile.words, joins.since(profile.joins)
    profile.consents = consents.standing({name: words.consents for name, words in spoken.items()}, since)
    profile.matters = matters.standing({name: words.matters for name, words in spoken.items()}, since)
    profile.soothed_at = max((words.soothed_at for words in spoken.values()), default=0)
    soured_at = max((words.soured_at for words in spoken.values()), default=0)
    profile.soured_at = max(soured_at, profile.soothed_at) if _is_sour(spoken, since) else soured_at


def merge(a: Spoken, b: Spoken) -> Spoken:
    """The words of both."""
    merged: Spoken = {}
    for name, words in (*a.items(), *b.items()):
        merged[name] = _together(merged[name], words) if name in merged else words
    return merged


def adopt(profile: Profile, stops: Words, voice: str, at: int) -> None:
    """What stands in `stops` and stops contact does so here too, as said by `voice`, who is one with this customer from `at` on.

    So only what is said from then on lifts it here (instant in microseconds).
    """
    said = Words()
    for scope, (granted, withdrawn) in stops.consents.items():
        if withdrawn and withdrawn >= granted:
            said.consents[scope] = [0, withdrawn]
    for kind in matters.KINDS:
        for reference, matter in matters.open_of(stops.matters, kind):
            matters.opened(said.matters, kind, reference, matter.opened_at)
    if stops.soured_at and stops.soured_at >= stops.soothed_at:
        said.soured_at = stops.soured_at
    if said == Words():
        return
    profile.words = merge(profile.words, {voice: said})
    if profile.names and voice != profile.names[0]:
        profile.joins = joins.earliest([*profile.joins, Join(at, profile.names[0], voice)])
    settle(profile)


def inherit(profile: Profile) -> None:
    """Reads a profile of a build before this one.

    One did not tell names apart: all that its profile holds was said by the strongest, and all names were always one's. One kept
    decayed counts as floats, and of contacts no instants of the sorts of reports.
    """
    names = profile.names
    if names and not profile.joins:
        profile.joins = [Join(0, names[0], name) for name in names[1:]]
    if names and not profile.words and (profile.consents or profile.matters or profile.soothed_at or profile.soured_at):
        profile.words = {names[0]: Words(profile.consents, profile.matters, profile.soothed_at, profile.soured_at)}
    if profile.floats:
        profile.counts, profile.floats = decay.of_floats(profile.floats, profile.landmark), {}
    contacts.inherit(profile.contacts)
    crowded = [words for words in profile.words.values() if matters.bound(words.matters)]
    if crowded:  # one kept whatever was open
        settle(profile)


def _is_sour(spoken: Spoken, since: joins.Since) -> bool:
    """Who was left unsatisfied stays so, however content another one was who turned out to be the same."""
    return any(
        words.soured_at and not any(w.soothed_at > words.soured_at and since(name, other) <= w.soothed_at for other, w in spoken.items())
        for name, words in spoken.items()
    )


def _by_which_met(names: Iterable[str], customer_id: str) -> str:
    """The name from which a customer's id was derived; empty when it is not kept."""
    return next((name for name in names if derive(name) == customer_id), "")


def _together(a: Words, b: Words) -> Words:
    return Words(
        consents.merge(a.consents, b.consents),
        matters.merge(a.matters, b.matters),
        max(a.soothed_at, b.soothed_at),
        max(a.soured_at, b.soured_at),
    )


def _coarsen(spoken: Spoken) -> None:
    """Of names beyond the strongest `SPEAKERS_MAX` that said something of matters the least is kept: once beyond, a name stays there."""
    for name in sorted((name for name, words in spoken.items() if words.matters), key=strength)[SPEAKERS_MAX:]:
        spoken[name] = msgspec.structs.replace(spoken[name], matters=matters.coarse(spoken[name].matters))


def _forget(profile: Profile) -> None:
    """Names that were crowded out stand for the strongest from now on."""
    names = profile.names
    if len(names) < NAMES_MAX or len(profile.joins) < NAMES_MAX:
        return
    kept = set(names)
    stand_in = {name: name if name in kept else names[0] for join in profile.joins for name in (join.one, join.other)}
    profile.joins = joins.earliest(Join(join.at, stand_in[join.one], stand_in[join.other]) for join in profile.joins)
    spoken: Spoken = {}
    for name, words in profile.words.items():
        spoken = merge(spoken, {stand_in.get(name, name): words})
    profile.words = spoken
