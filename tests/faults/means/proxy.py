"""A TCP proxy that breaks the network between two processes, as a program of its own so that the harness's load does not slow it.

`python -m faults.means.proxy` takes one JSON command a line from standard input and answers each with a line; it ends when its input does,
so it never outlives the harness. `Proxies` is the harness's side of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
import uvloop

from faults.means.routes import Mode, Route

TESTS = Path(__file__).parents[2]
ANSWER_SECONDS = 10.0
END_SECONDS = 5.0


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Routes that are wanted: name → (listening port, target port)."""

    routes: dict[str, tuple[int, int]]


class Turn(msgspec.Struct, frozen=True, tag="turn"):
    """A mode for some routes. `milliseconds` and `jitter` (both ways from it) are for `slow`; `seed` makes the jitter repeatable."""

    names: list[str]
    mode: Mode
    milliseconds: float = 0.0
    jitter: float = 0.0
    seed: int = 0


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Only the answer is wanted."""


class Traffic(msgspec.Struct, frozen=True):
    """A route now. `held_bytes` were read from one side and not yet sent to the other."""

    mode: Mode
    connections: int
    held_bytes: int


class Answer(msgspec.Struct, frozen=True):
    """To the command of that number, from 1: what was wrong with it, if anything, and how every route is just after it."""

    number: int
    fault: str
    traffic: dict[str, Traffic]


class ProxyError(RuntimeError):
    """The proxy refused a command or is gone."""


class Proxies:
    """The proxy program as the harness holds it. Every method raises `ProxyError`."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._asked = 0

    @property
    def pid(self) -> int:
        """The program's process id."""
        if self._process is None:
            raise ProxyError("the proxy was not started")
        return self._process.pid

    async def start(self, routes: Mapping[str, tuple[int, int]]) -> None:
        """Starts the program with routes `name → (listening port, target port)`, all of them passing."""
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "faults.means.proxy", stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True
        )
        try:
            await self._ask(Open(dict(routes)))
        except BaseException:
            await self.close()
            raise

    async def set(
        self, names: Collection[str], mode: Mode, milliseconds: float = 0.0, jitter: float = 0.0, seed: int = 0
    ) -> dict[str, Traffic]:
        """Turns routes to a mode; it is in force when this returns. The traffic of all routes just after."""
        return await self._ask(Turn(list(names), mode, milliseconds, jitter, seed))

    async def look(self) -> dict[str, Traffic]:
        """Every route as it is now."""
        return await self._ask(Look())

    async def close(self) -> None:
        """Ends the program and with it every connection. May be called again."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _ask(self, command: Open | Turn | Look) -> dict[str, Traffic]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ProxyError("the proxy was not started")
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    process.stdin.write(msgspec.json.encode(command) + b"\n")
                    self._asked += 1
                    answer = await self._answered(process.stdout)
            except (TimeoutError, ConnectionError) as failed:
                raise ProxyError(f"the proxy does not answer: {failed!r}") from failed
        if answer.fault:
            raise ProxyError(answer.fault)
        return answer.traffic

    async def _answered(self, answers: asyncio.StreamReader) -> Answer:
        """The answer to the last command; those to commands that were given up are passed over."""
        while line := await answers.readline():
            answer = msgspec.json.decode(line, type=Answer)
            if answer.number == self._asked:
                return answer
        raise ProxyError("the proxy has ended")


def obey(line: bytes, routes: dict[str, Route]) -> str:
    """Does what one line says. What was wrong with it, or an empty text."""
    try:
        command = msgspec.json.decode(line, type=Open | Turn | Look)
        match command:
            case Open(routes=wanted):
                routes.update({name: Route(name, *ports) for name, ports in wanted.items()})
            case Turn(names=names):
                for route in [routes[name] for name in names]:
                    route.set(command.mode, command.milliseconds, command.jitter, command.seed)
            case Look():
                pass
    except (OSError, KeyError, msgspec.DecodeError) as failed:
        return f"{type(failed).__name__}: {failed}"
    return ""


async def serve() -> None:
    """The program: until its input ends."""
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin.buffer)
    routes: dict[str, Route] = {}
    number = 0
    while line := await commands.readline():
        number += 1
        fault = obey(line, routes)
        traffic = {name: Traffic(route.mode, route.connections, route.held_bytes) for name, route in routes.items()}
        sys.stdout.buffer.write(msgspec.json.encode(Answer(number, fault, traffic)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(serve())
