"""Adapters against small real servers on loopback: taken, refused, or uncertain, by what the server really did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from urllib.parse import parse_qs

import pytest
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from channel_contacts import a_contact
from nextwave_channels.adapters.call import Call
from nextwave_channels.adapters.email import Email
from nextwave_channels.adapters.sms import Sms
from nextwave_channels.adapters.twilio import Account
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.http_port import Http
from nextwave_channels.mail import Letterhead
from nextwave_contracts.actions import Content
from nextwave_contracts.links import verify
from starlette.types import Receive, Scope, Send

LETTERHEAD = Letterhead(sender="Nextwave <news@shop.example>", links_url="http://127.0.0.1:1", key=b"k" * 32)
SMS = a_contact(channel="sms", address="+14155550100", content=Content(text="Hi & bye"))


class Mailbox:
    """An SMTP handler that answers as told and counts connections."""

    def __init__(self, *, rcpt: str = "", data: str = "250 OK queued") -> None:
        self.rcpt = rcpt
        self.data = data
        self.mails: list[bytes] = []
        self.connections = 0
        self.servers: list[SMTP] = []

    def make(self) -> SMTP:
        self.connections += 1
        self.servers.append(SMTP(self, hostname="test", enable_SMTPUTF8=False))
        return self.servers[-1]

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802  (aiosmtpd's own)
        if self.rcpt == "drop":
            _cut(server)
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's own)
        assert isinstance(envelope.content, bytes)
        if self.data != "550 no":
            self.mails.append(envelope.content)
        if self.data == "drop":
            _cut(server)
        if self.data == "hang":
            await asyncio.sleep(2)
        return self.data


def _cut(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


@asynccontextmanager
async def mail_server(box: Mailbox) -> AsyncIterator[Email]:
    server = await asyncio.get_running_loop().create_server(box.make, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    adapter = Email(f"127.0.0.1:{port}", LETTERHEAD, answer_seconds=0.5)
    try:
        yield adapter
    finally:
        await adapter.close()
        server.close()


async def test_a_mail_arrives_with_its_action_and_connections_are_reused() -> None:
    box = Mailbox()
    async with mail_server(box) as adapter:
        answers = [await adapter.send(a_contact(action_id=f"a{n}")) for n in range(3)]
    assert [type(a) for a in answers] == [Accepted] * 3
    assert [message_from_bytes(m)["X-Nextwave-Action"] for m in box.mails] == ["a0", "a1", "a2"]
    assert box.connections == 1
    token = str(message_from_bytes(box.mails[0])["List-Unsubscribe"]).rpartition("/u/")[2].rstrip(">")
    assert verify(token, b"k" * 32).action_id == "a0"


@pytest.mark.parametrize(
    ("box", "answer"),
    [
        (Mailbox(rcpt="550 5.1.1 no such user"), Refused(detail="550 5.1.1 no such user", permanent=True, bounced=True)),
        (Mailbox(rcpt="450 later"), Refused(detail="450 later", permanent=False)),
        (Mailbox(data="550 no"), Refused(detail="550 no", permanent=True)),
        (Mailbox(data="451 try again"), Refused(detail="451 try again", permanent=False)),
    ],
)
async def test_an_answer_of_four_or_five_hundred_is_a_sure_refusal(box: Mailbox, answer: Answer) -> None:
    async with mail_server(box) as adapter:
        assert await adapter.send(a_contact()) == answer
        assert await adapter.send(a_contact()) == answer
    assert box.connections == 1


async def test_a_connection_lost_before_the_message_is_a_sure_refusal() -> None:
    async with mail_server(Mailbox(rcpt="drop")) as adapter:
        answer = await adapter.send(a_contact())
    assert isinstance(answer, Refused)
    assert not answer.permanent


@pytest.mark.parametrize("what", ["drop", "hang"])
async def test_a_mail_that_was_taken_without_an_answer_is_uncertain(what: str) -> None:
    box = Mailbox(data=what)
    async with mail_server(box) as adapter:
        assert isinstance(await adapter.send(a_contact()), Uncertain)
        assert len(box.mails) == 1


async def test_a_kept_connection_that_died_is_replaced_without_doubt() -> None:
    box = Mailbox()
    async with mail_server(box) as adapter:
        await adapter.send(a_contact())
        _cut(box.servers[0])
        await asyncio.sleep(0.05)
        assert isinstance(await adapter.send(a_contact(action_id="b")), Accepted)
    assert len(box.mails) == 2


async def test_nobody_listening_is_a_sure_and_temporary_refusal() -> None:
    answer = await Email("127.0.0.1:1", LETTERHEAD).send(a_contact())
    assert answer == Refused(detail="not reached: SMTPConnectError", permanent=False, down=True)


async def test_a_header_injection_is_refused_before_anything_is_connected() -> None:
    contact = a_contact(address="ann@example.com\r\nBcc: eve@evil.example")
    answer = await Email("127.0.0.1:1", LETTERHEAD).send(contact)
    assert isinstance(answer, Refused)
    assert answer.permanent


class Gateway:
    """A Twilio-shaped server: keeps the forms, answers with `status`, `headers`, `body`, or breaks off."""

    def __init__(self, status: int = 201, body: bytes = b'{"sid":"SM1"}', headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers or []
        self.forms: list[tuple[str, dict[str, list[str]]]] = []
        self.authorization = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.authorization = dict(scope["headers"])[b"authorization"].decode()
        self.forms.append((scope["path"], parse_qs(body.decode())))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


@asynccontextmanager
async def gateway(app: Gateway) -> AsyncIterator[Account]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield account(port)
    finally:
        server.should_exit = True
        await serving


def account(port: int) -> Account:
    return Account(url=f"http://127.0.0.1:{port}", sid="AC1", token="t", callbacks_url="https://channels.example/")


async def test_a_text_goes_out_with_its_callback_and_comes_back_with_its_id() -> None:
    app = Gateway()
    async with gateway(app) as reached:
        sms = Sms(Http(), reached, "+1999")
        assert await sms.send(SMS) == Accepted(provider_id="SM1")
        await sms.close()
    assert app.authorization == "Basic QUMxOnQ="
    assert app.forms == [
        (
            "/2010-04-01/Accounts/AC1/Messages.json",
            {
                "To": ["+14155550100"],
                "From": ["+1999"],
                "Body": ["Hi & bye"],
                "StatusCallback": ["https://channels.example/v1/callbacks/twilio?action=action-1"],
            },
        )
    ]


async def test_a_call_speaks_its_text_and_asks_whether_a_human_answered() -> None:
    app = Gateway(body=b'{"sid":"CA1"}')
    async with gateway(app) as reached:
        call = Call(Http(), reached, "+1999")
        assert await call.send(SMS) == Accepted(provider_id="CA1")
        await call.close()
    path, form = app.forms[0]
    assert path.endswith("/Calls.json")
    assert form["Twiml"] == ["<Response><Say>Hi &amp; bye</Say></Response>"]
    assert form["MachineDetection"] == ["Enable"]
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]


async def test_a_gateways_wish_to_wait_is_passed_on() -> None:
    async with gateway(Gateway(status=429, body=b"", headers=[(b"retry-after", b"9")])) as reached:
        sms = Sms(Http(), reached, "+1999")
        assert await sms.send(SMS) == Refused(detail="429", permanent=False, retry_after_seconds=9.0)
        await sms.close()


@asynccontextmanager
async def breaking_server(answer: Callable[[asyncio.StreamWriter], None]) -> AsyncIterator[Account]:
    """Reads a whole request, then does `answer` with the connection and no more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(65_536)
        answer(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield account(server.sockets[0].getsockname()[1])
    finally:
        server.close()


@pytest.mark.parametrize(
    "answer",
    [
        lambda writer: writer.transport.abort(),
        lambda writer: writer.close(),
        lambda _writer: None,
        lambda writer: writer.write(b"garbage\r\n\r\n"),
    ],
)
async def test_a_request_that_was_written_and_not_answered_is_uncertain(answer: Callable[[asyncio.StreamWriter], None]) -> None:
    async with breaking_server(answer) as reached:
        sms = Sms(Http(answer_seconds=0.3), reached, "+1999")
        assert isinstance(await sms.send(SMS), Uncertain)
        await sms.close()


async def test_a_status_that_came_counts_even_if_its_body_broke_off() -> None:
    def half(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{")
        writer.close()

    async with breaking_server(half) as reached:
        sms = Sms(Http(), reached, "+1999")
        assert await sms.send(SMS) == Accepted()
        await sms.close()


async def test_a_gateway_that_cannot_be_reached_has_surely_not_sent() -> None:
    sms = Sms(Http(), account(1), "+1999")
    assert await sms.send(SMS) == Refused(detail="not reached: ConnectError", permanent=False, down=True)
    await sms.close()
