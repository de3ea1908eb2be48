"""The analyst's API on the real PostgreSQL: explanations that add up, what-ifs that store nothing, tables whose sums are the customers'."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_runtime.application import Timer
from nextwave_scoring import threshold_store
from nextwave_scoring.application import Scoring
from nextwave_scoring.cohorts import month
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import TAKING, Fold, taking_after
from nextwave_scoring.identity import derive
from nextwave_scoring.instants import instant, micros
from nextwave_scoring.value.thresholds import CUSTOMERS_MIN, ThresholdRule

from .desk import FOLD, START, Desk, bearer, seen

ANN = "customer_id:ann"


async def asked(client: httpx.AsyncClient, **question: Any) -> Any:
    answer = await client.post("/v1/score:explain", json=question, headers=bearer("viewer"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_explanation_adds_up(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(
        seen(1, ANN, kind="order.placed", amount=9_000, currency="EUR", category="shoes"),
        seen(2, ANN, kind="complaint.opened", reference="t1", reason="has another offer"),
    )
    answer = await client.get(f"/v1/customers/{derive(ANN)}/explanation", headers=bearer("viewer"))
    told = answer.json()
    assert sum(reason["contribution"] for reason in told["churn"]["reasons"]) == pytest.approx(told["churn"]["risk"], abs=1e-9)
    assert told["risk_without"]["open_complaints"] < told["churn"]["risk"]
    value = told["value"]
    assert value["current"] == value.get("margin", 0) - value.get("service_cost", 0) - value.get("contact_cost", 0)
    assert told["net"] == told["economics"]["margin"]
    assert told["facts"]["orders_in_house_currency"]["revenue"] == 9_000
    assert {e["kind"] for e in told["cause"]["evidence"]} >= {"dissatisfied/complaint"}


async def test_supposing_something_changes_the_answer_and_nothing_else(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(seen(1, ANN, kind="order.placed", amount=9_000, currency="EUR"))
    before = await desk.rows("select state from customers")
    told = await asked(client, customer_id=derive(ANN), events=[{"type": "complaint.opened", "data": {"reference": "t1"}}])
    assert told["risk_change"] > 0
    assert told["after"]["churn"]["risk"] == pytest.approx(told["before"]["churn"]["risk"] + told["risk_change"])
    assert {"field": "hold", "before": "", "after": "complaint"} in told["changes"]
    assert await desk.rows("select state from customers") == before
    assert await desk.rows("select count(*) from timeline") == [(1,)]


async def test_silence_can_be_supposed_and_somebody_new(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(seen(1, ANN, kind="order.placed", amount=9_000, currency="EUR"))
    now, later = await asked(client, identifier=ANN), await asked(client, identifier=ANN, at=(START + timedelta(days=90)).isoformat())
    assert later["before"]["churn"]["risk"] > now["before"]["churn"]["risk"]
    fresh = await asked(client, events=[{"type": "page.viewed"}])
    assert fresh["customer_id"] == ""
    assert (fresh.get("before"), fresh.get("risk_change")) == (None, None)
    assert fresh["after"]["churn"]["band"] == "low"


async def test_the_thresholds_that_a_batch_reads_are_the_newest_oldest_first(desk: Desk) -> None:
    await desk.rows(
        "with made as (insert into value_thresholds (since, current_min, potential_min, customers)"
        " select n, n, n, 100 from generate_series(1, 150) n returning 1) select count(*) from made"
    )
    async with desk.database.transaction() as connection:
        read = await threshold_store.load_thresholds(connection)
    assert [thresholds.since for thresholds in read] == list(range(51, 151))


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"at": "2020-01-01T00:00:00Z"}, "/body/at"),
        ({"at": "2030-01-01T00:00:00"}, "/body/at"),
        ({"customer_id": "x", "identifier": ANN}, "/body/identifier"),
        ({"identifier": "ann"}, "/body/identifier"),
        ({"events": [{"type": "Nonsense"}]}, "/body/events/0/type"),
        ({"events": [{"type": "page.viewed", "occurred_at": "2031-01-01T00:00:00Z"}]}, "/body/events/0/occurred_at"),
        ({"events": [{"type": "page.viewed", "occurred_at": "0001-01-01T00:00:00+14:00"}]}, "/body/events/0/occurred_at"),
        (
            {"events": [{"type": "page.viewed", "occurred_at": t} for t in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00")]},
            "/body/events/1/occurred_at",
        ),
        ({"at": "9999-12-31T23:59:59-12:00"}, "/body/at"),
        ({"identifier": "", "events": []}, "/body/events"),
        ({"event": []}, "/body/event"),
    ],
)
async def test_a_wrong_question_is_refused_with_the_field(client: httpx.AsyncClient, question: dict[str, Any], pointer: str) -> None:
    answer = await client.post("/v1/score:explain", json=question, headers=bearer("viewer"))
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_data_of_the_wrong_types_is_no_fault_of_ours(client: httpx.AsyncClient) -> None:
    for data in ({"channel": ["x"], "double_opt_in": True}, {"amount": 10**400, "currency": "EUR"}, {"reference": {"a": [1]}}):
        events = [{"type": kind, "data": data} for kind in ("consent.granted", "order.placed", "complaint.opened")]
        answer = await client.post("/v1/score:explain", json={"events": events}, headers=bearer("viewer"))
        assert answer.status_code in {200, 422}, answer.text


async def test_tables_add_up_to_all_customers(desk: Desk, client: httpx.AsyncClient) -> None:
    for number in range(12):
        await desk.work(seen(number, f"customer_id:{number}", kind="order.placed", amount=1_000 * number, currency="EUR"))
    for by in ("cohort", "band", "stage", "cell", "pattern", "cause"):
        told = (await client.get(f"/v1/tables/{by}", headers=bearer("viewer"))).json()
        assert sum(line["customers"] for line in told["lines"]) == told["all"]["customers"] == 12
        assert sum(line["revenue"] for line in told["lines"]) == told["all"]["revenue"] == 66_000
        assert sum(line["net"] for line in told["lines"]) == told["all"]["net"]
    assert [line["key"] for line in (await client.get("/v1/tables/cohort", headers=bearer("viewer"))).json()["lines"]] == ["2026-03"]
    other = (await client.get("/v1/tables/band?cohort=2025-01", headers=bearer("viewer"))).json()
    assert other["all"]["customers"] == 0
    assert (await client.get("/v1/tables/shoe", headers=bearer("viewer"))).status_code == 422


async def test_who_was_lost_stands_under_the_month_with_the_cause(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.work(seen(1, ANN), seen(2, ANN, kind="complaint.opened", reference="t1"))
    for _ in range(20):
        await desk.work(timers=await desk.due())
    [period] = (await client.get("/v1/losses", headers=bearer("viewer"))).json()["periods"]
    assert (period["loss"]["judged"], period["loss"]["causes"]) == ("severe", {"dissatisfied": 1})


async def test_losses_of_history_count_in_the_month_in_which_silence_made_them(desk: Desk, client: httpx.AsyncClient) -> None:
    imported = [
        msgspec.structs.replace(seen(n, ANN, kind="order.placed", amount=9_000, currency="EUR"), occurred_at=START - timedelta(days=days))
        for n, days in enumerate((900, 850, 800), start=1)
    ]
    await desk.work(*imported)
    [(band, since)] = await desk.rows("select band, band_since from customers")
    assert band == "lost"
    assert micros(START - timedelta(days=800)) < since < micros(START - timedelta(days=60))
    [period] = (await client.get("/v1/losses", headers=bearer("viewer"))).json()["periods"]
    assert period["month"] == month(instant(since))


async def test_models_tell_what_is_in_force(client: httpx.AsyncClient) -> None:
    told = (await client.get("/v1/models", headers=bearer("viewer"))).json()
    [live] = told["models"]
    assert (live["role"], live["parameters"]["horizon_days"]) == ("live", live["horizon_days"])
    assert told["refused"] == []
    assert set(told["cells"]) == {"I", "II", "III", "IV"}


async def test_thresholds_are_taken_from_all_partitions_and_count_a_day_later(desk: Desk) -> None:
    house = replace(FOLD.judge.house, rule=ThresholdRule("quantile", 0.5, 0.5))
    desk.scoring = Scoring(Fold(Judge(FOLD.judge.models, house)))
    for number in range(CUSTOMERS_MIN + 20):
        order = seen(number, f"customer_id:{number}", kind="order.placed", amount=1_000 * number, currency="EUR")
        await desk.work(order, partition=number % 4)
    await desk.work(seen(1, "customer_id:1"), seen(2, "customer_id:1", "customer_id:2", kind="identities.linked"), partition=1)
    planned = taking_after(START)
    assert [(t.kind, t.due_at) for t in await desk.due() if t.kind == TAKING] == [(TAKING, planned.due_at)]
    await desk.work(timers=[planned])
    [(since, current, customers)] = await desk.rows("select since, current_min, customers from value_thresholds")
    assert customers == CUSTOMERS_MIN + 19
    state = await desk.rows("select count(*) from customers where merged_into is null")
    assert state == [(customers,)]
    assert current > 0
    again = Timer(0, planned.due_at + timedelta(days=1), "", TAKING, gate="clock")
    await desk.work(timers=[again])
    assert await desk.rows("select since from value_thresholds") == [(since,)]
    minutes = int((again.due_at - START).total_seconds() // 60) + 1_500
    await desk.work(*(seen(minutes + number, f"customer_id:{number}") for number in range(CUSTOMERS_MIN + 20)))
    [(high,)] = await desk.rows("select count(*) from customers where merged_into is null and cell in ('III', 'IV')")
    assert customers * 0.4 < high < customers * 0.7  # who was high stays so within the slack
