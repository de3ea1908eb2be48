"""The manual for campaign owners is true: its example can be published, and its tables name everything there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from nextwave_orchestrator.checks import CHECKS
from nextwave_orchestrator.parts import PARTS
from nextwave_orchestrator.rules.operators import OPERATORS
from unit.orchestrator.api.caller import Caller

MANUAL = (Path(__file__).parents[4] / "docs" / "campaigns.md").read_text()
DOCUMENTS = re.compile(r"^# (\w+/\S+)\.yaml\n(.*?)(?=^```|^# \w+/)", re.DOTALL | re.MULTILINE)


async def test_the_example_is_taken_as_it_stands_and_can_be_published(call: Caller) -> None:
    for path, document in DOCUMENTS.findall(MANUAL):
        saved = await call("editor", "PUT", f"/v1/{path}", document.encode(), content_type="application/yaml")
        assert saved.status_code == 201, saved.text
    linted = (await call("viewer", "POST", "/v1/campaigns/winter-renewal:lint")).json()
    assert (linted["publishable"], linted["findings"]) == (True, [])
    assert (await call("approver", "POST", "/v1/campaigns/winter-renewal:publish")).json()["state"] == "published"
    body = re.search(r":explain .*? -d '(.*?)'", MANUAL, re.DOTALL)
    assert body is not None
    told = (await call("viewer", "POST", "/v1/segments/let-down:explain", json.loads(body[1]))).json()
    assert (told["holds"], [part["found"] for part in told["parts"]]) == (True, [2.0, 1])


def test_every_operators_words_stand_in_the_grammar() -> None:
    grammar = MANUAL[MANUAL.index("**In words") : MANUAL.index("Of [JsonLogic]")]
    assert [o.phrase for o in OPERATORS.values() if f"`{o.phrase}`" not in grammar] == []


def test_every_operator_stands_in_the_table() -> None:
    table = MANUAL[MANUAL.index("| operator |") : MANUAL.index("What is not known")]
    columns = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = [name for column in columns for name in re.findall(r"`(\w+)`", column)]
    assert named == list(OPERATORS)


def test_the_functions_of_the_score_stand_in_the_table_the_shipped_one_first() -> None:
    table = MANUAL[MANUAL.index("| part | functions") : MANUAL.index("The policy chooses by name")]
    rows = [(name, re.findall(r"`(\w+)`:", told)) for name, told in re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)]
    assert rows == [(name, list(functions)) for name, functions in PARTS.items()]


def test_the_checks_of_the_gate_stand_in_their_order() -> None:
    table = MANUAL[MANUAL.index("| code | stops when |") : MANUAL.index("After a code with *")]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [code for code, _ in CHECKS]
