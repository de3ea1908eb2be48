"""The mail server: takes every mail as a provider's would, finds our links in it, and goes wrong as the fault menu says."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, Envelope, Session

from nextwave_local.simulator.connections import reset
from nextwave_local.simulator.faults import Fault
from nextwave_local.simulator.message import Message, links_in
from nextwave_local.simulator.world import World

MAIL_BYTES_MAX = 1_000_000
SILENCE_SECONDS_MAX = 600.0


class MailDoor:
    """aiosmtpd's handler."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002  (aiosmtpd's name)
        """Takes one mail, or does what the menu says."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        answers = []
        for address in envelope.rcpt_tos:
            message = read(raw, address, self._world.doors.ingest_url)
            verdict = self._world.receive(message, raw)
            answers.append(await _answer(server, verdict.fault, verdict.message.sid))
        return answers[-1] if answers else "554 5.5.1 no valid recipients"


def read(raw: bytes, address: str, base: str) -> Message:
    """The action and our links of a mail, from its headers and its text parts."""
    mail = message_from_bytes(raw, policy=policy.default)
    texts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
    unsubscribe = str(mail.get("List-Unsubscribe", ""))
    links = links_in(f"{unsubscribe}\n" + "\n".join(texts), base)
    action_id = str(mail.get("X-Nextwave-Action", "")).strip()
    return Message(provider="smtp", kind="email", action_id=action_id, to=address, links=links)


def listener(world: World) -> SMTP:
    """One connection's protocol."""
    return SMTP(
        MailDoor(world), data_size_limit=MAIL_BYTES_MAX, enable_SMTPUTF8=True, hostname="simulator", loop=asyncio.get_running_loop()
    )


async def _answer(server: SMTP, fault: Fault | None, sid: str) -> str:
    taken = f"250 2.0.0 queued as {sid}"
    if fault is None:
        return taken
    match fault.kind:
        case "refuse":
            status, code, words = (450, "4.2.1", "mailbox busy") if fault.temporary else (550, "5.1.1", "no such mailbox")
            return f"{fault.status or status} {fault.code or code} {words}"
        case "throttle":
            return "451 4.7.1 too many messages, try again later"
        case "unavailable":
            return "421 4.3.2 service not available"
        case "accept_then_reset":
            _drop(server)
        case "accept_then_timeout" | "half_open":
            await asyncio.sleep(min(fault.seconds, SILENCE_SECONDS_MAX))
            _drop(server)
        case "slow_first_byte" | "slow_body":
            await asyncio.sleep(min(fault.seconds, SILENCE_SECONDS_MAX))
        case "wrong_content_type" | "truncated_json":
            return "299"
    return taken


def _drop(server: SMTP) -> None:
    if server.transport is not None:
        reset(server.transport)
