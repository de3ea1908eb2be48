"""`nextwave mapping try`: what a mapping would make of a body, and the exit code that says so to a pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result
from unit.local.owning.shelf import CALLS, Shelf


@pytest.fixture
def tried(shelf: Shelf) -> Callable[..., Result]:
    """`nextwave mapping try` of the folder's mapping on a body."""

    def tried(body: str, *more: str) -> Result:
        sample = shelf.folder / "sample.txt"
        sample.write_text(body)
        return shelf.say("try", str(shelf.folder / "ringo.yaml"), "--sample", str(sample), *more)

    return tried


def test_a_file_is_tried_on_a_body_before_it_is_applied_and_leaves_no_trace(shelf: Shelf, tried: Callable[..., Result]) -> None:
    said = tried('[{"kind": "closed", "call": "r-1", "caller": "+441614960101", "code": "ANGRY"}, {"kind": "ringing"}]')
    first, second = json.loads(said.output)["items"]
    assert (first["touchpoints"][0]["data"], [hold["kind"] for hold in first["holds"]]) == ({"complaint": True}, ["complaint"])
    assert (second["ignored"], said.exit_code) == (True, 0)
    assert shelf.ingest.committer.records == []


def test_a_form_and_its_headers_are_tried_as_their_system_would_post_them(shelf: Shelf, tried: Callable[..., Result]) -> None:
    rule = "{when: {\"$._headers['x-topic']\": calls}, type: call.ended, id: $.call, identifiers: {phone: $.caller}}"
    shelf.write("ringo.yaml", f"body: form\nheaders: [X-Topic]\ntouchpoints: [{rule}]\n")
    for topic, ignored in (("calls", False), ("texts", True)):
        said = tried("call=r-1&caller=%2B441614960101", "--header", f"X-Topic: {topic}")
        assert json.loads(said.output)["items"][0]["ignored"] is ignored


@pytest.mark.parametrize(
    ("text", "fault"), [("x: [", "this is no YAML"), (CALLS.replace("phone:", "fone:"), "/touchpoints/0/identifiers/fone")]
)
def test_a_file_that_is_no_mapping_is_not_tried(shelf: Shelf, tried: Callable[..., Result], text: str, fault: str) -> None:
    shelf.write("ringo.yaml", text)
    said = tried("{}")
    assert (said.exit_code, fault in said.output) == (2, True), said.output


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('[{"kind": "closed", "caller": "+441614960101"}, {"kind": "ringing"}]', 0),
        ('[{"kind": "ringing"}, {"kind": "closed", "caller": "anonymous"}]', 1),
        ("[", 1),
    ],
)
def test_a_trial_ends_with_1_where_something_of_the_body_is_refused(tried: Callable[..., Result], body: str, code: int) -> None:
    said = tried(body)
    assert (said.exit_code, "refusals" in json.loads(said.output)) == (code, True)


def test_a_trial_without_its_sample_or_its_right_ends_with_2(shelf: Shelf, tried: Callable[..., Result]) -> None:
    assert shelf.say("try", str(shelf.folder / "ringo.yaml"), "--sample", str(shelf.folder / "none")).exit_code == 2
    shelf.role = "privacy"
    assert tried("{}").exit_code == 2
