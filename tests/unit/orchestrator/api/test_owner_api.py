"""The campaign owner's API: what is accepted, refused, repeated and allowed to whom."""

from __future__ import annotations

from pathlib import Path
from threading import get_ident
from typing import Any

import msgspec
import pytest
from nextwave_contracts.customers import Churn, Snapshot, Value
from nextwave_orchestrator.api import campaigns
from nextwave_orchestrator.campaigns.definition import Campaign, Policy
from nextwave_orchestrator.campaigns.findings import Finding
from nextwave_orchestrator.campaigns.lint import Surroundings, lint
from nextwave_orchestrator.catalogue import Facts, Predicate
from nextwave_orchestrator.live import LiveCatalogue
from nextwave_orchestrator.state import HISTORY_MAX
from unit.orchestrator.api.caller import NOW, Caller, calling
from unit.orchestrator.api.fake_store import FakeStore
from unit.orchestrator.campaigns.winter import WINTER, put, written
from unit.orchestrator.decision_world import snapshot

YAML = {"content-type": "application/yaml"}
RULE = {"field": "value.cell", "op": "eq", "value": "IV"}


async def furnish(call: Caller) -> None:
    """What the winter campaign names."""
    for key in ("top-value", "contract-holders"):
        assert (await call("editor", "PUT", f"/v1/segments/{key}", {"name": key, "owner": "sales", "rule": RULE})).status_code == 201
    for key in ("renew", "renew-top", "sorry"):
        assert (await call("editor", "PUT", f"/v1/templates/{key}", {"subject": "About you", "text": "Hello"})).status_code == 201


async def test_a_campaign_goes_from_yaml_to_a_live_version_and_its_end(call: Caller, store: FakeStore) -> None:
    await furnish(call)
    assert (await call("editor", "PUT", "/v1/campaigns/winter-renewal", WINTER, content_type="application/yaml")).status_code == 201
    linted = (await call("viewer", "POST", "/v1/campaigns/winter-renewal:lint")).json()
    assert (linted["publishable"], [f["code"] for f in linted["findings"]]) == (True, [])
    published = (await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")).json()
    assert (published["state"], published["version"]) == ("published", 1)
    live = LiveCatalogue(store, b"secret")
    await live.load()
    assert [c.key for c in live.current().live] == ["winter-renewal"]
    for verb, state in (("pause", "paused"), ("resume", "published"), ("end", "ended")):
        assert (await call("approver", "POST", f"/v1/campaigns/winter-renewal:{verb}")).json()["state"] == state
    assert [(kind, state) for kind, _, state in store.committed.announced] == [
        ("campaign_resumed", "published"),
        ("campaign_stopped", "paused"),
        ("campaign_resumed", "published"),
        ("campaign_stopped", "ended"),
    ]
    again = await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")
    assert (again.status_code, again.json()["type"]) == (409, "urn:nextwave:problem:wrong-state")


async def test_the_same_again_changes_nothing(call: Caller, store: FakeStore) -> None:
    await furnish(call)
    first = await call("editor", "PUT", "/v1/campaigns/winter-renewal", WINTER, content_type="application/yaml")
    again = await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())
    assert (first.status_code, again.status_code, first.headers["etag"]) == (201, 200, again.headers["etag"])
    for _ in range(2):
        assert (await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")).json()["version"] == 1
    revision = store.committed.revision
    for _ in range(2):
        await call("operator", "POST", "/v1/campaigns/winter-renewal:pause")
        await call("operator", "PUT", "/v1/readiness/payment", {"ready": True})
    assert store.committed.revision == revision + 2
    assert len(store.committed.announced) == 2


async def test_a_changed_draft_becomes_the_next_version_and_the_first_stays(call: Caller, store: FakeStore) -> None:
    await furnish(call)
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())
    await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", put(written(), "/holdout", 0.2))
    shown = (await call("viewer", "GET", "/v1/campaigns/winter-renewal")).json()
    assert (shown["version"], shown["published"]["holdout"], shown["draft"]["holdout"]) == (1, 0.05, 0.2)
    assert (await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")).json()["version"] == 2
    assert [v.version for v in store.committed.published] == [1, 2]


async def test_a_campaign_that_would_not_work_is_not_published(call: Caller, store: FakeStore) -> None:
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())
    refused = await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:nextwave:problem:not-publishable")
    assert "/waves/0/mixes/1/channels/0/template" in {e["pointer"] for e in refused.json()["errors"]}
    assert (store.committed.rows, store.committed.writers) == ({}, ["editor"])


async def test_a_campaign_is_judged_beside_the_loop_on_which_customers_are_folded(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def seen(campaign: Campaign, around: Surroundings) -> list[Finding]:
        threads.append(get_ident())
        return lint(campaign, around)

    monkeypatch.setattr(campaigns, "lint", seen)
    await furnish(call)
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())
    for verb in ("lint", "publish"):
        assert (await call("approver", "POST", f"/v1/campaigns/winter-renewal:{verb}")).status_code == 200
    assert len(threads) == 2
    assert get_ident() not in threads


async def test_a_draft_that_was_saved_before_a_check_is_refused_when_it_is_published(call: Caller, store: FakeStore) -> None:
    await furnish(call)
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())
    draft = store.committed.written["campaign_drafts", "winter-renewal"]
    older = msgspec.json.encode(put(written(), "/goal/value", 2**63))
    store.committed.written["campaign_drafts", "winter-renewal"] = draft._replace(body=older)
    refused = await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")
    assert (refused.status_code, [e["pointer"] for e in refused.json()["errors"]]) == (422, ["/goal/value"])


async def test_a_campaign_is_published_as_the_caller_has_read_it_or_not_at_all(call: Caller) -> None:
    await furnish(call)
    read = (await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())).headers["etag"]
    current = (await call("editor", "PUT", "/v1/campaigns/winter-renewal", put(written(), "/holdout", 0.2))).headers["etag"]
    assert (await call("approver", "POST", "/v1/campaigns/winter-renewal:publish", if_match=read)).status_code == 412
    assert (await call("viewer", "GET", "/v1/campaigns/winter-renewal")).json()["state"] == "draft"
    assert (await call("approver", "POST", "/v1/campaigns/winter-renewal:publish", if_match=current)).status_code == 200


async def test_an_editor_needs_an_approver_for_a_large_budget(call: Caller) -> None:
    await furnish(call)
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", written())
    large = await call("editor", "POST", "/v1/campaigns/winter-renewal:publish")
    assert (large.status_code, large.json()["type"]) == (403, "urn:nextwave:problem:approval-needed")
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", put(written(), "/budget/amount", 100_000))
    assert (await call("editor", "POST", "/v1/campaigns/winter-renewal:publish")).status_code == 200


async def test_an_editor_needs_an_approver_for_a_large_audience(store: FakeStore, tmp_path: Path) -> None:
    counted: list[bool] = []

    async def size(matches: Predicate) -> int:
        counted.append(matches(Facts(snapshot(value=Value(cell="IV")), [], NOW)))
        return 1_001

    async with calling(store, tmp_path, sizes=size) as call:
        await furnish(call)
        await call("editor", "PUT", "/v1/campaigns/winter-renewal", put(written(), "/budget/amount", 100_000))
        large = await call("editor", "POST", "/v1/campaigns/winter-renewal:publish")
        assert (large.status_code, "an audience of about 1001 customers" in large.json()["detail"]) == (403, True)
        assert (await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")).json()["audience"] == 1_001
    assert counted == [True] * 2


async def test_a_stale_writer_is_refused_and_a_fresh_one_not(call: Caller) -> None:
    segment = {"name": "Top", "owner": "sales", "rule": RULE}
    first = await call("editor", "PUT", "/v1/segments/top", segment, if_none_match="*")
    tag = first.headers["etag"]
    assert (await call("editor", "PUT", "/v1/segments/top", segment, if_none_match="*")).status_code == 412
    assert (await call("editor", "PUT", "/v1/segments/top", segment | {"name": "Best"}, if_match=tag)).status_code == 200
    stale = await call("editor", "PUT", "/v1/segments/top", segment, if_match=tag)
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:nextwave:problem:changed-meanwhile")
    shown = await call("viewer", "GET", "/v1/segments/top")
    assert (shown.json()["name"], shown.headers["etag"] != tag) == ("Best", True)


REFUSED: list[tuple[str, Any, str]] = [
    ("/v1/segments/top", {"name": "T", "owner": "x", "rule": {"field": "stagee", "op": "eq", "value": "x"}}, "/rule/field"),
    ("/v1/segments/top", {"key": "other", "name": "T", "owner": "x", "rule": RULE}, "/key"),
    ("/v1/segments/Top!", {"name": "T", "owner": "x", "rule": RULE}, "/key"),
    ("/v1/segments/top", [], ""),
    ("/v1/segments/top", b"{", ""),
    ("/v1/templates/t", {"text": "{{ nmae }}"}, "/text"),
    ("/v1/campaigns/winter-renewal", put(written(), "/waves/0/window", "soon"), "/waves/0/window"),
    ("/v1/policy", {"global_holdout": 2}, "/global_holdout"),
    ("/v1/readiness/payment", {"ready": "yes"}, "/ready"),
]


@pytest.mark.parametrize(("path", "body", "pointer"), REFUSED)
async def test_a_wrong_document_is_a_problem_that_points_at_the_fault(
    call: Caller, store: FakeStore, path: str, body: Any, pointer: str
) -> None:
    role = {"/v1/policy": "approver", "/v1/readiness/payment": "operator"}.get(path, "editor")
    refused = await call(role, "PUT", path, body)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert [e["pointer"] for e in refused.json()["errors"]] == [pointer]
    assert store.committed.revision == 1


async def test_a_body_beyond_the_limit_is_refused(call: Caller) -> None:
    assert (await call("editor", "PUT", "/v1/templates/t", b"x" * 300_000)).status_code == 413


async def test_what_does_not_exist_is_not_found(call: Caller) -> None:
    for method, path in (
        ("GET", "/v1/segments/none"),
        ("GET", "/v1/templates/none"),
        ("GET", "/v1/campaigns/none"),
        ("POST", "/v1/campaigns/none:lint"),
        ("POST", "/v1/campaigns/none:publish"),
        ("POST", "/v1/campaigns/none:pause"),
    ):
        assert (await call("approver", method, path)).status_code == 404, path


async def test_a_segment_is_tried_on_a_customer_leaf_by_leaf(call: Caller) -> None:
    rule = {"all": [{"field": "churn.band", "op": "eq", "value": "high"}, {"event": "order.placed", "within": "30d"}]}
    await call("editor", "PUT", "/v1/segments/risky", {"name": "Risky", "owner": "x", "rule": rule})
    ann = Snapshot(customer_id="c", version=1, churn=Churn(risk=0.8, band="high", horizon_days=90, model="m"))
    history = [{"type": "order.placed", "at": "2026-11-01T00:00:00Z"}]
    told = (await call("viewer", "POST", "/v1/segments/risky:explain", {"profile": ann, "history": history})).json()
    assert (told["holds"], [p["found"] for p in told["parts"]]) == (True, ["high", 1])
    told = (await call("viewer", "POST", "/v1/segments/risky:explain", {"profile": ann})).json()
    assert (told["holds"], told["parts"][1]["pointer"]) == (False, "/rule/all/1")


async def test_a_segment_is_tried_on_the_events_that_would_be_remembered_each_at_an_instant(call: Caller) -> None:
    await call("editor", "PUT", "/v1/segments/once", {"name": "Once", "owner": "x", "rule": {"event": "order.placed"}})
    order = {"type": "order.placed", "at": "2026-11-01T00:00:00Z"}
    views = [{"type": "page.viewed", "at": "2026-11-02T00:00:00Z"}] * HISTORY_MAX
    for history, holds in (([*views[1:], order], True), ([*views, order], False)):
        asked = {"profile": snapshot(), "history": history}
        assert (await call("viewer", "POST", "/v1/segments/once:explain", asked)).json()["holds"] is holds
    naive = [{"type": "x", "at": "2026-11-22T08:00:00"}, {"type": "x", "at": "2026-11-22T08:00:00Z"}]
    refused = await call("viewer", "POST", "/v1/segments/once:explain", {"profile": snapshot(), "history": naive})
    assert (refused.status_code, [e["pointer"] for e in refused.json()["errors"]]) == (422, ["/history/0/at"])


async def test_lists_come_in_pages(call: Caller) -> None:
    for key in ("a", "b", "c"):
        await call("editor", "PUT", f"/v1/templates/{key}", {"subject": "x", "text": "x"})
    first = (await call("viewer", "GET", "/v1/templates?limit=2")).json()
    rest = (await call("viewer", "GET", f"/v1/templates?limit=2&cursor={first['next']}")).json()
    assert ([t["key"] for t in first["items"]], first["next"]) == (["a", "b"], "b")
    assert ([t["key"] for t in rest["items"]], rest["next"]) == (["c"], None)


async def test_the_policy_in_force_is_shown_whole_and_changed_at_once(call: Caller, store: FakeStore) -> None:
    assert msgspec.convert((await call("viewer", "GET", "/v1/policy")).json(), Policy) == Policy()
    assert (await call("approver", "PUT", "/v1/policy", {"global_holdout": 0.1})).status_code == 201
    live = LiveCatalogue(store, b"secret")
    await live.load()
    assert live.current().policy == Policy(global_holdout=0.1)
    assert (await call("viewer", "GET", "/v1/policy")).json()["global_holdout"] == 0.1


async def test_the_currency_stays_once_a_campaign_was_published(call: Caller, store: FakeStore) -> None:
    assert (await call("approver", "PUT", "/v1/policy", {"currency": "USD"})).status_code == 201
    assert (await call("approver", "PUT", "/v1/policy", {"currency": "EUR"})).status_code == 200
    await furnish(call)
    await call("editor", "PUT", "/v1/campaigns/winter-renewal", WINTER, content_type="application/yaml")
    for verb in ("publish", "end"):
        assert (await call("approver", "POST", f"/v1/campaigns/winter-renewal:{verb}")).status_code == 200
        refused = await call("approver", "PUT", "/v1/policy", {"currency": "USD"})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/currency")
    assert (await call("approver", "PUT", "/v1/policy", {"global_holdout": 0.1})).status_code == 200


async def test_a_policy_is_stored_without_what_the_build_before_does_not_know_unless_it_is_used(call: Caller, store: FakeStore) -> None:
    own = {"IV": {"answer_within": "5s"}}
    await call("approver", "PUT", "/v1/policy", {"caps": []})
    shown = (await call("viewer", "GET", "/v1/policy")).json()
    assert shown["service_levels"]["IV"] == {"answer_within": "15s", "line": "personal"}
    for levels, kept in ((shown["service_levels"], None), (shown["service_levels"] | own, own)):
        await call("approver", "PUT", "/v1/policy", shown | {"service_levels": levels})
        stored = msgspec.json.decode(store.committed.written["policies", "house"].body)
        assert (stored.get("service_levels"), stored.keys() & {"after_decline", "context", "score"}) == (kept, set())


async def test_the_openapi_document_tells_what_is_written(call: Caller) -> None:
    document = (await call("viewer", "GET", "/openapi.json")).json()
    body = document["paths"]["/v1/campaigns/{key}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Campaign"}
    assert {"Campaign", "Wave", "Segment", "Template", "Policy"} <= set(document["components"]["schemas"])


async def test_the_reference_is_served_at_docs(call: Caller) -> None:
    page = await call("viewer", "GET", "/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/openapi.json" in page.text
