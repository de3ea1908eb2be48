"""The real ingest application for real clients, as it is and behind a proxy that fails by a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from clients import faulty
from clients.cases import PLANS
from clients.collector import Collector
from clients.faulty import FaultyProxy
from clients.serving import Served, ingest, listening
from nextwave_ingest.reception import Committer
from nextwave_ingest.records import Record
from nextwave_runtime.health import App, Receive, Scope, Send
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import MemoryCommitter


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    committer = MemoryCommitter()
    with listening(ingest(tmp_path, committer)) as port:
        yield Served(f"http://127.0.0.1:{port}", committer)


class InTrouble:
    """A committer that never commits."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def commit(self, records: Iterable[Record]) -> None:  # noqa: ARG002  (the port's name)
        raise self._error


class Chosen:
    """The application whose committer is in the trouble that the request asks for."""

    def __init__(self, well: App, troubled: dict[bytes, App]) -> None:
        self._well = well
        self._troubled = troubled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trouble = dict(scope["headers"]).get(b"x-trouble")
        await (self._well if trouble is None else self._troubled[trouble])(scope, receive, send)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    folder = tmp_path_factory.mktemp("keys")
    committer = MemoryCommitter()
    troubles: dict[bytes, Committer] = {
        b"429": InTrouble(Problem(429, "overloaded", "later", retry_after_seconds=1)),
        b"503": InTrouble(Problem(503, "log-unavailable", "later", retry_after_seconds=1)),
        b"500": InTrouble(RuntimeError("a fault of ours")),
    }
    app = Chosen(ingest(folder, committer), {name: ingest(folder, trouble) for name, trouble in troubles.items()})
    with listening(app) as port:
        proxy = FaultyProxy(port, PLANS)
        with faulty.running(proxy) as url:
            yield Collector(url, f"http://127.0.0.1:{port}", proxy, committer)
