"""The play: the same for the same seed, in order, nobody known before sign-up, and every address one that belongs to nobody."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.identifiers import identifier
from nextwave_local.demo import people
from nextwave_local.demo.script import Script, write
from nextwave_local.demo.service import CALLS_PER_DAY, Desk, log_normal, poisson
from nextwave_local.demo.shop import PAGES, TRACKS, Shop
from unit.local.demo.small_shop import BEGIN, CURVE, body, row, visits


def _play(seed: int = 7) -> Script:
    return write(seed, visits(users=40, each=24), CURVE)


def test_the_same_seed_gives_the_same_play_and_another_seed_another() -> None:
    assert _play() == _play()
    assert _play() != _play(8)


def test_everything_is_posted_in_event_time_order_and_no_earlier_than_it_says() -> None:
    items = _play().items
    assert [item.at for item in items] == sorted(item.at for item in items)


def test_every_row_of_the_data_is_posted() -> None:
    posted = {item.id for item in _play().items}
    assert {f"row-{r.number}" for r in visits(users=40, each=24)} <= posted


def test_a_repetition_is_the_same_post_again_later() -> None:
    by_name = Counter(item.name for item in _play().items)
    bodies = {(item.name, item.body) for item in _play().items}
    assert 0.005 < (sum(by_name.values()) - len(by_name)) / len(by_name) < 0.05
    assert len(bodies) == len(by_name)


def test_ids_are_unique_over_all_sources_so_that_a_cause_names_one_touchpoint() -> None:
    names = {item.name for item in _play().items}
    assert len({touchpoint_id for _, touchpoint_id in names}) == len(names)


def test_a_visitor_is_anonymous_until_sign_up_and_named_afterwards() -> None:
    visitor = people.person(7, "user_0001")
    rows = [row(1, "home"), row(2, "shipping_details", minutes=1), row(3, "catalog", minutes=2)]
    items = list(Shop(7, {"user_0001": visitor}).calls(rows))
    said = {item.id: body(item) for item in items}
    assert "userId" not in said["row-1"]
    assert said["row-2"]["userId"] == said["row-3"]["userId"] == "user_0001"
    assert said["identify-2"]["traits"]["email"] == "user1@example.com"
    assert said["signup-user_0001"]["event"] == "Signed Up"


def test_on_another_device_the_visitor_is_anonymous_again_until_the_log_in() -> None:
    visitor = people.person(7, "user_0001")
    rows = [row(1, "account_page"), row(2, "home", platform="mobile", minutes=1), row(3, "account_page", platform="mobile", minutes=2)]
    said = {item.id: body(item) for item in Shop(7, {"user_0001": visitor}).calls(rows)}
    assert "userId" not in said["row-2"]
    assert said["row-2"]["anonymousId"] != said["row-1"]["anonymousId"]
    assert (said["identify-3"]["userId"], said["identify-3"]["anonymousId"]) == ("user_0001", "user_0001-mobile")


def test_consent_is_given_by_most_but_not_all_and_only_where_there_is_an_address() -> None:
    everybody = [people.person(7, f"user_{number:04d}") for number in range(600)]
    for channel, share in people.CONSENT_SHARES.items():
        agreed = sum(channel in one.agreed for one in everybody)
        assert 0.6 * share * 600 < agreed < share * 600
    assert all(one.email for one in everybody if "email" in one.agreed)
    assert all(one.phone for one in everybody if "sms" in one.agreed or "call" in one.agreed)


def test_every_address_is_reserved_and_belongs_to_one_person() -> None:
    everybody = [people.person(7, f"user_{number:04d}") for number in range(600)]
    phones = [one.phone for one in everybody if one.phone]
    mails = [one.email for one in everybody if one.email]
    reserved = re.compile(r"\+447700900\d{3}|\+1(212|312|303|213|305|713)55501\d\d|\+3363998\d{4}")
    assert all(reserved.fullmatch(phone) and identifier("phone", phone) == f"phone:{phone}" for phone in phones)
    assert all(mail.endswith("@example.com") for mail in mails)
    assert len(set(phones)) == len(phones)
    assert len(set(mails)) == len(mails)
    assert all(one.email or one.phone for one in everybody)


def test_there_is_no_number_for_a_person_too_many() -> None:
    with pytest.raises(ValueError, match="600"):
        people.phone_number(people.BRITAIN, 600)


def test_calls_come_on_working_days_in_the_hours_of_the_curve_and_as_many_as_said() -> None:
    rows = visits(users=40, each=24)
    shop = Shop(7, {f"user_{number:04d}": people.person(7, f"user_{number:04d}") for number in range(40)})
    list(shop.calls(rows))
    desk = Desk(7, {user: people.person(7, user) for user in shop.signed_up}, shop.signed_up)
    first = max(r.at for r in rows).replace(hour=0)
    offered = [item for item in desk.calls(CURVE, first, first + timedelta(weeks=20)) if item.id.endswith("offered")]
    assert {item.at.weekday() for item in offered} == set(range(5))
    assert all(9 * 60 <= item.at.hour * 60 + item.at.minute < 9 * 60 + 15 for item in offered)
    assert len(offered) / 100 == pytest.approx(CALLS_PER_DAY, rel=0.15)
    assert sum(item.at.minute < 5 for item in offered) / len(offered) == pytest.approx(0.6, abs=0.06)


def test_a_call_is_answered_and_ended_or_abandoned_never_both() -> None:
    ends: Counter[tuple[str, str]] = Counter()
    for item in _play().items:
        if item.key == "call-centre":
            call_id, _, step = item.id.rpartition("-")
            ends[call_id, step] = 1
    calls = {call_id for call_id, _ in ends}
    assert calls
    for call_id in calls:
        steps = {step for known, step in ends if known == call_id}
        assert steps in ({"offered", "abandoned"}, {"offered", "answered", "ended"})


def test_a_resolution_names_the_ticket_it_closes_and_comes_after_it() -> None:
    items = {item.id: item for item in reversed(_play().items)}
    resolved = [item for item in items.values() if item.id.endswith("-resolved")]
    assert resolved
    for item in resolved:
        opened = items[body(item)["data"]["reference"]]
        assert body(opened)["event"] == "Support Ticket Created"
        assert opened.at < item.at


def test_every_event_of_the_data_set_has_a_name_in_the_protocol() -> None:
    assert not PAGES.keys() & TRACKS.keys()
    assert TRACKS["purchase"] == "Order Completed"
    assert TRACKS["payment_error"] == "payment.failed"


@given(st.floats(0.0, 20.0), st.floats(0.0, 0.999999))
def test_a_poisson_number_grows_with_its_chance(mean: float, chance: float) -> None:
    assert poisson(mean, 0.0) <= poisson(mean, chance)


def test_poisson_numbers_have_their_mean() -> None:
    chances = [(number + 0.5) / 4_000 for number in range(4_000)]
    assert sum(poisson(3.5, chance) for chance in chances) / 4_000 == pytest.approx(3.5, rel=0.01)


def test_half_of_all_talking_times_are_below_the_median() -> None:
    grid = [((a + 0.5) / 50, (b + 0.5) / 50) for a in range(50) for b in range(50)]
    assert sum(log_normal(160.0, 0.8, chances) < 160.0 for chances in grid) / 2_500 == pytest.approx(0.5, abs=0.03)


def test_the_first_row_is_at_its_own_instant() -> None:
    assert _play().first == BEGIN
