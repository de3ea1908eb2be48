"""What operators and owners do with the suppression list: read, add, lift, import, export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from nextwave_contracts.actions import Channel, Purpose
from nextwave_runtime.problem import FieldError, Problem
from pydantic import BaseModel, ConfigDict, Field

from nextwave_channels import stopping
from nextwave_channels.access import READS_SUPPRESSIONS, Suppressor
from nextwave_channels.office import Office
from nextwave_channels.paging import after, cursor
from nextwave_channels.suppressions import table
from nextwave_channels.suppressions.importing import take_file
from nextwave_channels.suppressions.lines import Kind, Line, UnreadableFileError, fact, write_csv, write_json

FILE_BYTES_MAX = 4_194_304
EXPORT_ROWS = 1_000
"""Rows of one question while a list is exported."""
MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]
_FILE = {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/jsonl")}}}


class SuppressionScope(BaseModel):
    """Whom and what a suppression is about; `channel` or `purpose` empty means all. `address`: the address takes nothing any more."""

    model_config = ConfigDict(extra="forbid")

    identifier: str = Field(max_length=256, description="kind:value, for example email:ann@example.com")
    kind: Kind = "consent"
    channel: Channel | Literal[""] = ""
    purpose: Purpose | Literal[""] = ""
    reason: str = Field(default="", max_length=200, description="why, for whoever asks later")


class Suppressed(BaseModel):
    """The subject (keyed hash), and how many queued deliveries were withdrawn at once."""

    subject: str
    withdrawn: int


class SuppressionRow(BaseModel):
    """The newest word on a scope: `stopped` or lifted, by whom and why."""

    subject: str
    kind: Kind
    channel: str
    purpose: str
    stopped: bool
    at: datetime
    source: str
    reason: str


class SuppressionPage(BaseModel):
    """A page of suppressions; `cursor` leads to the next one."""

    suppressions: list[SuppressionRow]
    cursor: str | None


class LineFault(BaseModel):
    """What is wrong with a line of a file."""

    line: int
    detail: str


class ImportResult(BaseModel):
    """What became of a file. `faults` are the first hundred of the `faulty` lines; all other lines were taken in."""

    lines: int
    changed: int
    unchanged: int
    withdrawn: int
    faulty: int
    faults: list[LineFault]


def add_routes(routes: APIRouter, office: Office) -> None:
    """`/v1/suppressions`."""

    @routes.get("/suppressions", tags=["suppressions"], dependencies=READS_SUPPRESSIONS)
    async def list_suppressions(identifier: Text = None, limit: Limit = 50, cursor: Text = None) -> SuppressionPage:
        """By identifier: what was said by that name alone; an unsubscription by a link stands under `external:nextwave:<customer id>`."""
        subject = None if identifier is None else office.subject(identifier)
        return await _page(office, subject, cursor, limit)

    @routes.put("/suppressions", tags=["suppressions"])
    async def suppress(scope: SuppressionScope, key: Suppressor) -> Suppressed:
        return await _say(office, scope, stopped=True, source=f"api:{key.name}")

    @routes.delete("/suppressions", tags=["suppressions"])
    async def lift_suppression(scope: Annotated[SuppressionScope, Query()], key: Suppressor) -> Suppressed:
        return await _say(office, scope, stopped=False, source=f"api:{key.name}")

    @routes.post("/suppressions:import", tags=["suppressions"], openapi_extra=_FILE)
    async def import_suppressions(request: Request, key: Suppressor) -> ImportResult:
        is_csv = _is_csv(request.headers.get("content-type", ""))
        try:
            text = (await _body(request)).decode("utf-8-sig")
            result = await take_file(office, text, is_csv=is_csv, source=f"import:{key.name}")
        except (UnicodeDecodeError, UnreadableFileError) as wrong:
            raise Problem(422, "invalid-request", f"the file cannot be read: {wrong}") from wrong
        return ImportResult.model_validate(msgspec.to_builtins(result))

    @routes.get("/suppressions:export", tags=["suppressions"], dependencies=READS_SUPPRESSIONS)
    async def export_suppressions(form: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv") -> Response:
        headers = {"content-disposition": f'attachment; filename="suppressions.{form}"'}
        return StreamingResponse(_export(office, is_csv=form == "csv"), media_type=MEDIA[form], headers=headers)


async def _page(office: Office, subject: str | None, given: str | None, limit: int) -> SuppressionPage:
    place = after(given, 4)
    async with office.database.transaction() as connection:
        rows = await table.page(connection, subject, (place[0], place[1], place[2], place[3]) if place else table.START, limit + 1)
    shown = rows[:limit]
    following = cursor(*table.place_of(shown[-1])) if len(rows) > limit else None
    return SuppressionPage(suppressions=[SuppressionRow(**row) for row in shown], cursor=following)


async def _say(office: Office, scope: SuppressionScope, *, stopped: bool, source: str) -> Suppressed:
    office.subject(scope.identifier)
    now = office.clock.now()
    said = fact(Line(**scope.model_dump(), stopped=stopped), now, office.identifier_key, source)
    if isinstance(said, str):
        field, _, detail = said.partition(": ")
        error = FieldError(pointer=f"/{field}", detail=detail)
        raise Problem(422, "invalid-request", said, errors=(error,))
    async with office.database.transaction() as connection:
        withdrawn = await stopping.record_facts(connection, [said], now, office.partitions)
    return Suppressed(subject=said.subject, withdrawn=withdrawn)


async def _export(office: Office, *, is_csv: bool) -> AsyncIterator[str]:
    """In pieces, so that a list of any length takes no more memory than one of them."""
    place, head = table.START, True
    while True:
        async with office.database.transaction() as connection:
            rows: Any = await table.page(connection, None, place, EXPORT_ROWS)
        lines = [msgspec.convert(row, Line) for row in rows]
        yield write_csv(lines, head=head) if is_csv else write_json(lines)
        if len(rows) < EXPORT_ROWS:
            return
        place, head = table.place_of(rows[-1]), False


def _is_csv(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"text/csv", "application/jsonl", "application/x-ndjson"}:
        raise Problem(415, "unsupported-media-type", "send text/csv, or application/jsonl with a JSON object in each line")
    return kind == "text/csv"


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > FILE_BYTES_MAX:
            raise Problem(413, "too-large", f"a file has at most {FILE_BYTES_MAX} bytes; cut it in two")
    return bytes(body)
