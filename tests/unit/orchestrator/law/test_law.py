"""Limits by law: whom they bind, that no history gets round them, and that a decision names the law and the instant at which it opens."""

from __future__ import annotations

from dataclasses import replace as with_values
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.customers import Consent, Snapshot
from nextwave_orchestrator.caps import Limit, free_at, has_room, instants, reserve, settle, together
from nextwave_orchestrator.law import AREA_CODES, LAWS, Law, limits_on, whole_days_after
from nextwave_orchestrator.state import RESERVATIONS_MAX, TRIES_KEPT, Reservation
from phonenumbers import geocoder
from unit.orchestrator.decision_world import MONDAY_NOON
from unit.orchestrator.law.called import ANYTHING, LONG_AGO, person
from unit.orchestrator.law.slow_law import Person, Try, broken

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
CALLS = Consent(channel="call", purpose="marketing", granted=True, at=LONG_AGO)


@pytest.mark.parametrize(
    ("country", "region", "phone", "laws"),
    [
        ("FR", "", "+33612345678", ["FR-voice"]),
        ("FR", "IDF", "", ["FR-voice"]),
        ("DE", "", "+4915112345678", []),
        ("DE", "", "+33612345678", ["FR-voice"]),
        ("", "", "+33612345678", ["FR-voice"]),
        ("US", "FL", "+13055551234", ["US-FL-solicitation"]),
        ("US", "US-OK", "", ["US-OK-solicitation"]),
        ("US", "NY", "+12125551234", []),
        ("US", "", "", ["US-FL-solicitation", "US-OK-solicitation"]),
        ("US", "FLORIDA", "", ["US-FL-solicitation", "US-OK-solicitation"]),
        ("", "", "+15555550123", ["US-FL-solicitation", "US-OK-solicitation"]),
        ("FR", "", "+13055551234", ["FR-voice", "US-FL-solicitation", "US-OK-solicitation"]),
        ("US", "FL", "+33612345678", ["FR-voice", "US-FL-solicitation"]),
        ("", "", "no number", []),
        ("US", "NY", "+13055551234", ["US-FL-solicitation"]),
        ("US", "TX", "+19185551234", ["US-OK-solicitation"]),
        ("US", "NY", "+18005551234", ["US-FL-solicitation", "US-OK-solicitation"]),
        ("US", "NY", "+15555550123", ["US-FL-solicitation", "US-OK-solicitation"]),
        ("DE", "BY", "+493012345678", []),
    ],
)
def test_every_place_where_the_customer_may_be_has_its_laws(country: str, region: str, phone: str, laws: list[str]) -> None:
    assert [limit.law for limit in limits_on(person(country, region, phone))] == laws


@pytest.mark.parametrize(("region", "state"), [("US-FL", "Florida"), ("US-OK", "Oklahoma")])
def test_the_area_codes_of_a_subdivision_are_those_that_the_numbering_plan_places_there(region: str, state: str) -> None:
    """By the geography of phonenumbers, which knows a state by its name, or a town and `, FL`."""
    short = ", " + region.removeprefix("US-")
    told = {code: _places(code) for code in map(str, range(200, 1000))}
    there = {code for code, places in told.items() if any(place == state or place.endswith(short) for place in places)}
    assert there
    assert there <= AREA_CODES[region]
    assert all(told[code] <= {""} for code in AREA_CODES[region] - there), "newer ones may be unplaced there, but not placed elsewhere"


@cache
def _places(code: str) -> set[str]:
    numbers = (phonenumbers.parse(f"+1{code}{exchange}1234") for exchange in (200, 222, 255, 373, 525, 674))
    return {geocoder.description_for_number(number, "en") for number in numbers} - {"", "United States"}


@pytest.mark.parametrize(
    ("consents", "refused", "binds"),
    [
        ((ANYTHING,), {}, True),
        ((CALLS,), {}, False),
        ((Consent(channel="call", purpose="", granted=True, at=LONG_AGO),), {}, True),
        ((Consent(channel="", purpose="marketing", granted=True, at=LONG_AGO),), {}, True),
        ((Consent(channel="sms", purpose="marketing", granted=True, at=LONG_AGO),), {}, True),
        ((CALLS, Consent(channel="", purpose="", granted=False, at=LONG_AGO)), {}, True),
        ((CALLS, Consent(channel="", purpose="", granted=False, at=LONG_AGO - DAY)), {}, False),
        ((CALLS, ANYTHING), {}, False),
        ((CALLS,), {"call": LONG_AGO}, True),
        ((CALLS,), {"": LONG_AGO + DAY}, True),
        ((CALLS,), {"call": LONG_AGO - DAY}, False),
        ((CALLS,), {"sms": LONG_AGO + DAY}, False),
    ],
)
def test_only_who_agreed_to_calls_by_name_and_has_not_refused_since_is_exempt(
    consents: tuple[Consent, ...], refused: dict[str, datetime], binds: bool
) -> None:
    assert bool(limits_on(person(consents=consents, refused=refused))) == binds
    texan = limits_on(person("US", "FL", "+13055551234", consents=consents, refused=refused))
    assert [limit.law for limit in texan] == ["US-FL-solicitation"]


@pytest.mark.parametrize(
    ("refused_at", "zones", "ends"),
    [
        ("2026-10-01T17:30:00Z", ("Europe/Paris",), "2026-11-30T23:00:00Z"),  # the clocks went back in between
        ("2026-03-01T17:30:00Z", ("Europe/Paris",), "2026-04-30T22:00:00Z"),  # and forward
        ("2026-10-01T22:30:00Z", ("Europe/Paris",), "2026-12-01T23:00:00Z"),  # it was the 2nd there already
        ("2026-10-01T17:30:00Z", ("Europe/Paris", "America/Cayenne"), "2026-12-01T03:00:00Z"),
        ("2026-10-01T17:30:00Z", (), "2026-12-01T00:00:00Z"),
        ("2026-02-22T12:00:00Z", ("Africa/Cairo",), "2026-04-23T22:00:00Z"),  # that day begins at one o'clock
    ],
)
def test_a_refusal_holds_for_sixty_whole_days_of_the_calendar_wherever_they_may_be(
    refused_at: str, zones: tuple[str, ...], ends: str
) -> None:
    at = datetime.fromisoformat(refused_at)
    assert whole_days_after(at, 60, zones) == datetime.fromisoformat(ends)
    assert limits_on(person(refused={"call": at}, zones=zones))[0].rests_until == datetime.fromisoformat(ends)


def test_a_law_that_cannot_be_kept_is_refused_as_it_is_read() -> None:
    known = {f: getattr(LAWS[0], f) for f in LAWS[0].__dataclass_fields__}
    for field, wrong in [
        ("region", "France"), ("channels", ()), ("channels", ("telex",)), ("most", 0), ("most", TRIES_KEPT + 1), ("hours", 0),
        ("hours", 91 * 24), ("days_after_refusal", -1), ("source", ""),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"law FR-voice: {field} is "):
            Law(**{**known, field: wrong})


PLACES = [
    ("FR", "", "+33612345678", ("Europe/Paris",), {"FR"}),
    ("FR", "", "+13055551234", ("Europe/Paris", "America/New_York"), {"FR", "US"}),
    ("US", "FL", "+13055551234", ("America/New_York", "America/Chicago"), {"US-FL"}),
    ("US", "", "", ("America/New_York", "America/Los_Angeles"), {"US"}),
    ("DE", "", "+4915112345678", ("Europe/Berlin",), {"DE"}),
]
CHANGES = [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]
SAID = [("call", "marketing", True), ("call", "marketing", False), ("", "", True), ("", "", False), ("call", "", True)]
steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 90), st.integers(0, 30 * 24 * 60)),  # minutes since the step before
        st.one_of(
            st.tuples(st.just("try"), st.sampled_from(["call", "call", "sms", "email"]), st.sampled_from(["marketing"] * 3 + ["service"])),
            st.tuples(st.just("refuse"), st.sampled_from(["call", "sms", ""])),
            st.tuples(st.just("say"), st.sampled_from(SAID)),
        ),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(PLACES), start=st.sampled_from(CHANGES), steps=steps)
def test_what_is_allowed_and_when_it_opens_is_as_the_texts_read(
    place: tuple[str, str, str, tuple[str, ...], set[str]], start: datetime, steps: list[tuple[int, Any]]
) -> None:
    """Over changes of the clocks, several places, refusals and consents; every try is made as it is decided."""
    country, region, phone, zones, where = place
    someone, now = Person(frozenset(where), zones), start - 40 * DAY
    profile = person(country, region, phone or "no number", zones=zones, consents=())
    made: list[Try] = []
    reservations: tuple[Reservation, ...] = ()
    for number, (minutes, step) in enumerate(steps):
        now += minutes * timedelta(minutes=1) + INSTANT
        match step:
            case ("refuse", channel):
                someone = with_values(someone, refusals=(*someone.refusals, (channel, now)))
                profile = person(**_as(profile), refused={**profile.refused, channel: now})
            case ("say", (channel, purpose, granted)):
                someone = with_values(someone, consents=(*someone.consents, (channel, purpose, granted, now)))
                older = tuple(c for c in profile.consents if (c.channel, c.purpose) != (channel, purpose))
                told = Consent(channel=channel, purpose=purpose, granted=granted, at=now)
                profile = person(**{**_as(profile), "consents": (*older, told)}, refused=profile.refused)
            case ("try", channel, purpose):
                limits = [limit for limit in limits_on(profile) if limit.covers(channel, "", purpose)]
                opens = max((_opens(limit, reservations, now) for limit in limits), default=now)
                one = Try(now, channel, purpose)
                assert (opens > now) == bool(broken(someone, made, one)), (opens, made, one, someone)
                if opens > now:
                    assert not broken(someone, made, with_values(one, at=opens))
                    assert broken(someone, made, with_values(one, at=opens - INSTANT))
                else:
                    made.append(one)
                    new = Reservation(f"{'c' * 32}-{number}", "a", channel, purpose, now, latest=now + DAY, tried_at=now)
                    reservations = reserve(reservations, new)


def _as(profile: Snapshot) -> dict[str, Any]:
    names = ("country", "region", "zones", "consents")
    return {"phone": profile.contact_points[0].address, **{name: getattr(profile, name) for name in names}}


def _opens(limit: Limit, reservations: tuple[Reservation, ...], now: datetime) -> datetime:
    return max(free_at(limit, reservations, now), limit.rests_until or now)


FLORIDA = limits_on(person("US", "FL", "+13055551234"))[0]


@settings(max_examples=300, deadline=None)
@given(
    wishes=st.lists(
        st.tuples(
            st.integers(0, 8 * 60), st.sampled_from(["call", "sms"]), st.integers(0, 47 * 60), st.sampled_from(["made", "lost", "failed"])
        ),
        max_size=30,
    )
)
def test_however_long_a_contact_lies_before_it_is_dispatched_no_day_holds_more_tries_than_the_law_allows(
    wishes: list[tuple[int, str, int, str]],
) -> None:
    """`lost`: it was made, and nobody ever said so. Nobody may be tried after the contact's latest time, two days after the decision."""
    now, minute = MONDAY_NOON, timedelta(minutes=1)
    reservations: tuple[Reservation, ...] = ()
    coming: list[tuple[datetime, Reservation, str]] = []
    made: list[datetime] = []
    for number, (minutes, channel, delay, end) in enumerate(wishes):
        now += minutes * minute
        for at, one, how in sorted(coming, key=lambda each: each[0]):
            if at <= now and how != "lost":
                kind = "failed" if how == "failed" else "no_answer" if one.channel == "call" else "delivered"
                reservations = settle(reservations, Reservation(one.action_id, "a", one.channel, "marketing", at), kind)
        coming = [each for each in coming if each[0] > now]
        if free_at(FLORIDA, reservations, now) > now:
            continue
        new = Reservation(f"a{number}", "a", channel, "marketing", now, latest=now + 2 * DAY)
        reservations = reserve(reservations, new)
        coming.append((now + delay * minute, new, end))
        if end != "failed":
            made.append(now + delay * minute)
    assert all(sum(at <= other < at + DAY for other in made) <= FLORIDA.most for at in made)


def test_what_lies_with_a_provider_counts_from_when_the_customer_was_tried() -> None:
    decided = Reservation("a", "w", "sms", "marketing", MONDAY_NOON, latest=MONDAY_NOON + 2 * DAY)
    tried = {}
    for channel in ("sms", "call"):
        one = with_channel(decided, channel)
        heard = with_channel(Reservation("a", "w", "", "marketing", MONDAY_NOON + 3 * HOUR), channel)
        (settled,) = settle((one,), heard, "accepted")
        tried[channel] = settled.try_at(MONDAY_NOON + 9 * HOUR)
    assert tried == {"sms": MONDAY_NOON + 3 * HOUR, "call": MONDAY_NOON + 9 * HOUR}
    assert decided.try_at(MONDAY_NOON + 9 * DAY) == MONDAY_NOON + 2 * DAY
    (both,) = together((decided,), [Reservation("a", "w", "sms", "marketing", MONDAY_NOON, tried_at=MONDAY_NOON + HOUR)])
    assert both.try_at(MONDAY_NOON + 9 * DAY) == MONDAY_NOON + HOUR


def with_channel(one: Reservation, channel: str) -> Reservation:
    return Reservation(one.action_id, one.campaign, channel, one.purpose, one.at, latest=one.latest)


def test_as_many_tries_are_remembered_as_any_law_counts_whatever_else_is_sent() -> None:
    reservations: tuple[Reservation, ...] = ()
    for attempt in range(1, TRIES_KEPT + 3):
        reservations = reserve(reservations, Reservation(f"c-{attempt}", "a", "call", "marketing", MONDAY_NOON + attempt * HOUR))
    for n in range(2 * RESERVATIONS_MAX):
        reservations = reserve(reservations, Reservation(f"m{n}", "a", "email", "marketing", MONDAY_NOON + DAY + n * HOUR / 10))
    counted = instants(Limit("x", "", 9, 90 * 86_400.0, ("call",), ("marketing",)), reservations, MONDAY_NOON + 9 * DAY)
    assert counted == [MONDAY_NOON + attempt * HOUR for attempt in range(3, TRIES_KEPT + 3)]
    assert len(reservations) == RESERVATIONS_MAX + TRIES_KEPT


def test_service_calls_and_who_comes_to_us_are_not_meant() -> None:
    limit = limits_on(person())[0]
    assert [limit.covers("call", "a", purpose) for purpose in ("marketing", "", "service", "care", "transactional")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    taken = tuple(Reservation(f"s{n}", "a", "call", "service", MONDAY_NOON) for n in range(9))
    assert free_at(limit, taken, MONDAY_NOON) == MONDAY_NOON
    assert has_room(limit, [MONDAY_NOON] * 3, MONDAY_NOON)
