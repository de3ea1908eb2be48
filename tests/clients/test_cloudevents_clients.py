"""What the CloudEvents packages write is what we read, through every trouble of ours, and what we read of them is what they read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Timer
from typing import Any

import httpx
import msgspec
import pytest
from clients.collector import Collector
from clients.serving import Served
from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from nextwave_ingest.doors.cloudevents_mapping import from_headers
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import WRITE_KEY

WRITERS = [to_binary_event, to_structured_event]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def event(name: str, data: Any, **more: Any) -> CloudEvent:
    attributes = {"id": name, "type": "call.ended", "source": "/pbx/ü %25", "specversion": "1.0", "time": datetime.now(UTC)}
    return CloudEvent(attributes | {"subject": "phone:+14155550100", "datacontenttype": "application/json"} | more, data)


def post(url: str, message: HTTPMessage, **headers: str) -> httpx.Response:
    sent = message.headers | {"x-write-key": WRITE_KEY} | headers
    return httpx.post(f"{url}/v1/touchpoints", content=message.body, headers=sent, timeout=30)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ["plain", "a b", '"quoted"', "100%", "%41", "ü€😀", "a\\b", "'"])
def test_an_event_with_extensions_arrives_as_it_was_meant(served: Served, write: Any, name: str) -> None:
    sent = event(name, {"seconds": 61, "wörd": "ü"}, partitionkey="k 1", traceparent=TRACE, dataschema="https://example.com/s?a=b c")
    assert post(served.url, write(sent)).status_code == 202
    (seen,) = served.committer.touchpoints
    assert (seen.id, seen.source, seen.data) == (name, "shop//pbx/ü %25", {"seconds": 61, "wörd": "ü"})
    assert dict(served.committer.records[0].headers)["traceparent"].split(b"-")[1] == TRACE.split("-")[1].encode()


@pytest.mark.parametrize("name", ["plain", "a b", '"', "100%", "%41", "ü€😀", "a\\b"])
def test_the_package_and_we_read_the_same_headers(name: str) -> None:
    message = to_binary_event(event(name, {"a": 1}))
    ours = msgspec.json.decode(from_headers({k.lower().encode(): v.encode("latin-1") for k, v in message.headers.items()}, message.body))
    theirs = from_http_event(message)
    assert (ours["id"], ours["source"], ours["data"]) == (theirs.get_id(), theirs.get_source(), theirs.get_data())


@pytest.mark.parametrize("write", WRITERS)
def test_a_text_is_kept_as_body(served: Served, write: Any) -> None:
    sent = event("t", "STOP", type="sms.received", datacontenttype="text/plain")
    assert post(served.url, write(sent)).status_code == 202
    assert served.committer.touchpoints[0].data["body"] == "STOP"
    assert [hold.kind for hold in served.committer.holds] == ["opt_out"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_plain_client_that_repeats_itself_leaves_one_touchpoint(served: Served, status: int) -> None:
    served.committer.problem = Problem(status, "trouble", "later", retry_after_seconds=1)
    healing = Timer(0.3, lambda: setattr(served.committer, "problem", None))
    healing.start()
    message = to_structured_event(event("e-1", {"seconds": 1}))
    statuses: list[int] = []
    while not statuses or statuses[-1] != 202:
        answer = post(served.url, message)
        statuses.append(answer.status_code)
        time.sleep(int(answer.headers.get("retry-after", 0)))
    healing.join()
    assert statuses == [status, 202]
    assert [(t.source, t.id) for t in served.committer.touchpoints] == [("shop//pbx/ü %25", "e-1")]


@pytest.mark.parametrize("trouble", ["429", "503", "500"])
def test_every_trouble_of_ours_is_one_to_come_again_for(collector: Collector, trouble: str) -> None:
    message = to_binary_event(event(f"e-{trouble}", {"seconds": 1}))
    assert post(collector.direct, message, **{"x-trouble": trouble}).status_code == int(trouble)
    for _ in range(2):  # the second, since the answer to the first may have been lost
        assert post(collector.direct, message).status_code == 202
    assert len({(t.source, t.id) for t in collector.committer.touchpoints if t.id == f"e-{trouble}"}) == 1
