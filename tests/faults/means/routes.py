"""The routes of the proxy: a listening port, the connections that came through it, and the mode that all of them share."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from typing import Literal, assert_never

from faults.means.passage import Passage, Weather

HOST = "127.0.0.1"
ACCEPT_PAUSE_SECONDS = 0.1
Mode = Literal["pass", "cut", "blackhole", "slow", "half"]
"""`pass`: as if there were no proxy. `cut`: connections are reset, and new ones too. `blackhole`: everything stays open, also what is new,
and nothing arrives until it heals; then it arrives late, as TCP would send it again. `slow`: each chunk is late, in each direction.
`half`: requests arrive, answers do not."""


class Connection:
    """A client's connection and ours to the target, which is made when the way there is open."""

    def __init__(self, route: Route, client: socket.socket) -> None:
        self._route = route
        self._client = client
        self._target: socket.socket | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._passages: tuple[Passage, ...] = ()
        self._open_ends = 2

    @property
    def held_bytes(self) -> int:
        """Bytes that were read and not passed on."""
        return sum(passage.held_bytes for passage in self._passages)

    def change(self) -> None:
        """Follows the route's weather."""
        if self._connecting is None and self._route.there.passes:
            self._connecting = asyncio.create_task(self._connect())
        for passage, weather in zip(self._passages, (self._route.there, self._route.back), strict=False):
            passage.change(weather)

    def close(self, *, reset: bool) -> None:
        """Lets go of both sockets: both were ended, or they are reset."""
        if self._connecting is not None:
            self._connecting.cancel()
        for passage in self._passages:
            passage.stop()
        for one in (self._client, self._target):
            if one is not None:
                _close(one, reset=reset)
        self._route.leave(self)

    async def _connect(self) -> None:
        try:
            target = await _connected(self._route.target)
        except OSError:
            self._break()
            return
        self._target = target
        ways = ((self._client, target, self._route.there), (target, self._client, self._route.back))
        self._passages = tuple(Passage(*way, self._end, self._break) for way in ways)
        for passage in self._passages:
            passage.move()

    def _end(self) -> None:
        self._open_ends -= 1
        if not self._open_ends:
            self.close(reset=False)

    def _break(self) -> None:
        self.close(reset=True)


class Route:
    """A way from `listen` to `target`. It listens from the start and keeps its port, whatever the mode, so that nobody else takes it."""

    def __init__(self, name: str, listen: int, target: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._name = name
        self._connections: set[Connection] = set()
        self.target = target
        self.mode: Mode = "pass"
        self.there = self.back = Weather()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((HOST, listen))
        self._listener.listen(1024)
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener, self._accept)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    @property
    def held_bytes(self) -> int:
        """Bytes that were read and not passed on."""
        return sum(one.held_bytes for one in self._connections)

    def set(self, mode: Mode, milliseconds: float, jitter: float, seed: int) -> None:
        """Another mode, for the connections there are and for new ones."""
        self.mode = mode
        self.there, self.back = _weathers(mode, milliseconds, jitter, random.Random(f"{seed} {self._name}"))
        for one in tuple(self._connections):
            if mode == "cut":
                one.close(reset=True)
            else:
                one.change()

    def leave(self, connection: Connection) -> None:
        """A connection is over."""
        self._connections.discard(connection)

    def _accept(self) -> None:
        try:
            client = _plain(self._listener.accept()[0])
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no descriptors left: some will be given back
            self._loop.remove_reader(self._listener)
            self._loop.call_later(ACCEPT_PAUSE_SECONDS, self._loop.add_reader, self._listener, self._accept)
            return
        if self.mode == "cut":
            _close(client, reset=True)
            return
        connection = Connection(self, client)
        self._connections.add(connection)
        connection.change()


def _weathers(mode: Mode, milliseconds: float, jitter: float, chance: random.Random) -> tuple[Weather, Weather]:
    """The weather to the target and the weather back."""
    match mode:
        case "pass":
            return Weather(), Weather()
        case "cut" | "blackhole":
            return Weather(passes=False), Weather(passes=False)
        case "slow":
            slow = Weather(delay_seconds=lambda: max(0.0, chance.uniform(milliseconds - jitter, milliseconds + jitter)) / 1000)
            return slow, slow
        case "half":
            return Weather(), Weather(passes=False)
    assert_never(mode)


async def _connected(port: int) -> socket.socket:
    target = _plain(socket.socket())
    try:
        await asyncio.get_running_loop().sock_connect(target, (HOST, port))
    except BaseException:
        target.close()
        raise
    return target


def _plain(one: socket.socket) -> socket.socket:
    one.setblocking(False)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def _close(one: socket.socket, *, reset: bool) -> None:
    if reset:  # closing with no time to linger sends RST instead of FIN
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
