"""The one place where a message meets the ledger, the fault menu and the people behind the address."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from nextwave_contracts.clock import ClockSetting

from nextwave_local.simulator import faults, people
from nextwave_local.simulator.errands import Errands
from nextwave_local.simulator.faults import Attempt, Fault, Menu
from nextwave_local.simulator.ledger import Entry, Ledger
from nextwave_local.simulator.people import Act, Behaviour, Received
from nextwave_local.simulator.posts import Doors, Message, errand_of

WRONG_TOKEN = "0" * 32
WRONG_MAIL_SECRET = "whsec_" + "AAAA" * 11


@dataclass(frozen=True)
class Verdict:
    """What the caller shall see: the fault, if any; `accepted` says whether the provider took the message all the same."""

    fault: Fault | None
    accepted: bool
    sid: str


class World:
    """State of the simulated outside. `menu` and `behaviour` are replaced as a whole."""

    def __init__(self, doors: Doors, ledger: Ledger, errands: Errands, clock: ClockSetting) -> None:
        self.doors = doors
        self.ledger = ledger
        self.errands = errands
        self.menu = Menu()
        self.behaviour = Behaviour()
        self._clock = clock

    def receive(self, message: Message, raw: bytes) -> Verdict:
        """Judges one request to a provider, writes it into the ledger, and lets what follows from it happen."""
        wall = time.time()
        number = self.ledger.attempts(message.action_id)
        attempt = Attempt(provider_of(message), message.kind, message.to, message.action_id, number)
        fault = faults.of_answer(self.menu, attempt)
        accepted = fault is None or fault.kind in faults.TAKEN
        digest = hashlib.sha256(raw).hexdigest()
        sid = message.sid or f"{digest[:16]}{number}"
        at = self._clock.at(wall)
        self.ledger.add(
            Entry(
                action_id=message.action_id,
                provider=attempt.provider,
                kind=message.kind,
                accepted=accepted,
                at=datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds"),
                business_at=at.isoformat(timespec="milliseconds"),
                to=message.to,
                answer=fault.kind if fault else "accepted",
                bytes_hash=digest,
            )
        )
        if accepted:
            self._go_on(replace(message, sid=sid), attempt, at)
        return Verdict(fault, accepted, sid)

    def _go_on(self, message: Message, attempt: Attempt, at: datetime) -> None:
        wrong = faults.afterwards(self.menu, attempt)
        acts = people.reactions(self.behaviour, Received(message.kind, message.to, message.action_id, at))
        statuses = [act for act in acts if act.deed in ("status", "bounce", "spam")]
        others = [act for act in acts if act.deed not in ("status", "bounce", "spam")]
        user_id = self.behaviour.user_ids.get(message.to, "")
        for act in (*others, *_at_bad_moments(message, wrong, at)):
            self._plan(act, message, user_id)
        changed = _renamed(message) if "callback_unknown_id" in wrong else message
        for act in spoiled(statuses, wrong, message.kind):
            self._plan(act, changed, user_id)

    def _plan(self, act: Act, message: Message, user_id: str) -> None:
        errand = errand_of(act, message, self.doors, user_id)
        if errand is not None:
            self.errands.add(errand, act.at)


def provider_of(message: Message) -> str:
    """Which provider carries a kind of message."""
    return "smtp" if message.kind == "email" else "twilio"


def spoiled(statuses: list[Act], wrong: dict[str, Fault], kind: str) -> list[Act]:
    """The callbacks of one message after the menu's faults: lost, doubled, in the wrong order, late, unsigned, wrongly signed."""
    if "callback_lost" in wrong:
        return []
    acts = list(statuses)
    if "callback_reordered" in wrong:
        acts = [replace(act, at=at) for act, at in zip(acts, reversed([act.at for act in acts]), strict=True)]
    if late := wrong.get("callback_late"):
        acts = [replace(act, at=act.at + timedelta(hours=late.hours)) for act in acts]
    if "callback_unsigned" in wrong:
        acts = [replace(act, detail={**act.detail, "sign_with": ""}) for act in acts]
    if "callback_wrong_key" in wrong:
        secret = WRONG_MAIL_SECRET if kind == "email" else WRONG_TOKEN
        acts = [replace(act, detail={**act.detail, "sign_with": secret}) for act in acts]
    if doubled := wrong.get("callback_duplicated"):
        acts = [act for act in acts for _ in range(doubled.times)]
    return acts


def _at_bad_moments(message: Message, wrong: dict[str, Fault], at: datetime) -> list[Act]:
    acts = []
    if "stop_after_accept" in wrong and message.kind == "sms":
        acts.append(Act("stop", at, {"body": "STOP"}))
    if "bounce_after_delivered" in wrong and message.kind == "email":
        acts.append(Act("bounce", at + timedelta(minutes=10), {}))
    return acts


def _renamed(message: Message) -> Message:
    unknown = f"unknown-{message.action_id}"
    return replace(message, action_id=unknown, callback_url=message.callback_url.replace(message.action_id, unknown))
