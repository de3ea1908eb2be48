"""Templates show what the event said that let the customer in: the letter names this matter, not another."""

from __future__ import annotations

from typing import Any

import msgspec
from nextwave_contracts.actions import Contact, Content
from nextwave_orchestrator.assembly import CampaignRow, Everything, Stored, Version, assemble
from nextwave_orchestrator.campaigns.definition import Policy, Template, Variant
from nextwave_orchestrator.templates import Templates, bare_outputs, template_faults
from unit.orchestrator.decision_world import House, campaign, snapshot, wave

LONG = "We have changed the plug. " * 12
LETTER = Template(key="tell-email", text='{{ entry.cause | default: "?" }}: {{ entry.remedy | default: "-" }}')
KEYED = campaign("letters", wave("tell", "email"), purpose="service", entry={"on": {"event": "complaint.resolved"}, "key": "reference"})


def house() -> House:
    """The campaign and its template as they are stored and put together."""
    stored = Everything(
        revision=1,
        segments=(),
        templates=(Stored("tell-email", 1, msgspec.json.encode(LETTER)),),
        campaigns=(CampaignRow("letters", "published", 1),),
        versions=(Version("letters", 1, msgspec.json.encode(KEYED.definition)),),
        ready={},
        policy=Policy(caps=()),
    )
    return House(assemble(stored, b"k" * 32))


def texts(at_home: House) -> list[str]:
    return [one.content.text for one in at_home.all(Contact)]


def test_each_letter_says_what_its_own_matters_event_said() -> None:
    at_home = house()
    at_home.touch("complaint.resolved", reference="a", cause="a plug")
    at_home.touch("complaint.resolved", reference="b", cause="a fuse", remedy="a new one")
    assert texts(at_home) == ["a plug: -", "a fuse: a new one"]


def test_a_letter_that_is_put_off_still_says_it_and_long_words_in_a_large_event_are_kept_whole() -> None:
    at_home = house()
    at_home.change(states={"letters": "paused"})
    data: dict[str, Any] = {"reference": "a", "remedy": LONG, **{f"field_{n}": "x" for n in range(30)}}
    at_home.touch("complaint.resolved", **data)
    assert texts(at_home) == []
    at_home.change(states={"letters": "published"})
    at_home.wait(at_home.now.replace(hour=13))
    assert texts(at_home) == [f"?: {LONG}"]


def test_without_an_event_the_defaults_are_shown() -> None:
    assert Templates([LETTER])("tell-email", snapshot()) == Content(text="?: -")


def test_what_is_shown_of_an_event_without_default_is_found_and_other_fields_are_still_checked() -> None:
    assert bare_outputs(Variant(text="{{ entry.cause }}")) == [("/text", "entry.cause")]
    assert template_faults(Template(key="t", text="{{ entry.cause }}")) == []
    assert [fault.pointer for fault in template_faults(Template(key="t", text="{{ entri.cause }}"))] == ["/text"]
