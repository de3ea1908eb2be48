"""Whatever the OpenAPI document allows, and what it does not, is answered as it says, and never by a fault of ours."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from clients.serving import Served
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from unit.ingest.fakes import API_TOKEN, WRITE_KEY

EXAMPLES = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 2}
"""Requests of each operation that the document allows, and that it does not."""
OPERATIONS_MIN = 25
OUR_OWN_TROUBLE = 503
"""No broker follows here: routes that read the log say so."""
TAKES_ANYTHING = "/v1/inbound/{source}/{mapping}"
"""Nothing can be wrong by the document there, and it takes schemathesis long to see that."""
load_all_checks()
JUDGES = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "unsupported_method",
        "allow_header_conformance",
    ]
)


@pytest.mark.parametrize("mode", EXAMPLES)
def test_every_route_answers_as_the_document_says(served: Served, mode: GenerationMode) -> None:
    found = list(schemathesis.openapi.from_url(f"{served.url}/openapi.json").get_all_operations())
    readable = [operation.ok() for operation in found if isinstance(operation, Ok)]
    asked_for = [one for one in readable if mode is GenerationMode.POSITIVE or one.path != TAKES_ANYTHING]
    operations = {str(one.definition.raw): one for one in asked_for}.values()  # those of one description are one door's
    wrong = {operation.label: faults for operation in operations if (faults := asked(operation, mode))}
    assert (len(readable), len(operations) >= OPERATIONS_MIN) == (len(found), True)
    assert not wrong, "\n\n".join(f"{label}\n{faults}" for label, faults in wrong.items())


def asked(operation: Any, mode: GenerationMode) -> str:
    """What is wrong with the operation's answers."""
    wrong: list[str] = []

    @settings(
        max_examples=EXAMPLES[mode],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call(headers=credentials(operation), timeout=20)
        if answer.status_code == OUR_OWN_TROUBLE and answer.headers["content-type"] == ["application/problem+json"]:
            return
        try:
            case.validate_response(answer, checks=JUDGES)
        except FailureGroup as found:
            wrong.extend(f"{failure.title}: {failure.message}\n  {case.as_curl_command()[:400]}" for failure in found.exceptions)

    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parameters
        ask()
    return "\n".join(dict.fromkeys(wrong))


def credentials(operation: Any) -> dict[str, str]:
    """What the operation may be called with."""
    if "HTTPBearer" in str(operation.definition.raw.get("security")):
        return {"Authorization": f"Bearer {API_TOKEN}"}
    return {"X-Write-Key": WRITE_KEY}
