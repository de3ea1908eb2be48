"""A visit from the campaign's decision to the account manager's word, and back into what the campaign knows."""

from __future__ import annotations

from typing import Any

from ring.ring import Ring, campaign, until


async def test_a_visit_waits_for_its_team_and_what_came_of_it_answers_the_campaign(ring: Ring) -> None:
    visit = {"channel": "visit", "team": "north", "script": "Bring the new catalogue."}
    waves = [
        {"key": "go", "window": "2d", "mixes": [{"segment": "*", "channels": [visit]}], "response": {"outcome": "answered"}},
        {"key": "write", "enter": {"after": "go", "on": {"missed": {"channel": "email", "template": "sorry"}}}, "window": "1h"},
    ]
    await ring.publish(campaign("call-on", "call-on.asked", purpose="transactional", waves=waves))
    await ring.sign_up("visited", number=77)
    await ring.track("visited", "call-on.asked")

    async def tasks(query: str) -> list[dict[str, Any]]:
        return list((await ring.api("channels", "GET", f"/v1/tasks?{query}"))["tasks"])

    (task,) = await until(lambda: tasks("team=north"), "the task")
    assert (task["campaign"], task["text"]) == ("call-on", None)
    assert await tasks("team=south") == []
    action = task["action_id"]
    held = await ring.api("channels", "POST", f"/v1/tasks/{action}:claim")
    assert (held["stand"], held["text"]) == ("held", "Bring the new catalogue.")
    said = {"result": "reached", "note": "Ann is moving to Leeds"}
    assert (await ring.api("channels", "POST", f"/v1/tasks/{action}:complete", said))["stand"] == "done"

    def answered() -> list[dict[str, Any]]:
        return [o for o in ring.topic("outcomes") if o["action_id"] == action and o["kind"] == "answered"]

    (outcome,) = await until(answered, "the outcome")
    assert (outcome["taken"], outcome["cost"]) == (True, 4000)
    assert not any(b"Leeds" in record.value for topic in ("outcomes", "actions", "customers") for record in ring.records(topic))
