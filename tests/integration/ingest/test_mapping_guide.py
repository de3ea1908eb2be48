"""The guide to a mapping of one's own, command by command: every line of its shell blocks against ingest as it runs, on the real Kafka."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from nextwave_contracts.topics import HOLDS, MAPPINGS, TOPICS, TOUCHPOINTS
from nextwave_local.ports import free_port
from stack import Stack
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, key_of, write_keys

GUIDE = (Path(__file__).parents[3] / "docs" / "doors.md").read_text(encoding="utf-8")
SECTION = re.search(r"^## Your own mapping\n(.*?)(?=^## |\Z)", GUIDE, re.DOTALL | re.MULTILINE)
assert SECTION
BLOCKS = re.findall(r"^```sh\n(.*?)^```", SECTION[1], re.DOTALL | re.MULTILINE)


def script() -> str:
    """Every shell block in order. What a running stack alone knows, or scoring, is given from outside or left out; an error ends it."""
    lines = [line for block in BLOCKS for line in block.splitlines() if not line.startswith("export ") and "$S/" not in line]
    return "set -euo pipefail\n" + "\n".join(lines).replace("curl -sS ", "curl -sS --fail-with-body ")


@asynccontextmanager
async def running(stack: Stack, folder: Path) -> AsyncIterator[str]:
    """Ingest on this Kafka, ready; where it serves HTTP."""
    await stack.create_topics([topic.name for topic in TOPICS])
    port = free_port()
    environment = os.environ | {
        "NEXTWAVE_KAFKA": stack.bootstrap,
        "NEXTWAVE_PORT": str(port),
        "NEXTWAVE_KEYS_FILE": str(write_keys(folder, key_of("ringo"))),
        "NEXTWAVE_IDENTIFIER_KEY": IDENTIFIER_KEY,
        "NEXTWAVE_LINK_KEY": LINK_KEY,
    }
    service = await asyncio.create_subprocess_exec(sys.executable, "-m", "nextwave_ingest", env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(60), httpx.AsyncClient(base_url=url) as client:
            while not await _is_ready(client):  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.1)
        yield url
    finally:
        service.terminate()
        await service.wait()


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.HTTPError:
        return False  # it does not listen yet


def of_ringo(stack: Stack, topic: str) -> list[dict[str, Any]]:
    """What the guide's source left on a topic, on which other tests write too, and not only what can be read."""
    found = [json.loads(record.value) for record in stack.read_all(topic) if b'"ringo"' in record.value]
    return [one for one in found if one["source"] == "ringo"]


async def test_every_command_of_the_guide_succeeds_and_makes_what_it_says(stack: Stack, tmp_path: Path) -> None:
    async with running(stack, tmp_path) as url:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = os.environ | {"I": url, "TOKEN": "at_editor", "RINGO_KEY": "wk_ringo", "PATH": path}
        pipe, joined = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        shell = await asyncio.create_subprocess_exec("bash", "-c", script(), cwd=tmp_path, env=environment, stdout=pipe, stderr=joined)
        told, _ = await shell.communicate()
    assert shell.returncode == 0, told.decode()[-3000:]
    assert b'{"accepted":2,"ignored":1,"rejected":[]}' in told
    tried = json.loads((tmp_path / "tried.json").read_text())
    made = [(touchpoint["type"], touchpoint["id"]) for item in tried["items"] for touchpoint in item["touchpoints"]]
    assert made == [("call.abandoned", "r-17/lost"), ("call.wrapped_up", "r-18/closed")]
    assert tried["items"][2]["rules"][0]["conditions"] == [{"path": "$.kind", "wanted": "lost", "found": ["ringing"], "holds": False}]
    touchpoints = {one["id"]: one for one in of_ringo(stack, TOUCHPOINTS.name)}
    assert touchpoints["r-17/lost"]["identifiers"] == ["phone:+441614960100"]
    assert touchpoints["r-17/lost"]["data"] == {"call_id": "r-17", "queue": "sales", "wait_seconds": 90.0}
    assert touchpoints["r-18/closed"]["data"] == {"call_id": "r-18", "agent": "mia", "code": "NEVER_AGAIN", "refusal": True}
    assert [(hold["kind"], hold["channel"]) for hold in of_ringo(stack, HOLDS.name)] == [("opt_out", "call")]
    versions = [json.loads(record.value) for record in stack.read_all(MAPPINGS.name) if record.key == b"ringo"]
    assert [(one["version"], one.get("retired", False)) for one in versions] == [(1, False), (2, False), (3, False), (4, True), (5, False)]
    assert versions[2]["document"] == versions[0]["document"]
    assert versions[4]["document"] == versions[1]["document"], "the folder has the file as it was changed"
    assert json.loads((tmp_path / "before.json").read_text())["tables"]["codes"]["ANGRY"] == {"complaint": True}
