"""When capacity is short: who goes first."""

from __future__ import annotations

from channel_contacts import a_contact
from channels_place import Place, Recorder


async def test_what_is_owed_goes_before_what_is_offered_however_little_it_is_worth(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"offer{n}", value=1000.0) for n in range(3)))
    await place.put(a_contact(action_id="owed", purpose="service", value=0.0))
    claimed = await place.dispatcher(Recorder()).claim(2) or []
    assert "owed" in {d.contact.action_id for d in claimed}


async def test_the_highest_expected_value_goes_first(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"a{n}", value=float(n % 7)) for n in range(20)))
    claimed = await place.dispatcher(Recorder()).claim(5) or []
    assert [d.contact.value for d in claimed] == [6.0, 6.0, 5.0, 5.0, 5.0]
