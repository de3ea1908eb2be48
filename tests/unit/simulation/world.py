"""One simulated world: people, doors, the three services in memory, owners who change their minds, and a provider; lived to the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from nextwave_channels.delivery import Delivery
from nextwave_contracts.actions import Contact
from nextwave_contracts.topics import HOLDS, TOUCHPOINTS, partition_of
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_orchestrator.decisions import Judged
from nextwave_runtime.application import Timer
from nextwave_scoring.customer import Customer
from unit.simulation import people
from unit.simulation.dispatch import Carrier
from unit.simulation.history import Key, Step
from unit.simulation.house import VERBS, House
from unit.simulation.people import DAYS, Person
from unit.simulation.ring import PARTITIONS, Record, Ring
from unit.simulation.stages import Channels, Orchestrator, Scoring
from unit.simulation.timetable import Weather

AWAITED = ("scoring.touchpoints", "scoring.outcomes")
BEGINNINGS = (
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 24, 5, tzinfo=UTC),
    datetime(2026, 10, 20, tzinfo=UTC),
    datetime(2026, 12, 20, tzinfo=UTC),
)
AFTER = timedelta(days=25)
"""After the last visit: every window is over, everything late has come."""
UNDER_WAY = timedelta(days=3)
"""Then nothing new begins any more, and so long what is under way may take."""


@dataclass(frozen=True, slots=True)
class Lived:
    """What came of it. `steps` is for the checker; the rest for tests that ask the real code again."""

    steps: tuple[Step, ...]
    judged: tuple[Judged, ...]
    profiles: Mapping[str, Customer]
    open_runs: tuple[str, ...]
    deliveries: Mapping[str, Delivery]
    ring: Ring


class World:
    """What everything of one simulation hangs on. History, weather and provider each have their own chance."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._history = Random(f"history {key.seed}")
        self._reactions = Random(f"reactions {key.seed} {key.weather}")
        self.start = self._history.choice(BEGINNINGS)
        self.ring = Ring(weather_of(key, self.start), key.broken)
        self._house = House(Random(f"house {key.seed}"), key.broken)
        self.scoring, self.channels = Scoring(), Channels()
        self.orchestrator = Orchestrator(self._house.catalogue, key.broken)
        carrier = Carrier(self.ring, self.channels, Random(f"provider {key.seed} {key.weather}"), self._react)
        self.channels.arrive = carrier.plan
        self._people: dict[str, Person] = {}

    def live(self) -> Lived:
        """From the first touchpoint to the last timer."""
        self.ring.now = self.start - timedelta(days=1)
        self.ring.add(self.scoring)
        self.ring.add(self.orchestrator, AWAITED)
        self.ring.add(self.channels)
        self._rules_are()
        self._plan_people()
        self._plan_changes()
        end = self.start + timedelta(days=DAYS) + AFTER
        self.ring.run(end)
        self.ring.quiet = True
        self.ring.run(end + UNDER_WAY)
        return Lived(
            tuple(self.ring.steps),
            tuple(self.orchestrator.judged),
            self.scoring.profiles(),
            tuple(self.orchestrator.open_runs()),
            self.channels.deliveries,
            self.ring,
        )

    def _plan_people(self) -> None:
        chance = self._history
        for person in people.people(chance, self._key.people, self.start):
            for name in person.known:
                self._people[name.partition(":")[2]] = person
            for when, touchpoint in people.life(chance, person):
                self.ring.at(when, lambda touchpoint=touchpoint: self._door(touchpoint))  # type: ignore[misc]

    def _door(self, touchpoint: Touchpoint) -> None:
        """Accepts it; sometimes its client did not hear of that and sends it again, soon or days later."""
        self._accept(touchpoint)
        chance = self.ring.weather.chance
        if chance.random() < 0.15:
            late = self.ring.now + timedelta(seconds=chance.choice([1, 600, 100_000]) * chance.random())
            self.ring.at(late, lambda: self._accept(people.again(touchpoint, late)))

    def _accept(self, touchpoint: Touchpoint) -> None:
        holds = people.holds_of(touchpoint)
        self.ring.steps.append(Step(self.ring.now, "door", touchpoint, holds, self.ring.now))
        partition = partition_of(TOUCHPOINTS.key(touchpoint).encode(), PARTITIONS)
        self.ring.append(TOUCHPOINTS, Record(touchpoint, partition=partition))
        for hold in holds:
            if self.ring.broken != "holds":
                self.ring.append(HOLDS, Record(hold, partition=partition_of(HOLDS.key(hold).encode(), PARTITIONS)))

    def _react(self, contact: Contact) -> None:
        person = self._people[contact.address]
        if self.ring.quiet:
            return
        self._door(people.react(self._reactions, person, self.ring.now, contact.action_id))

    def _plan_changes(self) -> None:
        chance = self._history
        for verb in VERBS:
            if chance.random() < 0.6:
                self.ring.at(self.start + timedelta(days=chance.uniform(0, DAYS)), lambda verb=verb: self._change(verb))  # type: ignore[misc]

    def _change(self, verb: str) -> None:
        campaign = self._house.change(verb)
        self._announce(campaign)
        if campaign and self._house.state_of(campaign) == "paused":
            self.ring.at(self.ring.now + timedelta(hours=self._history.uniform(0.5, 30)), lambda: self._resume(campaign))

    def _resume(self, campaign: str) -> None:
        self._announce(campaign if self._house.turn(campaign, "published") else "")

    def _rules_are(self) -> None:
        self.orchestrator.rules = self._house.catalogue
        self.ring.steps.append(Step(self.ring.now, "owner", self._house.rules))

    def _announce(self, campaign: str) -> None:
        """The rules as they are now; if a campaign stopped or goes on, every partition tells the channels."""
        self._rules_are()
        if campaign:
            kind = "campaign_resumed" if self._house.state_of(campaign) == "published" else "campaign_stopped"
            for partition in range(PARTITIONS):
                self.ring.set_timer(self.orchestrator, Timer(partition, self.ring.now, campaign, kind))


def weather_of(key: Key, start: datetime) -> Weather:
    """Delays from under a second to hours, one to many messages a batch, and workers that stand still over the ends of windows."""
    chance = Random(f"weather {key.seed} {key.weather}")
    weather = Weather(
        chance=chance,
        delay_seconds=chance.choice([0.5, 5.0, 120.0, 1_800.0]),
        batch_max=chance.choice([1, 4, 30]),
        trouble=chance.choice([0.0, 0.03, 0.1]),
    )
    for _ in range(chance.randint(0, 8)):
        place = (chance.choice(["scoring", "scoring", "scoring", "orchestrator", "channels"]), "", chance.randrange(PARTITIONS))
        topic = {"scoring": chance.choice(["touchpoints", "touchpoints", "outcomes"]), "orchestrator": "customers", "channels": "actions"}[
            place[0]
        ]
        begins = start + timedelta(days=chance.uniform(0, DAYS))
        stall = (begins, begins + timedelta(hours=chance.choice([1, 12, 40])))
        weather.stalls.setdefault((place[0], topic, place[2]), []).append(stall)
    return weather
