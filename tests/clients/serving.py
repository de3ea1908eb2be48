"""What the client tests talk to: the real ingest application under uvicorn on a loopback port, over a committer in memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from nextwave_contracts.clock import ClockSetting
from nextwave_ingest.app import Followed, create_app
from nextwave_ingest.mappings.document import Document
from nextwave_ingest.mappings.library import Library, shipped
from nextwave_ingest.mappings.log import MappingLog
from nextwave_ingest.reception import Committer
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.settings import IngestSettings
from nextwave_ingest.sources.telling import Telling
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.health import App
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, MemoryCommitter, write_keys


@dataclass(frozen=True)
class Served:
    """Where ingest listens, and what it committed."""

    url: str
    committer: MemoryCommitter


def ingest(folder: Path, committer: Committer, *documents: Document, **settings: Any) -> App:
    """The application with the write keys of the tests, the mappings that are shipped, and more."""
    usual: dict[str, Any] = {"identifier_key": IDENTIFIER_KEY, "link_key": LINK_KEY, "trace_ratio": 0.0}
    chosen = IngestSettings(keys_file=write_keys(folder), **(usual | settings))
    mappings, telling = MappingLog(committer, Library([*shipped(), *documents])), Telling(committer, "test")
    return create_app(chosen, committer, SystemClock(ClockSetting()), Followed(mappings, telling, Marks()))


@contextmanager
def listening(app: App) -> Iterator[int]:
    """The application in a thread of its own; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    limit = time.monotonic() + 30
    while not server.started and time.monotonic() < limit:
        time.sleep(0.01)
    assert server.started, "uvicorn did not start"
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
