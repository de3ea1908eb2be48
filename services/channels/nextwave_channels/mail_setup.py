"""The mail server, letterhead and signature of e-mail, as the settings say."""

from __future__ import annotations

from datetime import UTC, datetime

from nextwave_runtime.clock import WallClock

from nextwave_channels.adapters.email import Access, Email
from nextwave_channels.dkim import Signer, read_key
from nextwave_channels.mail import REWRITTEN, Letterhead, address_of
from nextwave_channels.settings import MailSettings


def make_email(settings: MailSettings, clock: WallClock, answer_seconds: float) -> Email:
    """The adapter of e-mail. `answer_seconds`: for the server's word on a mail. Raises `ValueError` for settings that cannot be meant."""
    letterhead = Letterhead(
        sender=settings.mail_from,
        links_url=settings.ingest_url,
        key=settings.link_key.get_secret_value().encode(),
        provider=settings.mail_provider,
        bounces=settings.bounce_address,
        signer=_signer(settings),
    )
    access = Access(
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        ca_file=settings.smtp_ca_file,
    )
    wall = clock.wall
    return Email(settings.smtp, letterhead, access=access, answer_seconds=answer_seconds, wall=lambda: datetime.fromtimestamp(wall(), UTC))


def _signer(settings: MailSettings) -> Signer | None:
    key = settings.dkim_key.get_secret_value()
    if bool(key) != bool(settings.dkim_selector):
        raise ValueError("NEXTWAVE_DKIM_KEY and NEXTWAVE_DKIM_SELECTOR go together: set both, or none")
    if not key:
        return None
    domain = settings.dkim_domain or address_of(settings.mail_from).rpartition("@")[2]
    rewritten = REWRITTEN.get(settings.mail_provider, frozenset())
    return Signer(domain=domain, selector=settings.dkim_selector, key=read_key(key), rewritten=rewritten)
