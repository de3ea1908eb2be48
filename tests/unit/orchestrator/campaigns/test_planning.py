"""A folder of files is compared with what is stored: what is new, what changed, what cannot be, and what lint says of it all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from nextwave_orchestrator.campaigns import contents
from nextwave_orchestrator.campaigns.contents import broken_by, content_findings
from nextwave_orchestrator.campaigns.definition import Campaign, Segment, Template
from nextwave_orchestrator.campaigns.planning import Held, Planned, plan
from unit.orchestrator.campaigns.winter import WINTER, around, put, winter, written

BODY = msgspec.json.encode(winter())
TOP = "{name: Top, owner: sales, rule: {field: value.cell, op: eq, value: IV}}"
STORED = Held(BODY, 7, "published", BODY)
PATH = "/v1/campaigns/winter-renewal"


def one(file: str, text: str, stored: dict[str, Held] | None = None) -> Planned:
    (planned,) = plan({file: text}, stored or {}, around())
    return planned


def test_what_is_not_stored_is_created_and_published() -> None:
    planned = one("campaigns/winter-renewal.yaml", WINTER.decode())
    assert (planned.path, planned.action, planned.revision, planned.publishes) == (PATH, "create", None, True)
    assert planned.diff.splitlines()[0] == "--- nothing"


def test_what_says_the_same_in_other_words_is_kept() -> None:
    reordered = msgspec.json.encode(dict(reversed(msgspec.json.decode(BODY).items()))).decode()
    planned = one("campaigns/winter-renewal.json", reordered, {PATH: STORED})
    assert (planned.action, planned.publishes, planned.diff) == ("keep", False, "")


def test_a_change_is_shown_as_a_diff_on_the_condition_of_its_revision() -> None:
    planned = one("campaigns/winter-renewal.yaml", WINTER.decode().replace("48h", "36h"), {PATH: STORED})
    assert (planned.action, planned.revision, planned.publishes) == ("change", 7, True)
    changed = [line for line in planned.diff.splitlines() if line[:1] in "+-"][2:]
    assert changed == ["-  window: 48h", "+  window: 36h"]


def test_a_draft_that_is_stored_and_was_never_published_is_published_without_a_change() -> None:
    planned = one("campaigns/winter-renewal.yaml", WINTER.decode(), {PATH: Held(BODY, 7)})
    assert (planned.action, planned.publishes) == ("keep", True)


@pytest.mark.parametrize("state", ["paused", "draining", "ended"])
def test_what_somebody_has_stopped_is_not_published_from_a_folder(state: str) -> None:
    planned = one("campaigns/winter-renewal.yaml", WINTER.decode().replace("48h", "36h"), {PATH: STORED._replace(state=state)})
    assert (planned.action, planned.publishes, planned.findings[0].code) == ("change", False, "not_open")
    same = one("campaigns/winter-renewal.yaml", WINTER.decode(), {PATH: STORED._replace(state=state)})
    assert (same.action, same.publishes, same.findings) == ("keep", False, ())


def test_a_campaign_is_linted_among_what_is_in_the_folder_and_what_is_stored() -> None:
    bare = replace(around(), segments={}, templates={})
    alone = plan({"campaigns/winter-renewal.yaml": WINTER.decode()}, {}, bare)
    assert "unknown_segment" in {finding.code for finding in alone[0].findings}
    files = {"campaigns/winter-renewal.yaml": WINTER.decode(), "segments/top-value.yaml": TOP, "segments/contract-holders.yaml": TOP}
    files |= {f"templates/{key}.yaml": "{subject: About you, text: Hello}" for key in ("renew", "renew-top", "sorry")}
    planned = plan(files, {}, bare)
    assert [p.path.split("/")[2] for p in planned] == ["segments"] * 2 + ["templates"] * 3 + ["campaigns"]
    assert {finding.level for finding in planned[-1].findings} <= {"warning"}


def test_a_template_that_would_break_a_live_campaign_is_refused_unless_it_is_what_is_stored() -> None:
    live = replace(around(), others=(winter(),))
    (planned,) = plan({"templates/renew.yaml": "text: Hello"}, {}, live)
    assert (planned.action, [fault.detail.split(":")[0] for fault in planned.faults]) == ("refuse", ["campaign winter-renewal, by email"])
    held = Held(msgspec.json.encode(Template(key="renew", text="Hello")), 3)
    assert plan({"templates/renew.yaml": "text: Hello"}, {"/v1/templates/renew": held}, live)[0].action == "keep"
    assert plan({"templates/other.yaml": "text: Hello"}, {}, live)[0].action == "create"


def test_two_new_campaigns_of_one_folder_that_overlap_are_warned_of() -> None:
    files = {"campaigns/winter-renewal.yaml": WINTER.decode(), "campaigns/other.yaml": WINTER.decode().replace("key: winter-renewal", "")}
    warned = [[f.code for f in planned.findings if f.code == "overlap"] for planned in plan(files, {}, around())]
    assert warned == [["overlap"]] * 2


def test_a_document_that_was_stored_in_defaults_written_out_is_the_same() -> None:
    stored = msgspec.json.encode(Segment(key="top", name="Top", owner="sales", rule={"field": "value.cell", "op": "eq", "value": "IV"}))
    assert one("segments/top.yaml", TOP[:-1] + ", priority: 100}", {"/v1/segments/top": Held(stored, 3)}).action == "keep"


@pytest.mark.parametrize(
    ("file", "text", "pointer"),
    [
        ("readme.txt", "x", ""),
        ("campaigns/sub/a.yaml", "x", ""),
        ("segments/top.yaml", "{", ""),
        ("segments/top.yaml", TOP.replace("IV", "V"), "/rule/value"),
        ("segments/top.yaml", "key: other\n" + TOP[1:-1].replace(", ", "\n", 2), "/key"),
        ("segments/To p.yaml", TOP, "/key"),
        ("templates/Bad.yaml", "text: Hello", "/key"),
        ("templates/bell.json", '{"text": "Hello\\u0007"}', "/text"),
        ("policy.yaml", "currency: euro", "/currency"),
        ("templates/t.json", '{"text": "{{ traits.x"}', "/text"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_place_and_fix(file: str, text: str, pointer: str) -> None:
    planned = one(file, text)
    assert (planned.action, [fault.pointer for fault in planned.faults]) == ("refuse", [pointer])
    assert planned.faults[0].fix


def test_two_files_for_one_document_are_refused() -> None:
    planned = plan({"segments/top.yaml": TOP, "segments/top.yml": TOP}, {}, around())
    assert [(p.file, p.action) for p in planned] == [("segments/top.yml", "refuse"), ("segments/top.yaml", "create")]


def test_a_template_is_judged_once_a_channel_and_every_campaign_that_it_breaks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def counted(one: Any, *given: Any) -> Any:
        judged.append(one.channel)
        return content_findings(one, *given)

    monkeypatch.setattr(contents, "content_findings", counted)
    many = [msgspec.convert(put(written(), "/key", f"winter-{n}"), Campaign) for n in range(30)]
    broken = broken_by(Template(key="renew", text="Hello"), many, around().policy)
    assert [fault.detail.split(",")[0] for fault in broken] == [f"campaign winter-{n}" for n in range(30)]
    assert len(judged) == len(set(judged))
