"""The simulator over real sockets: resets, silence and mail, which no in-memory transport can show."""

from __future__ import annotations

import json
import os
import smtplib
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep, time
from typing import Any

import httpx
import pytest
from nextwave_local import children
from nextwave_local.ports import free_ports

MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"


class _Doors(BaseHTTPRequestHandler):
    """Ingest and channels in one: answers 200 and remembers."""

    seen: list[tuple[str, str]]

    def _take(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.command, self.path))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST = _take  # noqa: N815  (the names in the standard library)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def doors() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    seen: list[tuple[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Doors", (_Doors,), {"seen": seen}))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


@pytest.fixture
def simulator(tmp_path: Path, doors: tuple[str, list[tuple[str, str]]]) -> Iterator[tuple[str, int]]:
    port, smtp_port = free_ports(2)
    settings = {
        "PORT": str(port),
        "SMTP_PORT": str(smtp_port),
        "LEDGER": str(tmp_path / "ledger.jsonl"),
        "INGEST_URL": doors[0],
        "CHANNELS_URL": doors[0],
        "WRITE_KEY": "wk",
        "TWILIO_ACCOUNT": "AC1",
        "TWILIO_TOKEN": "token",
        "MAIL_CALLBACK_SECRET": "whsec_AAAA",
        "CLOCK_SPEED": "100000",
        "CLOCK_EPOCH_SECONDS": str(time()),
        "CLOCK_ORIGIN": "2026-03-02T08:00:00Z",
    }
    environment = {**os.environ, **{f"NEXTWAVE_SIMULATOR_{name}": value for name, value in settings.items()}}
    command = children.Command(arguments=[sys.executable, "-m", "nextwave_local.simulator"], log=tmp_path / "log", environment=environment)
    child = children.start(command)
    url = f"http://127.0.0.1:{port}"
    limit = monotonic() + 60
    while not _answers(url):
        assert child.running(), children.last_lines(tmp_path / "log")
        assert monotonic() < limit
        sleep(0.05)
    yield url, smtp_port
    child.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.HTTPError:
        return False


def _send(url: str, seconds: float = 20.0) -> httpx.Response:
    form = {"To": "+14155550111", "From": "+14155550100", "Body": "hi"}
    return httpx.post(url + MESSAGES, data=form, auth=("AC1", "token"), timeout=seconds)


def _ledger(url: str) -> list[bool]:
    return [json.loads(line)["accepted"] for line in httpx.get(f"{url}/ledger").text.splitlines()]


def test_a_reset_after_acceptance_leaves_the_caller_in_the_dark(simulator: tuple[str, int]) -> None:
    httpx.put(f"{simulator[0]}/faults", json={"faults": [{"kind": "accept_then_reset"}]})
    with pytest.raises(httpx.ReadError, match="reset"):
        _send(simulator[0])
    assert _ledger(simulator[0]) == [True]


@pytest.mark.parametrize(("kind", "accepted"), [("accept_then_timeout", True), ("half_open", False)])
def test_silence_can_mean_both_and_the_ledger_knows_which(simulator: tuple[str, int], kind: str, accepted: bool) -> None:
    httpx.put(f"{simulator[0]}/faults", json={"faults": [{"kind": kind, "seconds": 30}]})
    with pytest.raises(httpx.ReadTimeout):
        _send(simulator[0], seconds=0.5)
    assert _ledger(simulator[0]) == [accepted]


def _mail(base: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "us@example.com", "ann@example.com", "hello"
    mail["X-Nextwave-Action"] = "act-1"
    mail["List-Unsubscribe"] = f"<{base}/u/tok-u>"
    mail.set_content(f"read {base}/r/tok-r")
    mail.add_alternative(f'<img src="{base}/o/tok-o">', subtype="html")
    return mail


def test_who_gets_a_mail_opens_clicks_and_buys_through_the_doors(
    simulator: tuple[str, int], doors: tuple[str, list[tuple[str, str]]]
) -> None:
    url, smtp_port = simulator
    habits = {"open": 1, "click": 1, "buy": 1}
    httpx.put(f"{url}/behaviour", json={"channels": {"email": habits}, "user_ids": {"ann@example.com": "u1"}})
    with smtplib.SMTP("127.0.0.1", smtp_port) as server:
        server.send_message(_mail(doors[0]))
    (shown,) = httpx.get(f"{url}/messages", params={"to": "ann@example.com"}).json()["items"]
    assert (shown["links"]["unsubscribe"], "Subject: hello" in shown["content"]) == (f"{doors[0]}/u/tok-u", True)
    limit = monotonic() + 60
    while len(doors[1]) < 4:
        assert monotonic() < limit
        sleep(0.1)
    paths = [path for _, path in doors[1]]
    assert sorted(paths) == sorted(["/v1/callbacks/mail", "/o/tok-o", "/r/tok-r", "/v1/track"])  # errands go side by side
    assert httpx.get(f"{url}/statistics").json()["touchpoints"] == 3


@pytest.mark.parametrize(("fault", "code"), [({"kind": "refuse"}, 550), ({"kind": "throttle"}, 451), ({"kind": "unavailable"}, 421)])
def test_a_mail_server_refuses_in_its_own_words(simulator: tuple[str, int], fault: dict[str, Any], code: int) -> None:
    httpx.put(f"{simulator[0]}/faults", json={"faults": [fault]})
    with smtplib.SMTP("127.0.0.1", simulator[1]) as server, pytest.raises(smtplib.SMTPDataError) as refused:
        server.send_message(_mail("http://127.0.0.1:9"))
    assert refused.value.smtp_code == code
    assert _ledger(simulator[0]) == [False]


def test_a_mail_that_was_taken_before_the_connection_broke_stands_in_the_ledger(simulator: tuple[str, int]) -> None:
    httpx.put(f"{simulator[0]}/faults", json={"faults": [{"kind": "accept_then_reset", "provider": "email"}]})
    server = smtplib.SMTP("127.0.0.1", simulator[1])
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        server.send_message(_mail("http://127.0.0.1:9"))
    assert _ledger(simulator[0]) == [True]


def test_a_dialler_calls_in_its_own_time_and_tells_what_came_of_it(
    simulator: tuple[str, int], doors: tuple[str, list[tuple[str, str]]]
) -> None:
    entry = {"to": "+14155550111", "reference": "act-1", "callback_url": f"{doors[0]}/v1/callbacks/dialler"}
    place = f"{simulator[0]}/dialler/v1/lists/renewals/entries/e1"
    assert httpx.put(place, json=entry, headers={"authorization": "Bearer token"}).status_code == 201
    limit = monotonic() + 60
    while len(doors[1]) < 2:
        assert monotonic() < limit
        sleep(0.1)
    assert doors[1] == [("POST", "/v1/callbacks/dialler")] * 2, "started and ended"
    assert _ledger(simulator[0]) == [True, False], "taken once, then called"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sms/v1/messages", {"to": "+14155550111", "from": "us", "text": "hi", "reference": "act-1"}),
        ("/dialler/v1/lists/l/entries/e", {"to": "+14155550111", "reference": "act-1"}),
    ],
)
def test_a_connection_can_be_reset_at_every_door_after_it_took_the_action(
    simulator: tuple[str, int], path: str, body: dict[str, str]
) -> None:
    httpx.put(f"{simulator[0]}/faults", json={"faults": [{"kind": "accept_then_reset"}]})
    method = "PUT" if "dialler" in path else "POST"
    with pytest.raises(httpx.ReadError, match="reset"):
        httpx.request(method, simulator[0] + path, json=body, headers={"authorization": "Bearer token"}, timeout=20)
    assert _ledger(simulator[0])[0] is True
