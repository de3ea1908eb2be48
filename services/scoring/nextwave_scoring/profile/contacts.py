"""Recent contacts of ours, for caps that outlive a merge: the newest reports of each, in whatever order they were heard."""

from __future__ import annotations

from nextwave_contracts.outcomes import CONTACT_MADE, NOT_SENT, Outcome

from nextwave_scoring.instants import DAY
from nextwave_scoring.profile.record import REPORTS_MAX, PastContact

KEPT_DAYS = 91
"""Days before the newest one seen for which reports are kept: no cap counts longer than 90."""
Contacts = dict[str, PastContact]
_SORTS = ("at", "failed_at", "made_at")


def take(contacts: Contacts, outcome: Outcome, landmark: int, at: int) -> None:
    """Remembers a report, and forgets the oldest beyond `REPORTS_MAX`. `landmark` is the newest day seen."""
    if at < _oldest(landmark):
        return
    sort = "failed_at" if outcome.kind in NOT_SENT else "made_at" if outcome.kind in CONTACT_MADE else "at"
    contact = contacts.setdefault(outcome.action_id, PastContact(outcome.campaign, outcome.channel))
    setattr(contact, sort, max(getattr(contact, sort), at))
    _bound(contacts)


def merge(a: Contacts, b: Contacts, landmark: int) -> Contacts:
    """The newest reports of both, as of the newest day seen of either."""
    merged: Contacts = {}
    for action, contact in (*a.items(), *b.items()):
        known = merged.get(action, contact)
        newest = (max(getattr(known, sort), getattr(contact, sort)) for sort in _SORTS)
        at, failed_at, made_at = newest
        merged[action] = PastContact(contact.campaign, contact.channel, at, failed_at, made_at)
    advance(merged, landmark)
    _bound(merged)
    return merged


def advance(contacts: Contacts, day: int) -> None:
    """The newest day seen is `day`: forgets what is too old."""
    oldest = _oldest(day)
    for action in [action for action, contact in contacts.items() if contact.first_at < oldest]:
        contact = contacts[action]
        for sort in _SORTS:
            if getattr(contact, sort) < oldest:
                setattr(contact, sort, 0)
        _forget_empty(contacts, action)


def inherit(contacts: Contacts) -> None:
    """Gives the marks of a build that kept no instants of them that of the contact."""
    for contact in contacts.values():
        contact.failed_at = contact.at if contact.failed_at is True else int(contact.failed_at)
        contact.made_at = contact.at if contact.made_at is True else int(contact.made_at)


def _bound(contacts: Contacts) -> None:
    if len(contacts) * len(_SORTS) <= REPORTS_MAX:
        return
    reports = sorted((at, action, sort) for action, contact in contacts.items() for sort in _SORTS if (at := getattr(contact, sort)))
    for _, action, sort in reports[:-REPORTS_MAX]:
        setattr(contacts[action], sort, 0)
        _forget_empty(contacts, action)


def _forget_empty(contacts: Contacts, action: str) -> None:
    if not any(getattr(contacts[action], sort) for sort in _SORTS):
        del contacts[action]


def _oldest(day: int) -> int:
    return (day - KEPT_DAYS) * DAY
