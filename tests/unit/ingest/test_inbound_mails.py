"""Mails that wait to be read: bounded in bytes and number, and in nobody else's way."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from nextwave_ingest.doors import inbound
from nextwave_ingest.mappings import bodies
from nextwave_ingest.mappings.mail import mail_of
from unit.ingest.fakes import Stand, stand

MAIL = b"From: ann@example.com\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"
LARGE = MAIL + b"x" * 600_000


class Reader:
    """Reads mails once it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.begun = threading.Semaphore(0)
        self.threads: set[str] = set()

    def read(self, raw: bytes) -> dict[str, Any]:
        self.threads.add(threading.current_thread().name)
        self.begun.release()
        assert self.may.wait(30)
        return mail_of(raw)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    made = Reader()
    monkeypatch.setattr(bodies, "mail_of", made.read)
    yield made
    made.may.set()


async def under_way(door: Stand, reader: Reader, content: bytes) -> asyncio.Task[httpx.Response]:
    sent = asyncio.create_task(door.post("/v1/inbound/shop/email-mime", content=content))
    assert await asyncio.to_thread(reader.begun.acquire, timeout=20)
    return sent


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_mail_has_its_room_until_it_is_read(tmp_path: Path, reader: Reader, encoding: str) -> None:
    door = stand(tmp_path, arriving_bytes_max=1_000_000)
    first = await under_way(door, reader, LARGE)
    sent, said = LARGE if encoding == "identity" else gzip.compress(LARGE), {"content-encoding": encoding}
    async with asyncio.timeout(20):
        refused = await door.post("/v1/inbound/shop/email-mime", content=sent, headers=said)
        other = await door.post("/v1/inbound/shop/sms-gateway", {"id": "1", "from": "+14155550100", "text": "STOP"})
    assert (refused.status_code, refused.headers["retry-after"], other.status_code) == (429, "1", 202)
    reader.may.set()
    assert (await first).status_code == 202
    assert (await door.post("/v1/inbound/shop/email-mime", content=sent, headers=said)).status_code == 202


async def test_so_many_mails_wait_and_no_more_in_threads_of_their_own(
    tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "WAITING_MAX", inbound.THREADS)
    door = stand(tmp_path)
    waiting = [await under_way(door, reader, MAIL) for _ in range(inbound.THREADS)]
    async with asyncio.timeout(20):
        refused = await door.post("/v1/inbound/shop/email-mime", content=MAIL)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    reader.may.set()
    assert [(await one).status_code for one in waiting] == [202] * inbound.THREADS
    assert {name.rpartition("_")[0] for name in reader.threads} == {"long"}
    assert len(reader.threads) == inbound.THREADS
    assert (await door.post("/v1/inbound/shop/email-mime", content=MAIL)).status_code == 202
