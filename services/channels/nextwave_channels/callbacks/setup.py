"""Which providers call back here, by the secrets that are set. A secret may be several, separated by spaces, while it is replaced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter
from nextwave_contracts.sendgrid_signature import read_key
from nextwave_runtime.auth import Keyring

from nextwave_channels.adapters.twilio import Account
from nextwave_channels.callbacks import look_up, routes
from nextwave_channels.callbacks.dialler import DiallerCallbacks
from nextwave_channels.callbacks.dsn import Dsn
from nextwave_channels.callbacks.evidence import Provider
from nextwave_channels.callbacks.inbox import Inbox, watch_unmatched
from nextwave_channels.callbacks.mailgun import Mailgun
from nextwave_channels.callbacks.postmark import Postmark
from nextwave_channels.callbacks.sendgrid import SendGrid
from nextwave_channels.callbacks.sns import Fetch, Ses
from nextwave_channels.callbacks.standard import Standard
from nextwave_channels.callbacks.twilio import Twilio
from nextwave_channels.claiming import Desk
from nextwave_channels.http_port import Http
from nextwave_channels.settings import CallbackSettings, ChannelsSettings, MailSettings, TwilioSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What takes callbacks in: its routes, its background job, what it closes at the end."""

    router: APIRouter
    watch: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


def make_callbacks(settings: ChannelsSettings, desk: Desk) -> Callbacks:
    """The doors that the settings open. Raises `ValueError` for a key that is none."""
    key = settings.identifier_key.get_secret_value().encode()
    inbox = Inbox(database=desk.database, clock=desk.clock, partitions=desk.partitions, identifier_key=key)
    fetching = Http(connections=4)
    doors = providers(settings.callbacks, settings.mail, settings.twilio, fetching)
    router = APIRouter()
    router.include_router(routes.router(inbox, doors, settings.channels_url))
    keyring = Keyring(settings.keys_file)
    router.include_router(routes.listing(inbox, keyring))
    router.include_router(look_up.router(inbox, keyring, look_up.Twilio(_account(settings), fetching)))
    return Callbacks(router=router, watch=partial(watch_unmatched, inbox), close=fetching.close)


def _account(settings: ChannelsSettings) -> Account:
    phone = settings.twilio
    token = phone.twilio_token.get_secret_value()
    return Account(url=phone.twilio_url, sid=phone.twilio_account, token=token, callbacks_url=settings.channels_url)


def providers(callbacks: CallbackSettings, mail: MailSettings, phone: TwilioSettings, http: Fetch) -> dict[str, Provider]:
    """The doors that are open. Raises `ValueError` for a key that is none."""
    standard = Standard(tuple(mail.mail_callback_secret.get_secret_value().split()))
    doors: dict[str, Provider] = {"generic": standard, "mail": standard, "dialler": DiallerCallbacks(standard.secrets)}
    token = phone.twilio_token.get_secret_value()
    tokens = (*([token] if token else []), *callbacks.twilio_webhook_secrets.get_secret_value().split())
    if tokens:
        doors["twilio"] = Twilio(tokens)
    if keys := callbacks.sendgrid_keys.split():
        doors["sendgrid"] = SendGrid(tuple(read_key(key) for key in keys))
    if secrets := callbacks.mailgun_keys.get_secret_value().split():
        doors["mailgun"] = Mailgun(tuple(secrets))
    if secrets := callbacks.postmark_secrets.get_secret_value().split():
        doors["postmark"] = Postmark(tuple(secrets))
    if topics := callbacks.sns_topics.split():
        doors["ses"] = Ses(frozenset(topics), http)
    if secrets := callbacks.dsn_secrets.get_secret_value().split():
        doors["dsn"] = Dsn(tuple(secrets))
    return doors
