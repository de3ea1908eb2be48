"""The one place where a message meets the ledger, the fault menu and the people behind the address."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from nextwave_contracts.clock import ClockSetting

from nextwave_local.simulator import faults, people
from nextwave_local.simulator.errands import Errands
from nextwave_local.simulator.faults import Attempt, Fault, Menu
from nextwave_local.simulator.inbox import Inbox, Taken
from nextwave_local.simulator.ledger import Entry, Ledger
from nextwave_local.simulator.message import Doors, Message
from nextwave_local.simulator.people import Act, Behaviour, Received
from nextwave_local.simulator.posts import errand_of
from nextwave_local.simulator.records import Record, Records

WRONG_TOKEN = "0" * 32
WRONG_SECRET = bytes(33)
TOLD_BY_PROVIDER = ("status", "bounce", "spam")


@dataclass(frozen=True)
class Verdict:
    """What the caller shall see: the fault, if any; `accepted` says whether the provider took the message all the same.

    `message` has the provider's id and price.
    """

    message: Message
    attempt: Attempt
    fault: Fault | None
    accepted: bool


class World:
    """State of the simulated outside. `menu` and `behaviour` are replaced as a whole."""

    def __init__(self, doors: Doors, ledger: Ledger, errands: Errands, clock: ClockSetting) -> None:
        self.doors = doors
        self.ledger = ledger
        self.errands = errands
        self.menu = Menu()
        self.behaviour = Behaviour()
        self.records = Records()
        self.inbox = Inbox()
        self._clock = clock

    def now(self) -> datetime:
        """Business time."""
        return self._clock.at(time.time())

    def receive(self, message: Message, raw: bytes) -> Verdict:
        """Judges one request to a provider and, when it is taken, lets what follows from it happen at once."""
        verdict = self.judge(message, raw)
        if verdict.accepted:
            self.inbox.put(Taken(verdict.message, raw, self.now()))
            self.reach(verdict)
        return verdict

    def judge(self, message: Message, raw: bytes, done: str = "accepted") -> Verdict:
        """Decides by the menu what becomes of one request, and writes it into the ledger; `done` is what it is there if it is done."""
        number = self.ledger.attempts(message.action_id)
        attempt = Attempt(message.provider, message.kind, message.to, message.action_id, number)
        fault = faults.of_answer(self.menu, attempt)
        accepted = fault is None or fault.kind in faults.TAKEN
        dearer = faults.afterwards(self.menu, attempt).get("price_changes")
        price = dearer.price if dearer and message.usual_price else message.usual_price
        named = replace(message, sid=message.sid or f"{_digest(raw)[:16]}{number}", price=price if accepted and done == "accepted" else "")
        taken = accepted and done == "accepted"
        self.note(named, raw, fault.kind if fault and (taken or not accepted) else done, accepted=taken)
        return Verdict(named, attempt, fault, accepted)

    def note(self, message: Message, raw: bytes, answer: str, *, accepted: bool = False) -> None:
        """Writes into the ledger what was asked or done."""
        wall = time.time()
        self.ledger.add(
            Entry(
                action_id=message.action_id,
                provider=message.provider,
                kind=message.kind,
                accepted=accepted,
                at=datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds"),
                business_at=self._clock.at(wall).isoformat(timespec="milliseconds"),
                to=message.to,
                answer=answer,
                bytes_hash=_digest(raw),
                price=message.price,
            )
        )

    def reach(self, verdict: Verdict) -> None:
        """The message reaches the device now: people react, the provider tells."""
        message, at = verdict.message, self.now()
        if message.kind == "webhook":
            return
        wrong = faults.afterwards(self.menu, verdict.attempt)
        acts = people.reactions(self.behaviour, Received(message.kind, message.to, message.action_id, at))
        told = [act for act in acts if act.deed in TOLD_BY_PROVIDER]
        self.records.keep(Record(message, at, tuple((act.at, str(act.detail["status"])) for act in told if act.deed == "status")))
        done = [act for act in acts if act.deed not in TOLD_BY_PROVIDER]
        for act in (*done, *_at_bad_moments(message, wrong, at)):
            self._plan(act, message)
        self.tell(verdict, told)

    def tell(self, verdict: Verdict, told: list[Act]) -> None:
        """The provider's callbacks about a message, after the menu's faults."""
        wrong = faults.afterwards(self.menu, verdict.attempt)
        message = _renamed(verdict.message) if "callback_unknown_id" in wrong else verdict.message
        for act in spoiled(told, wrong, message.provider):
            self._plan(act, message)

    def _plan(self, act: Act, message: Message) -> None:
        errand = errand_of(act, message, self.doors, self.behaviour.user_ids.get(message.to, ""))
        if errand is not None:
            self.errands.add(errand, act.at)


def spoiled(statuses: list[Act], wrong: dict[str, Fault], provider: str) -> list[Act]:
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
    if wrongly := wrong.get("callback_wrong_key"):
        acts = [replace(act, detail={**act.detail, "sign_with": _wrong_key(wrongly.key, provider)}) for act in acts]
    if doubled := wrong.get("callback_duplicated"):
        acts = [act for act in acts for _ in range(doubled.times)]
    return acts


def _wrong_key(key: str, provider: str) -> str:
    if provider == "twilio":
        return key or WRONG_TOKEN
    return key if key.startswith("whsec_") else f"whsec_{base64.b64encode(key.encode() or WRONG_SECRET).decode()}"


def _at_bad_moments(message: Message, wrong: dict[str, Fault], at: datetime) -> list[Act]:
    acts = []
    if "stop_after_accept" in wrong and message.kind == "sms":
        acts.append(Act("stop", at, {"body": "STOP"}))
    if "bounce_after_delivered" in wrong and message.kind == "email":
        acts.append(Act("bounce", at + timedelta(minutes=10), {}))
    return acts


def _renamed(message: Message) -> Message:
    unknown = f"unknown-{message.action_id}"
    sid = message.sid[:2] + _digest(message.sid.encode())[:32]
    return replace(message, action_id=unknown, sid=sid, callback_url=message.callback_url.replace(message.action_id, unknown))


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
