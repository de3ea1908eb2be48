"""A folder of mappings, and an ingest in this process that it is applied to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from nextwave_local.command import app
from typer.testing import CliRunner, Result
from unit.ingest.fakes import Stand

CALLS = """
description: Calls of Ringo
unmatched: ignore
tables: {codes: {ANGRY: {complaint: true}}}
touchpoints:
  - when: {$.kind: closed}
    type: call.wrapped_up
    id: $.call
    identifiers: {phone: $.caller}
    data: {"*": {table: codes, key: $.code}}
"""
"""With a word that says what is so anyway, as people write it."""
BRANCH = "{extends: ringo, tables: {codes: {NEVER: {refusal: true}}}}\n"
SHIPPED = f"name: plain-calls{CALLS}"


class Shelf:
    """A folder of mappings, and an ingest in this process that it is applied to."""

    def __init__(self, folder: Path, ingest: Stand) -> None:
        self.folder = folder
        self.ingest = ingest
        self.role = "editor"
        self.write("ringo.yaml", CALLS)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def connect(self, *_: object) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer at_{self.role}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.ingest.app), base_url="http://test", headers=headers)

    def say(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["mapping", command, *(arguments or [str(self.folder)])])

    def put(self, name: str, text: str) -> None:
        """Somebody else writes it."""

        async def put() -> None:
            async with self.connect() as client:
                answer = await client.put(f"/v1/mappings/{name}", content=text, headers={"content-type": "application/yaml"})
                answer.raise_for_status()

        asyncio.run(put())

    @property
    def versions(self) -> dict[str, int]:
        """What was written, by name the newest version."""
        history = self.ingest.mappings.history
        return {name: history.number(name) for name in history.names()}
