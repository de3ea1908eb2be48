"""Customers who live through campaigns by chance, with everything that was said of them: what books and counts are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from nextwave_channels.delivery import EVIDENCE, Delivery, begin, give_up, learn, queue
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.outcomes import Outcome
from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.reports.books import Books, Sums
from nextwave_orchestrator.reports.numbers import Booked
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave

POLICY = Policy(caps=(), channel_costs={"sms": 3, "email": 1, "call": 5}, loading_share=0.5, global_holdout=0.2, credit_within="5d")
CALL = {"channel": "call", "list": "renewals", "script": "Offer it.", "attempts": 3, "spacing": "2h"}
RULES = catalogue(
    campaign(
        "winter",
        wave("tell", "email", "sms", window="20h"),
        wave("again", "sms", window="10h", enter={"after": "tell", "unless": "responded"}),
        goal={"event": "contract.renewed", "within": "4d", "value": 37},
        entry={"on": {"event": "cart.updated"}, "reentry": {"after": "1d"}},
        holdout=0.3,
        strategy="traditional",
    ),
    campaign("other", wave("tell", "sms", window="30h"), goal={"event": "contract.renewed", "within": "3d", "value": 100}, owner="sales"),
    campaign(
        "quiet",
        {"key": "only", "window": "9h", "mixes": [{"segment": "lively", "channels": [{"channel": "email", "template": "t"}]}]},
        goal={"event": "order.placed", "within": "2d", "value": 11},
        entry={"on": {"event": "cart.updated"}, "key": "basket"},
        purpose="service",
    ),
    campaign(
        "calls",
        wave("ring", window="2d", mixes=[{"segment": "*", "channels": [CALL]}]),
        goal={"event": "order.placed", "within": "2d", "value": 23},
        entry={"on": {"event": "page.viewed"}, "reentry": {"after": "1d"}},
        owner="sales",
        purpose="service",
    ),
    policy=POLICY,
    segments=({"key": "lively", "rule": {"event": "page.viewed", "within": "3d"}},),
)

touches = st.sampled_from(
    [
        ("cart.updated", {"basket": "a"}), ("cart.updated", {"basket": "b"}), ("page.viewed", {"path": "/renew"}),
        ("page.viewed", {"path": "/"}), ("contract.renewed", {}), ("order.placed", {"basket": "a"}),
    ]
)  # fmt: skip
kinds = st.sampled_from([*sorted(EVIDENCE), "withdrawn", "expired"])
happenings = st.one_of(
    st.tuples(st.just("touch"), touches),
    st.tuples(st.just("wait"), st.integers(0, 30)),
    st.tuples(st.just("report"), st.tuples(st.integers(0, 9), kinds)),
    st.tuples(st.just("merge"), st.none()),
)
lives = st.lists(st.lists(happenings, max_size=25), min_size=1, max_size=3)


@dataclass
class Life:
    """One customer, the channels' word of each contact, and all outcomes in the order in which they were told."""

    house: House
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def contacts(self) -> list[Contact]:
        """All contacts decided."""
        return self.house.all(Contact)

    def live(self, happening: tuple[str, Any]) -> None:
        """One thing happens, at an instant of its own."""
        self.house.wait(self.house.now + timedelta(seconds=1))
        match happening:
            case ("touch", (kind, data)):
                self.house.touch(kind, **data)
            case ("wait", hours):
                self.house.wait(self.house.now + timedelta(hours=hours))
            case ("report", (which, kind)) if self.contacts:
                self.report(self.contacts[which % len(self.contacts)], kind)
            case ("merge", _):
                self.house.merge(f"other-{len(self.house.profile.absorbed)}")

    def report(self, contact: Contact, kind: str) -> None:
        """The channel says what became of a contact, if that is news; it takes back no failure."""
        now = self.house.now
        known = self.deliveries.get(contact.action_id) or queue(contact, now)
        if known.state == "failed":
            return
        if kind in EVIDENCE:
            step = learn(begin(known, now, 1).delivery if known.state == "due" else known, kind, now)
        else:
            step = give_up(known, now, kind, "") if known.state == "due" else None  # type: ignore[arg-type]  # the other two
        if step is None or step.outcome is None:
            return
        self.deliveries[contact.action_id] = step.delivery
        self.outcomes.append(step.outcome)
        profile = self.house.profile
        self.house.take(CustomerUpdated(customer_id=profile.customer_id, at=now, outcome=step.outcome, profile=profile))


def lived(written: list[list[tuple[str, Any]]]) -> list[Life]:
    """Customers after these lives; each begins with a cart."""
    found = []
    for n, happened in enumerate(written):
        life = Life(House(RULES, now=MONDAY_NOON, profile=snapshot(customer_id=f"c-{n}-{len(happened)}")))
        for one in [("touch", ("cart.updated", {"basket": "a"})), *happened]:
            life.live(one)
        found.append(life)
    return found


def booked(all_lives: list[Life]) -> Booked:
    """What all of them booked, as it is added up in the table."""
    together = Books()
    for life in all_lives:
        for entry, sums in life.house.unit.books.entries.items():
            together.entries[entry] = together.entries.get(entry, Sums()).plus(sums)
    return sorted(together.entries.items())
