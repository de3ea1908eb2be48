"""What the services say of themselves over their public APIs: the live view's numbers, and one side of the reconciliation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from nextwave_channels import confirming

from nextwave_local.demo.evidence import Evidence
from nextwave_local.demo.standing import Standing

TIMEOUT_SECONDS = 10.0
UNSETTLED = frozenset({"due", "claimed", "sending"})
"""States of a delivery that a dispatcher still has to bring to an end."""
_LAG = re.compile(rb"^nextwave_processor_lag_messages\{[^}]*\} (\S+)$", re.MULTILINE)
LAGGING = ("scoring", "orchestrator", "channels")


class Panel:
    """Asks scoring, orchestrator, channels and simulator."""

    def __init__(self, endpoints: Mapping[str, Any]) -> None:
        self._urls = {name: str(endpoints[name]) for name in (*LAGGING, "simulator")}
        token = {"authorization": f"Bearer {endpoints['api_token']}"}
        self._client = httpx.AsyncClient(headers=token, timeout=TIMEOUT_SECONDS)

    async def read(self, *, with_lag: bool = False) -> Standing:
        """The numbers as they are now; `with_lag` also asks how many messages wait before each processor."""
        scoring, orchestrator, channels, people = await asyncio.gather(
            *(self._ask(f"{self._urls[name]}/v1/statistics") for name in LAGGING), self._ask(f"{self._urls['simulator']}/statistics")
        )
        by_channel: dict[str, int] = {}
        decided = [group for group in channels["deliveries"] if group["campaign"]]
        for group in decided:
            by_channel[group["channel"]] = by_channel.get(group["channel"], 0) + group["count"]
        return Standing(
            taken_in=scoring["touchpoints_taken_in"],
            duplicates_dropped=scoring["duplicates_dropped"],
            customers=scoring["customers"],
            bands=scoring["bands"],
            stages=scoring["stages"],
            sources=scoring["touchpoints"],
            candidates=orchestrator["candidates"],
            results=orchestrator["results"],
            deliveries=by_channel,
            unsettled=sum(group["count"] for group in decided if group["state"] in UNSETTLED),
            outcomes=channels["outcomes"],
            people_accepted=people["touchpoints"],
            people_failed=sum(counts.get(what, 0) for counts in people["errands"].values() for what in ("refused", "failed", "dropped")),
            people_waiting=people["waiting"],
            lag=await self._lag() if with_lag else {},
        )

    async def behave(self, behaviour: object) -> None:
        """Tells the simulated people how to behave."""
        answer = await self._client.put(f"{self._urls['simulator']}/behaviour", content=msgspec.json.encode(behaviour))
        answer.raise_for_status()

    async def read_ledger(self, evidence: Evidence) -> None:
        """Adds the providers' own record of what they were asked to do."""
        async with self._client.stream("GET", f"{self._urls['simulator']}/ledger") as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                entry = msgspec.json.decode(line)
                if not entry["action_id"].startswith(confirming.MARK):  # nobody decided it
                    evidence.dispatch(entry["action_id"], accepted=entry["accepted"])

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _lag(self) -> dict[str, int]:
        pages = await asyncio.gather(*(self._client.get(f"{self._urls[name]}/metrics") for name in LAGGING))
        return {name: sum(int(float(value)) for value in _LAG.findall(page.content)) for name, page in zip(LAGGING, pages, strict=True)}

    async def _ask(self, url: str) -> Any:
        answer = await self._client.get(url)
        answer.raise_for_status()
        return answer.json()
