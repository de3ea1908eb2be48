"""The guide for campaign owners, command by command: its files and every line of its shell blocks, against the whole orchestrator."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.topics import CUSTOMERS, TOPICS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_ingest.doors.segment_mapping import Envelope, understand
from nextwave_local.ports import free_ports
from nextwave_orchestrator.fold import Decider
from nextwave_runtime.application import Taken, Work
from nextwave_runtime.auth import Key, KeyFile, hash_secret
from nextwave_runtime.database import Database
from stack import PARTITIONS, Stack
from unit.orchestrator.decision_world import MONDAY_NOON, campaign, catalogue, snapshot, wave

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "campaigns.md").read_text()
FILES = re.compile(r"^# (\w+/\S+\.yaml)\n(.*?)(?=^```|^# \w+/)", re.DOTALL | re.MULTILINE)
BLOCKS = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
SECRET = "secret"


def script() -> str:
    """Every shell block in order. What asks other services, or a running stack alone knows, is given from outside; an error ends it."""
    lines = [line for block in BLOCKS.findall(GUIDE) for line in block.splitlines()]
    asked = [line for line in lines if not line.startswith("export ") and not {"$I/", "$S/"} & set(re.findall(r"\$[A-Z]/", line))]
    text = "\n".join(asked).replace("curl -sS ", "curl -sS --fail-with-body ")
    return "set -euxo pipefail\n" + text.replace(":publish", ":publish && wait_for_a_decision", 1)


@asynccontextmanager
async def running(stack: Stack, folder: Path, dsn: str) -> AsyncIterator[str]:
    """The orchestrator on this database, ready; where it serves HTTP."""
    await stack.create_topics([topic.name for topic in TOPICS])
    key = Key(name="anna", kind="api", hash=hash_secret(SECRET, "p"), roles=("editor", "approver", "operator"))
    (folder / "keys.json").write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=(key,))))
    (port,) = free_ports(1)
    environment = os.environ | {
        "NEXTWAVE_KAFKA": stack.bootstrap,
        "NEXTWAVE_POSTGRES": dsn,
        "NEXTWAVE_PORT": str(port),
        "NEXTWAVE_KEYS_FILE": str(folder / "keys.json"),
        "NEXTWAVE_IDENTIFIER_KEY": "k" * 32,
        "NEXTWAVE_PARTITIONS": str(PARTITIONS),
    }
    migration = await asyncio.create_subprocess_exec(sys.executable, "-m", "nextwave_orchestrator", "migrate", env=environment)
    assert await migration.wait() == 0
    service = await asyncio.create_subprocess_exec(sys.executable, "-m", "nextwave_orchestrator", env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        await _ready(url)
        yield url
    finally:
        service.terminate()
        await service.wait()


async def _ready(url: str) -> None:
    async with asyncio.timeout(90), httpx.AsyncClient(base_url=url) as client:
        while not await _is_ready(client):  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.2)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.HTTPError:
        return False  # it does not listen yet


async def _decide(dsn: str) -> None:
    """A customer enters the guide's campaign, as the processor would write it."""
    rules = catalogue(campaign("winter-renewal", wave("tell", "email")))
    profile = snapshot(customer_id="c-1")
    cart = Touchpoint(
        id="t", source="s", type="cart.updated", identifiers=("email:a@b.de",), occurred_at=MONDAY_NOON, received_at=MONDAY_NOON
    )
    message = CustomerUpdated(customer_id="c-1", at=MONDAY_NOON, touchpoint=cart, profile=profile)
    taken = Taken(CUSTOMERS, 0, 0, MONDAY_NOON, message)
    decider, database = Decider(lambda: rules), Database(dsn)
    async with database.transaction() as connection:
        unit = await decider.load(connection, Work(CUSTOMERS, 0, PARTITIONS, MONDAY_NOON, [taken], []))
        list(decider.fold(unit, taken, MONDAY_NOON))
        await decider.save(connection, unit)
    await database.close()


async def test_every_command_of_the_guide_succeeds_in_its_order(stack: Stack, tmp_path: Path) -> None:
    dsn = await stack.create_database("guide")
    folder = tmp_path / "my-campaigns"
    for name, text in FILES.findall(GUIDE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    waiting = "wait_for_a_decision() { touch ../published; until [ -e ../decided ]; do sleep 0.1; done; }\n"
    async with running(stack, tmp_path, dsn) as url:
        environment = os.environ | {
            "O": url,
            "TOKEN": SECRET,
            "CUSTOMER": "c-1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        shell = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            waiting + script(),
            cwd=tmp_path,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = asyncio.create_task(shell.communicate())
        while not (tmp_path / "published").exists() and not said.done():  # noqa: ASYNC110  (a file of another process)
            await asyncio.sleep(0.1)
        await _decide(dsn)
        (tmp_path / "decided").touch()
        told, _ = await said
    assert shell.returncode == 0, told.decode()[-3000:]


def test_the_guide_has_commands_for_everything_an_owner_does() -> None:
    for word in (":lint", ":try", ":publish", ":migrate", ":drain", ":diff", "rules:import", "campaign plan", "campaign apply", ":replay"):
        assert word in script(), word


def test_what_the_guide_posts_to_the_shops_door_makes_a_customer_whom_its_campaign_lets_in() -> None:
    posted = re.findall(r'"\$I/v1/(\w+)" -d \'(.*?)\'', GUIDE)
    now = datetime.now(UTC)
    made = [understand(body.encode(), Envelope(source="shop", received_at=now, kind=kind)) for kind, body in posted]
    assert [one.type for one in made] == ["customer.identified", "customer.registered"]
    assert made[0].data["email"] == "ann@example.com"
    assert {name for one in made for name in one.identifiers} >= {"customer_id:ann"}
    assert "entry: {on: {event: customer.registered}}" in dict(FILES.findall(GUIDE))["campaigns/welcome.yaml"]
