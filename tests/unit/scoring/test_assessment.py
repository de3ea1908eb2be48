"""One profile, one instant: stage, value, cause, relationship and economics of a customer fit together."""

from __future__ import annotations

from dataclasses import fields, replace

from nextwave_scoring.assessment import House, assess
from nextwave_scoring.economics import UnitEconomics
from nextwave_scoring.profile.record import Contract, Profile
from nextwave_scoring.value.assumptions import Economics

from .facts import Facts, buyer, fresh, on


def profile_of(facts: Facts) -> Profile:
    return Profile(**{f.name: getattr(facts, f.name) for f in fields(facts)})


def test_a_leaving_customer_is_told_in_every_respect() -> None:
    facts = buyer(range(-300, 1, 30), amount=10_000, margin=2_000)
    facts = replace(
        facts, counts=fresh(rated=1, rating=2, sent_email=4, reached_email=1), hints={"poached/price": [1, on(0)]}, contact_costs=400,
        acquisition_cost=5_000, categories={"books": [11, on(0)]}, contracts={"a": Contract(started_at=on(-300), cancelled_at=on(0))},
    )  # fmt: skip
    house = House(Economics(range=("books", "music"), loading_share=0.5))
    told = assess(profile_of(facts), "high", 0.7, on(1), house)
    assert (told.course.stage, told.course.reached, told.course.signs) == ("decline", "stability", ("leaving", "ending"))
    assert (told.cause.cause, told.relationship.weakest) == ("poached", "satisfaction")
    assert told.economics == UnitEconomics(1, 110_000, 22_000, 5_000, 400, 200)
    assert told.worth.unbought == ("music",)


def test_the_stage_of_the_course_is_the_one_that_cross_buying_is_judged_by() -> None:
    facts, house = buyer(range(-300, 1, 30), margin=2_000), House(Economics(range=("a", "b")))
    calm, leaving = (assess(profile_of(facts), band, 0.0, on(1), house).worth for band in ("low", "high"))
    assert calm.cross_buying > leaving.cross_buying > 0


def test_of_a_stranger_all_is_known_that_can_be() -> None:
    told = assess(Profile(), "low", 0.2, on(0), House())
    assert (told.course.stage, told.course.pattern, told.cause.cause, told.relationship.score) == ("exploration", None, "unknown", None)
    assert told.economics.net == 0
    assert told.worth.current > 0
