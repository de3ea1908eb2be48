"""Starts the benchmark's own programs: the load generator, and the services that are the limits."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
from nextwave_local import children
from nextwave_local.ports import free_port
from ring.ring import until

from bench.load import Plan, Posted
from bench.traffic import Door

TESTS = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}


class BenchError(RuntimeError):
    """The measurement is void; the message says why."""


@dataclass(frozen=True)
class Serving:
    """A running service of the benchmark."""

    url: str
    pid: int


@asynccontextmanager
async def serving(
    module: str, folder: Path, settings: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> AsyncIterator[Serving]:
    """Runs `python -m bench.<module>` as services run, with these settings; ready when entered, drained and ended when left."""
    keys = folder / "bench-keys.json"
    keys.write_text('{"pepper": "p", "keys": []}')
    port = free_port()
    known = {"PORT": str(port), "KEYS_FILE": str(keys), "IDENTIFIER_KEY": "x" * 32, "LOG_LEVEL": "warning", **settings}
    told = ENVIRONMENT | {f"NEXTWAVE_{name}": value for name, value in known.items()} | dict(environment or {})
    log = folder / f"bench-{module}.log"
    command = children.Command(arguments=[sys.executable, "-m", f"bench.{module}"], log=log, environment=told)
    child = children.start(command, grace_seconds=30)
    try:
        running = Serving(f"http://127.0.0.1:{port}", child.pid)
        await until(lambda: _is_ready(running.url), f"bench.{module}, see {log}")
        yield running
    finally:
        await asyncio.to_thread(child.stop)


async def _is_ready(url: str) -> bool:
    async with httpx.AsyncClient(timeout=2) as client:
        try:
            return (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


async def post(door: Door, requests: Sequence[bytes], *, connections: int = 64, seconds: float = 0.0, rate: float = 0.0) -> Posted:
    """Lets the load generator post, see `Plan`. Raises `BenchError` when anything was refused."""
    plan = Plan(host=door.host, port=door.port, requests=list(requests), connections=connections, seconds=seconds, rate=rate)
    posted = msgspec.json.decode(await run("load", msgspec.msgpack.encode(plan)), type=Posted)
    if posted.failed:
        raise BenchError(f"{posted.failed} of {posted.answered + posted.failed} requests to {door.url} failed")
    return posted


async def run(module: str, given: bytes) -> bytes:
    """What `python -m bench.<module>` prints when it reads `given`."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"bench.{module}", stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT
    )
    try:
        printed, errors = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise BenchError(f"bench.{module} failed:\n{errors.decode(errors='replace')[-2000:]}")
    return printed


async def taken(client: httpx.AsyncClient, url: str, processor: str) -> float:
    """How many messages a processor has taken in since it started, from its `/metrics`."""
    text = (await client.get(f"{url}/metrics")).text
    line = f'nextwave_processor_taken_total{{processor="{processor}"}} '
    return float(next((known.removeprefix(line) for known in text.splitlines() if known.startswith(line)), 0.0))


async def until_taken(client: httpx.AsyncClient, wanted: Mapping[tuple[str, str], float], seconds: float = 300) -> None:
    """Waits until each (url, processor) has taken in so many messages. Raises `AssertionError` when they do not come."""

    async def done() -> bool:
        return all([await taken(client, *where) >= count for where, count in wanted.items()])

    await until(done, f"{wanted} messages taken in", seconds, every=0.05)
