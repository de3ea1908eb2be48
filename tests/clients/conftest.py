"""The real ingest application under uvicorn on a loopback port, over a committer in memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from clients.serving import Served
from nextwave_contracts.clock import ClockSetting
from nextwave_ingest.app import create_app
from nextwave_ingest.settings import IngestSettings
from nextwave_runtime.clock import SystemClock
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, MemoryCommitter, write_keys


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    committer = MemoryCommitter()
    settings = IngestSettings(keys_file=write_keys(tmp_path), identifier_key=IDENTIFIER_KEY, link_key=LINK_KEY, trace_ratio=0.0)
    app = create_app(settings, committer, SystemClock(ClockSetting()))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    limit = time.monotonic() + 30
    while not server.started and time.monotonic() < limit:
        time.sleep(0.01)
    assert server.started, "uvicorn did not start"
    yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", committer)
    server.should_exit = True
    thread.join(10)
