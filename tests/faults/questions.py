"""What is asked of the running system at the end: the providers' ledger, decisions again, histories."""

from __future__ import annotations

import itertools
import json
from datetime import datetime

from faults.observer.evidence import Call, Evidence
from faults.stand import Stand

REPLAYS_MAX = 60
TIMELINES_MAX = 40


async def ledger(stand: Stand) -> list[Call]:
    answer = await stand.client.get(stand.endpoints["simulator"] + "/ledger")
    rows = [json.loads(line) for line in answer.text.splitlines() if line]
    return [
        Call(
            r["action_id"],
            r["kind"],
            r["to"],
            r["accepted"],
            datetime.fromisoformat(r["at"]).timestamp(),
            datetime.fromisoformat(r["business_at"]),
        )
        for r in rows
    ]


async def replays(stand: Stand, evidence: Evidence) -> dict[str, str]:
    """What decisions say when they are taken again, evenly over the run."""
    made = evidence.book.decisions["decision"]
    found = {}
    for decision in itertools.islice(made, 0, None, max(1, len(made) // REPLAYS_MAX)):
        name = decision["decision_id"]
        again = await stand.api("orchestrator", "POST", f"/v1/decisions/{name}:replay")
        found[name] = "" if again is not None and again.get("same") is True else f"the replay says {json.dumps(again)[:300]}"
    return found


async def timelines(stand: Stand, evidence: Evidence) -> dict[str, list[str]]:
    """The histories of some customers, page by page."""
    book = evidence.book
    customers = sorted({book.root(update.customer) for update in book.updates if update.cause in evidence.posted})
    found = {}
    for customer in itertools.islice(customers, 0, None, max(1, len(customers) // TIMELINES_MAX)):
        found[customer] = await _timeline(stand, customer)
    return found


async def _timeline(stand: Stand, customer: str) -> list[str]:
    told: list[str] = []
    after = ""
    for _ in range(100):
        page = await stand.api("scoring", "GET", f"/v1/customers/{customer}/timeline?limit=100{after}")
        told += [entry["id"] for entry in (page or {}).get("items", [])]
        if not page or not page.get("next"):
            break
        after = f"&cursor={page['next']}"
    return told
