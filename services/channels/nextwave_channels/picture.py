"""The picture of a delivery's states, drawn by trying every transition of `delivery` from every state. PURE.

`python -m nextwave_channels.picture` prints `docs/delivery-states.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise

from nextwave_contracts.actions import Contact, Content

from nextwave_channels import delivery as life
from nextwave_channels.answers import Accepted, Refused, Uncertain
from nextwave_channels.delivery import EVIDENCE, RANK, RETRY_SECONDS, STATES, Delivery, State, Step

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTACT = Contact(
    action_id="a",
    decision_id="d",
    customer_id="c",
    campaign="k",
    version=1,
    wave="w",
    run_id="r",
    segment="*",
    channel="email",
    purpose="marketing",
    address="ann@example.com",
    content=Content(text=""),
    subjects=(),
    permitted=(),
    decided_at=NOW,
    not_after=NOW,
)
LAST_TRY = len(RETRY_SECONDS) + 1
MEANINGS: Mapping[State, str] = {
    "due": "queued; it waits for its time, its turn, or its next try",
    "claimed": "inside the claiming transaction only, never at rest",
    "sending": "committed before the provider is called; a lease runs",
    "unknown": "nobody can say whether the provider took it; never sent again, open until evidence comes",
    "expired": "never sent: its time was over",
    "withdrawn": "never sent: a stop, a response, a hold or an operator was faster",
    "accepted": "the provider took it",
    "failed": "the provider surely did not take it, or gave up",
    "delivered": "it arrived; of a call: somebody or something picked up",
    "bounced": "it came back",
    "busy": "the line was busy",
    "no_answer": "nobody answered",
    "opened": "it was opened",
    "clicked": "a link in it was followed",
    "replied": "the customer replied",
    "answered": "a human answered the call",
    "refused": "the customer said no, or complained",
}

Deed = Callable[[Delivery], Step | None]
TRANSITIONS: Mapping[str, Mapping[str, Deed]] = {
    "begin": {"claim": lambda d: life.begin(d, NOW, 1.0)},
    "postpone": {"hours closed": lambda d: life.postpone(d, NOW, NOW)},
    "give_up": {
        "time over": lambda d: life.give_up(d, NOW, "expired", "expired"),
        "no adapter": lambda d: life.give_up(d, NOW, "failed", "no adapter"),
        "gate forbids": lambda d: life.give_up(d, NOW, "withdrawn", "suppressed"),
    },
    "withdraw": {"withdraw": lambda d: life.withdraw(d, NOW, "responded")},
    "lose": {"lease over": lambda d: life.lose(d, NOW, "the dispatcher was lost")},
    "conclude": {
        "taken": lambda d: life.conclude(d, Accepted(), NOW),
        "surely refused, not now": lambda d: life.conclude(d, Refused(detail="", permanent=False), NOW),
        "surely refused, last try": lambda d: life.conclude(_tried(d), Refused(detail="", permanent=False), NOW),
        "nobody asked after all, last try": lambda d: life.conclude(_tried(d), Refused(detail="", permanent=False, asked=False), NOW),
        "surely refused, withdrawn meanwhile": lambda d: life.conclude(_unwanted(d), Refused(detail="", permanent=False), NOW),
        "surely refused for good": lambda d: life.conclude(d, Refused(detail="", permanent=True), NOW),
        "address is dead": lambda d: life.conclude(d, Refused(detail="", permanent=True, bounced=True), NOW),
        "recipient had opted out": lambda d: life.conclude(d, Refused(detail="", permanent=True, opted_out=True), NOW),
        "no clear answer": lambda d: life.conclude(d, Uncertain(detail=""), NOW),
    },
}
"""By the function of `delivery`: what it is for, and how it is tried. Evidence (`learn`) is drawn on its own."""
AWAITING_ANSWER: frozenset[State] = frozenset({"sending", "unknown"})
"""An answer that comes to any other state is evidence like any other."""


def moves(before: State) -> dict[str, State]:
    """What we do to a delivery in this state, and where that leads; what is not allowed or changes nothing is left out."""
    found = {}
    for function, ways in TRANSITIONS.items():
        for name, deed in ways.items():
            awaited = function != "conclude" or before in AWAITING_ANSWER
            after = _after(before, deed) if awaited else None
            if after is not None and (after != before or name == "hours closed"):
                found[name] = after
    return found


def raises(before: State) -> list[State]:
    """The states to which evidence lifts a delivery from this one, in the order of their ranks."""
    found = [_after(before, lambda d, kind=kind: life.learn(d, kind, NOW)) for kind in EVIDENCE]  # type: ignore[misc]
    return sorted({state for state in found if state is not None and state != before}, key=RANK.__getitem__)


def text() -> str:
    """The whole document."""
    return "\n".join((*_HEAD, "```mermaid", *_diagram(), "```", "", *_table())) + "\n"


_HEAD = (
    "# The states of a delivery",
    "",
    "Drawn from `nextwave_channels/delivery.py` by `make docs`: every transition was tried from every state.",
    "",
    "Solid arrows are what we do. What a provider tells us later is evidence: it may come twice, late and in any order, and it only ever",
    "lifts a delivery to a state of a higher rank, from any state of a lower one (the chain on the right, any number of steps at once).",
    "",
)


def _diagram() -> Iterator[str]:
    told = [state for state in STATES if state in EVIDENCE]
    yield from ("stateDiagram-v2", "  direction LR", "  [*] --> due: taken in")
    yield '  state "told by the provider: only upwards" as evidence {'
    yield from (f"    {lower} --> {higher}" for lower, higher in pairwise(told))
    yield "  }"
    edges: dict[tuple[State, State], list[str]] = {}
    for before in _OURS:
        for name, after in moves(before).items():
            edges.setdefault((before, after), []).append(name)
    for (before, after), names in edges.items():
        yield f"  {before} --> {after}: {'<br/>'.join(names)}"
    yield from (f"  {state} --> evidence: evidence" for state in _OURS)


_OURS: tuple[State, ...] = tuple(state for state in STATES if state not in EVIDENCE and state != "claimed")
"""States that we set; at rest there is no `claimed`."""


def _table() -> Iterator[str]:
    yield "| rank | state | meaning | what we do | what evidence does |"
    yield "| ---: | --- | --- | --- | --- |"
    for state in STATES:
        done = "; ".join(f"{name} → `{after}`" for name, after in moves(state).items()) or "nothing"
        lifted = raises(state)
        lifts = f"lifts it to rank {RANK[lifted[0]]} or higher" if lifted else "nothing: no word is stronger"
        yield f"| {RANK[state]} | `{state}` | {MEANINGS[state]} | {done} | {lifts} |"


def _after(before: State, deed: Deed) -> State | None:
    """Where a deed leads; None where it is not allowed, or there is no delivery any more to do it to."""
    try:
        step = deed(Delivery(contact=CONTACT, state=before, due_at=NOW, attempt=1))
    except AssertionError:
        return None
    return step.delivery.state if step else None


def _tried(delivery: Delivery) -> Delivery:
    return Delivery(contact=CONTACT, state=delivery.state, due_at=NOW, attempt=LAST_TRY)


def _unwanted(delivery: Delivery) -> Delivery:
    return Delivery(contact=CONTACT, state=delivery.state, due_at=NOW, attempt=1, withdrawn_reason="responded")


if __name__ == "__main__":
    sys.stdout.write(text())
