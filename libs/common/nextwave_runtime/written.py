"""Documents that people write over HTTP, wherever they are kept: entity tags and preconditions, and their faults as a problem."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import FastAPI, Request
from nextwave_contracts.faults import Fault, FaultyError
from starlette.responses import Response

from nextwave_runtime.problem import FieldError, Problem, response

YAML = "yaml"
_TAG = re.compile(r'\*|(W/)?"[^"]*"')


def etag(revision: int, form: str = "") -> str:
    """The entity tag of a document; of another form than JSON it names the form, since a tag stands for bytes."""
    return f'"{revision}-{form}"' if form else f'"{revision}"'


def require_match(request: Request, revision: int | None) -> None:
    """Honours `If-Match` and `If-None-Match: *` against what is there (None: nothing). Raises a 412 `Problem`, or 400 for no entity tag."""
    wanted = request.headers.get("if-match")
    tags = [t.strip() for t in (wanted or "").split(",")]
    if wanted is not None and (bare := next((tag for tag in tags if not _TAG.fullmatch(tag)), None)) is not None:
        fix = f'If-Match takes entity tags in their double quotes, as ETag gave them: send "{bare.strip(chr(34))}"'
        raise Problem(400, "invalid-request", f"{bare!r:.80} is no entity tag; {fix:.200}")
    if wanted is not None and (revision is None or not {"*", etag(revision), etag(revision, YAML)} & set(tags)):
        raise changed_meanwhile()
    if request.headers.get("if-none-match") == "*" and revision is not None:
        raise Problem(412, "exists-already", "it exists already; leave If-None-Match out to replace it")


def changed_meanwhile() -> Problem:
    """The answer to a change of something that is no longer what was read."""
    return Problem(412, "changed-meanwhile", "it is no longer what If-Match names; read it again and repeat the change")


def refused(faults: Sequence[Fault]) -> Problem:
    """Faults as the problem that is answered."""
    errors = tuple(FieldError(pointer=f.pointer, detail=f"{f.detail}; {f.fix}") for f in faults)
    return Problem(422, "invalid-document", "the document has faults; see errors", errors=errors)


def install(app: FastAPI) -> None:
    """Answers every `FaultyError` with its faults."""
    app.add_exception_handler(FaultyError, _faulty)


async def _faulty(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FaultyError)
    return response(refused(error.faults))
