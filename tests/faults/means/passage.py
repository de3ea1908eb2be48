"""One direction of a proxied connection, on bare sockets: a transport's own write buffer would go on sending after the network is cut."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

CHUNK_BYTES = 65_536
HELD_BYTES_MAX = 4 * 1024 * 1024
"""What one direction may hold before it stops reading: about the largest window that Linux gives a TCP connection."""
HELD_CHUNKS_MAX = 4096


@dataclass(frozen=True, slots=True)
class Weather:
    """What a direction does to its bytes. `delay_seconds` is asked once for each chunk."""

    passes: bool = True
    delay_seconds: Callable[[], float] | None = None


class Passage:
    """Bytes from `source` to `sink`, in order. `ended` is called after the end was passed on, `broken` when a socket fails."""

    def __init__(
        self, source: socket.socket, sink: socket.socket, weather: Weather, ended: Callable[[], None], broken: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._sink = sink
        self._weather = weather
        self._ended = ended
        self._broken = broken
        self._queue: deque[tuple[float, memoryview]] = deque()
        self._latest = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._reading = False
        self._writing = False
        self._last_read = False
        self.held_bytes = 0

    def change(self, weather: Weather) -> None:
        """Other weather, at once. What was delayed before leaves now if nothing delays any more, and keeps its time otherwise."""
        self._weather = weather
        if weather.delay_seconds is None:
            self._latest = 0.0
        self.move()

    def move(self) -> None:
        """Sends what is due, then reads on if it may."""
        self._stop_timer()
        try:
            blocked = self._send_due()
        except OSError:
            self._broken()
            return
        room = self.held_bytes < HELD_BYTES_MAX and len(self._queue) < HELD_CHUNKS_MAX
        self._watch(reading=room and self._weather.passes and not self._last_read, writing=blocked)

    def stop(self) -> None:
        """Touches the sockets no more."""
        self._stop_timer()
        self._watch(reading=False, writing=False)
        self._queue.clear()
        self._weather = Weather(passes=False)

    def _readable(self) -> None:
        try:
            data = self._source.recv(CHUNK_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._broken()
            return
        delay = self._weather.delay_seconds
        if delay is not None:
            self._latest = max(self._latest, self._loop.time() + delay())
        self._queue.append((self._latest, memoryview(data)))
        self.held_bytes += len(data)
        self._last_read = not data
        self.move()

    def _send_due(self) -> bool:
        """Whether the sink takes no more for now."""
        while self._queue and self._weather.passes:
            due, data = self._queue[0]
            if self._weather.delay_seconds is not None and due > self._loop.time():
                self._timer = self._loop.call_at(due, self.move)
                return False
            if not self._send(data):
                return True
        return False

    def _send(self, data: memoryview) -> bool:
        """Whether the first of the queue left entirely. No bytes are the end of the stream."""
        if not data:
            self._sink.shutdown(socket.SHUT_WR)
            self._queue.popleft()
            self._ended()
            return True
        try:
            sent = self._sink.send(data)
        except (BlockingIOError, InterruptedError):
            return False
        self.held_bytes -= sent
        if sent == len(data):
            self._queue.popleft()
            return True
        self._queue[0] = (0.0, data[sent:])
        return False

    def _watch(self, *, reading: bool, writing: bool) -> None:
        if reading != self._reading:
            self._reading = reading
            if reading:
                self._loop.add_reader(self._source, self._readable)
            else:
                self._loop.remove_reader(self._source)
        if writing != self._writing:
            self._writing = writing
            if writing:
                self._loop.add_writer(self._sink, self.move)
            else:
                self._loop.remove_writer(self._sink)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
