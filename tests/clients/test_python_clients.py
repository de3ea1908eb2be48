"""The real Python clients against the real doors: what they send is what is committed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Timer
from typing import Any

import httpx
import pytest
from clients.serving import Served
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from nextwave_runtime.problem import Problem
from segment.analytics.client import Client
from unit.ingest.fakes import WRITE_KEY


def segment(served: Served, errors: list[Any], *, gzip: bool = False, key: str = WRITE_KEY) -> Client:
    """The client of segment-analytics-python; `errors` collects what it gave up on."""

    def gave_up(error: Exception, _items: Any) -> None:
        errors.append(error)

    return Client(key, host=served.url, gzip=gzip, max_retries=5, on_error=gave_up, upload_interval=0.05)


@pytest.mark.parametrize("gzip", [False, True])
def test_every_call_of_the_segment_client_is_a_touchpoint(served: Served, gzip: bool) -> None:
    errors: list[Any] = []
    client = segment(served, errors, gzip=gzip)
    client.identify("7", {"email": "Ann@Example.com", "phone": "+1 415 555 0100"})
    client.track("7", "Order Completed", {"order_id": "o-1", "revenue": 12.5, "currency": "EUR"}, message_id="m-order")
    client.page("7", "Shop", "Größe", {"path": "/renew"})
    client.screen("7", None, "Home")
    client.group("7", "acme", {"plan": "gold"})
    client.alias("old", "7")
    client.track(anonymous_id="a-1", event="Unsubscribed")
    client.shutdown()
    seen = {t.type: t for t in served.committer.touchpoints}
    assert errors == []
    assert served.committer.rejected == []
    assert sorted(seen) == [
        "account.joined",
        "consent.withdrawn",
        "customer.identified",
        "identities.linked",
        "order.placed",
        "page.viewed",
    ]
    assert len(served.committer.touchpoints) == 7
    assert seen["customer.identified"].identifiers == ("customer_id:7", "email:ann@example.com", "phone:+14155550100")
    assert (seen["order.placed"].id, seen["order.placed"].data["amount"], seen["order.placed"].source) == ("m-order", 1250, "shop")
    assert {t.data["name"] for t in served.committer.touchpoints if t.type == "page.viewed"} == {"Größe", "Home"}
    assert not any(t.time_suspect for t in served.committer.touchpoints)
    assert [(h.kind, h.channel) for h in served.committer.holds] == [("opt_out", "email")]


def test_history_of_three_months_ago_is_kept_and_triggers_nothing(served: Served) -> None:
    errors: list[Any] = []
    client = segment(served, errors)
    then = datetime.now(UTC) - timedelta(days=90)
    client.track("7", "Song Played", timestamp=then)
    client.shutdown()
    (seen,) = served.committer.touchpoints
    assert errors == []
    assert seen.time_suspect
    assert abs(seen.occurred_at - then) < timedelta(seconds=10)


@pytest.mark.parametrize("status", [429, 503])
def test_the_segment_client_comes_again_after_our_own_trouble(served: Served, status: int) -> None:
    served.committer.problem = Problem(status, "trouble", "later", retry_after_seconds=1)

    def heal() -> None:
        served.committer.problem = None

    healing = Timer(0.5, heal)
    healing.start()
    errors: list[Any] = []
    client = segment(served, errors)
    client.track("7", "Song Played", message_id="m-1")
    client.shutdown()
    healing.join()
    assert errors == []
    assert [t.id for t in served.committer.touchpoints] == ["m-1"]


def test_the_segment_client_learns_that_its_key_is_unknown(served: Served) -> None:
    errors: list[Any] = []
    client = segment(served, errors, key="wk_nobody")
    client.track("7", "Song Played")
    client.shutdown()
    assert len(errors) == 1
    assert served.committer.records == []


@pytest.mark.parametrize("write", [to_binary_event, to_structured_event])
def test_an_event_of_the_cloudevents_client_is_a_touchpoint(served: Served, write: Any) -> None:
    attributes = {
        "id": "e 1/ü",
        "type": "call.wrapup",
        "source": "/pbx",
        "specversion": "1.0",
        "subject": "phone:+14155550100",
        "time": datetime.now(UTC),
        "datacontenttype": "application/json",
    }
    message = write(CloudEvent(attributes, {"disposition": "refused", "refusal": True}))
    answer = httpx.post(f"{served.url}/v1/calls", content=message.body, headers=message.headers | {"x-write-key": WRITE_KEY}, timeout=30)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    (seen,) = served.committer.touchpoints
    assert (seen.id, seen.type, seen.identifiers) == ("e 1/ü", "call.wrapped_up", ("phone:+14155550100",))
    assert seen.data == {"disposition": "refused", "refusal": True}
    assert [(h.kind, h.channel) for h in served.committer.holds] == [("opt_out", "call")]
