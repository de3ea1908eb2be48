"""Scoring's composition root: the one place where settings become a running service."""

from __future__ import annotations

from nextwave_contracts.topics import CUSTOMERS
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import DatabaseClock
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor, Watermarks
from nextwave_runtime.service import Service

from nextwave_scoring.api.application import Answers
from nextwave_scoring.application import Scoring
from nextwave_scoring.assessment import House
from nextwave_scoring.changeover import Changeover
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.population import vertical
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.house import read_house
from nextwave_scoring.rates import Rates, read_rates
from nextwave_scoring.registry.registry import Registry
from nextwave_scoring.settings import ScoringSettings
from nextwave_scoring.value.assumptions import Economics
from nextwave_scoring.value.thresholds import ThresholdRule


def build(settings: ScoringSettings) -> Service:
    """The service; nothing connects before it runs."""
    database = Database(settings.postgres.get_secret_value())
    clock = DatabaseClock(settings.clock, database.wall_seconds)
    registry = Registry(Baseline(vertical(settings.vertical)), settings.models_folder)
    registry.reload()
    judge = Judge(registry, _house(settings))
    rates = read_rates(settings.rates_file.read_text(), settings.currency) if settings.rates_file else Rates(settings.currency)
    fold = Fold(judge, rates)
    processor = Processor(Scoring(fold), database=database, settings=settings, clock=clock, watermarks=Watermarks(sends_to=CUSTOMERS))
    answers = Answers(database, Keyring(settings.keys_file), fold, registry, clock)
    return Service(
        name="scoring",
        app=answers.app(),
        processors=(processor,),
        starting=(clock.set,),
        background=(clock.follow, registry.follow, Changeover(judge, database, clock, settings.kafka).follow),
        closing=(database.close,),
    )


def _house(settings: ScoringSettings) -> House:
    current, potential = settings.value_thresholds
    rule = ThresholdRule(settings.value_thresholds_by, current, potential)
    house = House(economics=Economics(currency=settings.currency), rule=rule)
    return read_house(settings.house_file.read_text(), house) if settings.house_file else house
