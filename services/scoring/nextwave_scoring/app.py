"""Scoring's composition root: the one place where settings become a running service."""

from __future__ import annotations

from nextwave_contracts.topics import CUSTOMERS
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import DatabaseClock
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor, Watermarks
from nextwave_runtime.service import Service

from nextwave_scoring.api import Answers
from nextwave_scoring.application import Scoring
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.settings import ScoringSettings
from nextwave_scoring.value import Economics


def build(settings: ScoringSettings) -> Service:
    """The service; nothing connects before it runs."""
    database = Database(settings.postgres.get_secret_value())
    clock = DatabaseClock(settings.clock, database.wall_seconds)
    current_min, potential_min = settings.value_thresholds
    economics = Economics(currency=settings.currency, current_min=current_min, potential_min=potential_min)
    judge = Judge(DEFAULT, economics)
    processor = Processor(
        Scoring(Fold(judge)), database=database, settings=settings, clock=clock, watermarks=Watermarks(sends_to=CUSTOMERS)
    )
    answers = Answers(database, Keyring(settings.keys_file), judge, clock)
    return Service(
        name="scoring",
        app=answers.app(),
        processors=(processor,),
        starting=(clock.set,),
        background=(clock.follow,),
        closing=(database.close,),
    )
