"""What every route does with its parameters and entity tags, and the routes that read rules in other forms."""

from __future__ import annotations

from typing import Any

import pytest
from unit.orchestrator.api.caller import Caller


@pytest.mark.parametrize(
    ("path", "name", "fix"),
    [
        ("/v1/segments?limitt=3", "limitt", "did you mean limit?"),
        ("/v1/segments?after=x", "after", "use cursor, limit"),
        ("/v1/policy?x=1", "x", "this route takes none"),
        ("/v1/campaigns/none/versions/1:diff?againstt=1", "againstt", "did you mean against?"),
    ],
)
async def test_an_unknown_query_parameter_is_refused(call: Caller, path: str, name: str, fix: str) -> None:
    refused = await call("viewer", "GET", path)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["pointer"], fix in error["detail"]) == (f"/query/{name}", True)


async def test_what_was_read_already_is_not_sent_again(call: Caller) -> None:
    tag = (await call("editor", "PUT", "/v1/templates/t", {"text": "Hello"})).headers["etag"]
    again = await call("viewer", "GET", "/v1/templates/t", if_none_match=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await call("editor", "PUT", "/v1/templates/t", {"text": "Good day"})
    assert (await call("viewer", "GET", "/v1/templates/t", if_none_match=tag)).status_code == 200


async def test_the_policy_has_a_tag_once_it_is_written_and_is_not_sent_again_either(call: Caller) -> None:
    assert "etag" not in (await call("viewer", "GET", "/v1/policy")).headers
    tag = (await call("approver", "PUT", "/v1/policy", {"global_holdout": 0.1})).headers["etag"]
    assert (await call("viewer", "GET", "/v1/policy")).headers["etag"] == tag
    assert (await call("viewer", "GET", "/v1/policy", if_none_match=tag)).status_code == 304
    await call("approver", "PUT", "/v1/policy", {"global_holdout": 0.2})
    assert (await call("viewer", "GET", "/v1/policy", if_none_match=tag)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"jsonlogic": {"==": [{"var": "risk"}, "high"]}, "fields": {"risk": "churn.band"}},
        {"text": "risk band is high"},
        {"rule": {"field": "churn.band", "op": "eq", "value": "high"}},
    ],
)
async def test_a_rule_is_read_in_three_forms_and_said_in_words(call: Caller, body: dict[str, Any]) -> None:
    told = (await call("viewer", "POST", "/v1/rules:import", body)).json()
    assert told == {"rule": {"field": "churn.band", "op": "eq", "value": "high"}, "text": "risk band is high"}
    segment = {"name": "High", "owner": "x", "rule": told["rule"]}
    assert (await call("editor", "PUT", "/v1/segments/high", segment)).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"text": "stage is decline", "rule": {}}, ""),
        ({"text": "stage is decline", "fields": {"a": "stage"}}, ""),
        ({"text": "stage is declne"}, "/text"),
        ({"rule": {"field": "stage", "op": "is"}}, "/rule/op"),
        ({"jsonlogic": {"or": [{"cat": ["a", "b"]}]}}, "/jsonlogic/or/0/cat"),
    ],
)
async def test_what_is_no_rule_is_refused_at_its_place(call: Caller, body: dict[str, Any], pointer: str) -> None:
    refused = await call("viewer", "POST", "/v1/rules:import", body)
    assert (refused.status_code, [e["pointer"] for e in refused.json()["errors"]]) == (422, [pointer])


async def test_what_the_law_says_of_hours_and_tries_can_be_looked_up(call: Caller) -> None:
    told = (await call("viewer", "GET", "/v1/contact-rules")).json()
    (france,) = [one for one in told["limits"] if one["region"] == "FR"]
    assert (france["most"], france["hours"], france["days_after_refusal"], france["basis"]) == (4, 720, 60, "source")
    assert {"region": "FR", "weekdays": "10:00-13:00 14:00-20:00", "saturday": "", "sunday": "", "channels": ["call"]}.items() <= next(
        one for one in told["hours"] if one["region"] == "FR"
    ).items()
