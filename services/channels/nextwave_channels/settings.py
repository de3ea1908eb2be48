"""What the channels are told from outside: the providers, and the public URLs that stand in what is sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from nextwave_contracts.actions import Channel
from nextwave_runtime.settings import ProcessorSettings
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from nextwave_channels.adapters.email import Security
from nextwave_channels.call_lists.ways import Way
from nextwave_channels.mail import MailProvider
from nextwave_channels.pacing import PACES

Group = TypeVar("Group", bound=BaseSettings)


def _read(kind: type[Group]) -> Callable[[], Group]:
    """Groups read the same flat environment and the same secrets folder as the service's own settings."""
    return lambda: kind(_secrets_dir=os.environ.get("NEXTWAVE_SECRETS_DIR"))


class MailSettings(BaseSettings):
    """E-mail: the server that takes our mails, and what stands in them."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    smtp: str = Field(default="127.0.0.1:2525", pattern=r"^.+:\d+$", description="SMTP server, host:port")
    smtp_security: Security = Field(default="auto", description="starttls, tls, none, or auto: encrypted where the server offers it")
    smtp_user: str = Field(default="", description="user at the SMTP server; empty: it lets us in without")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="password there; only ever sent encrypted")
    smtp_ca_file: str = Field(default="", description="PEM file of who signed the server's certificate; empty: the system's")
    mail_provider: MailProvider = Field(default="", description="sendgrid, mailgun, postmark or ses, if the server is theirs")
    bounce_address: str = Field(default="", pattern=r"^([^@\s+]+@[^@\s]+)?$", description="mailbox to which undeliverable mails return")
    dkim_selector: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,63}$", description="DKIM: selector of the key; empty: unsigned")
    dkim_domain: str = Field(default="", description="DKIM: domain that signs; empty: the sender's")
    dkim_key: SecretStr = Field(default=SecretStr(""), description="DKIM: RSA private key, PEM, at least 2048 bits")
    mail_from: str = Field(default="Nextwave <nextwave@localhost.localdomain>", description="sender of every mail")
    ingest_url: str = Field(default="http://127.0.0.1:8080", description="public base of unsubscribe, click and open links")
    link_key: SecretStr = Field(min_length=32, description="secret that signs links; the same as at ingest")
    mail_callback_secret: SecretStr = Field(description="Standard Webhooks secret (whsec_...) of mail callbacks")


class TwilioSettings(BaseSettings):
    """Texts and calls over a Twilio-shaped API."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    twilio_url: str = Field(default="https://api.twilio.com", description="base of the API")
    twilio_account: str = Field(default="", description="account SID; empty: Twilio carries neither texts nor calls")
    twilio_token: SecretStr = Field(default=SecretStr(""), description="auth token; also signs callbacks")
    sms_from: str = Field(default="", description="number or name that texts come from; empty: Twilio carries none")
    call_from: str = Field(default="", description="number that calls come from; empty: Twilio makes none")

    def sender(self, channel: Literal["sms", "call"]) -> str:
        """What the channel's contacts come from; empty: Twilio does not carry them."""
        return (self.sms_from if channel == "sms" else self.call_from) if self.twilio_account else ""


class CallbackSettings(BaseSettings):
    """Who else calls back. Each may hold several values, separated by spaces, while one replaces the other; empty: that door is closed."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    twilio_webhook_secrets: SecretStr = Field(default=SecretStr(""), description="Twilio: secrets of shared keys, or the token before")
    sendgrid_keys: str = Field(default="", description="SendGrid: verification keys of the signed Event Webhook")
    mailgun_keys: SecretStr = Field(default=SecretStr(""), description="Mailgun: HTTP webhook signing keys")
    postmark_secrets: SecretStr = Field(default=SecretStr(""), description="Postmark: passwords, or user:password, of the webhook's URL")
    sns_topics: str = Field(default="", description="SES: ARNs of the SNS topics that tell of our mails")
    dsn_secrets: SecretStr = Field(default=SecretStr(""), description="bounce mailbox: secrets that its pipe brings")


class RouteSetting(BaseModel):
    """How one provider serves one channel. Routes are used in the order in which they are named, where prices are equal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Channel
    provider: str = Field(max_length=50)
    slots: int | None = Field(default=None, ge=1, le=64, description="sends under way at once, in one replica")
    deadline_seconds: float = Field(default=15.0, ge=1, le=60, description="for one send; then nobody knows whether it was taken")
    per_second: float | None = Field(default=None, gt=0, le=10_000, description="most sends a second, of all replicas together")
    burst: int = Field(default=1, ge=1, le=10_000, description="how many of them at once")


class ProviderSettings(BaseSettings):
    """Which providers there are beside Twilio and the mail server, how each may be used, and what each charges."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    routes: tuple[RouteSetting, ...] = Field(default=(), description="JSON list: limits of providers, and their order")
    prices_file: Path | None = Field(default=None, description="CSV file with the providers' prices")
    sms_gateway_url: str = Field(default="", pattern=r"^(https?://.+)?$", description="where a second SMS provider takes texts")
    sms_gateway_header: str = Field(default="authorization", pattern=r"^[A-Za-z0-9-]+$", description="header that lets us in there")
    sms_gateway_secret: SecretStr = Field(default=SecretStr(""), description="what stands in it, for instance Bearer ...")
    sms_gateway_from: str = Field(default="", description="sender at the second SMS provider; empty: sms_from")

    def deadline_seconds(self, channel: str, provider: str) -> float:
        """How long one send by this provider may take (wall seconds)."""
        set_ = (route.deadline_seconds for route in self.routes if (route.channel, route.provider) == (channel, provider))
        return next(set_, PACES[channel].deadline_seconds)


class CallSettings(BaseSettings):
    """How calls leave, and how often one number and one person are called in any 24 hours, over all campaigns."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    calls_by: Way = Field(default="twilio", description="how the calls of a list leave: twilio, dialler (pushed) or pull")
    call_lists: dict[str, Way] = Field(default_factory=dict, description="JSON object: lists that leave in another way than that")
    calls_per_number: int = Field(default=3, ge=1, le=100, description="calls to one number in any 24 hours")
    calls_per_person: int = Field(default=3, ge=1, le=100, description="calls to one customer in any 24 hours")
    dialler_url: str = Field(default="", pattern=r"^(https?://.+)?$", description="base of the dialler's API")
    dialler_token: SecretStr = Field(default=SecretStr(""), description="bearer token that lets us in there")
    dialler_holds_seconds: float = Field(default=900.0, ge=60, le=14_400, description="how long it has to begin a call")


class PageSettings(BaseSettings):
    """What shops' pages are given: on-site invitations, and web push."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    onsite_pages_max: int = Field(default=2000, ge=1, le=100_000, description="pages that one replica keeps open; each is a connection")
    webpush_key: SecretStr = Field(default=SecretStr(""), description="VAPID private key, 32 bytes in base64url; empty: no web push")
    webpush_contact: str = Field(
        default="", pattern=r"^((mailto:|https://).+)?$", description="whom push services may turn to; empty: the sender of mails"
    )
    webpush_subscriptions_max: int = Field(default=100_000, ge=1, le=10_000_000, description="browsers that one source may subscribe")
    onsite_ingest_url: str = Field(default="", description="ingest as visitors' browsers reach it; empty: ingest_url")
    webpush_loopback: bool = Field(default=False, description="push services may also be on this machine, without TLS; for local runs")


class VisitSettings(BaseSettings):
    """Tasks of field account managers."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    visit_lease_days: float = Field(default=3.0, gt=0, le=60, description="how long a claimed task is somebody's, in business days of 24 h")


class EndpointSettings(BaseSettings):
    """Systems of the house that carry a channel out, told by Standard Webhooks. Two secrets (a space between) while one is replaced."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    webhook_url: str = Field(default="", description="where contacts of the channel webhook go; empty: nobody delivers them")
    webhook_secrets: SecretStr = Field(default=SecretStr(""), description="whsec_...: signs them")
    chat_url: str = Field(default="", description="where contacts of the channel chat go")
    chat_secrets: SecretStr = Field(default=SecretStr(""), description="whsec_...: signs them")
    letter_url: str = Field(default="", description="where contacts of the channel letter go, for instance a print shop")
    letter_secrets: SecretStr = Field(default=SecretStr(""), description="whsec_...: signs them")
    endpoints_loopback: bool = Field(default=False, description="endpoints may also be on this machine, without TLS; for local runs")


class ChannelsSettings(ProcessorSettings):
    """Settings of the channels service."""

    partitions: int = Field(default=4, ge=1, description="partitions of every topic; must be what the topics have")
    channels_url: str = Field(default="http://127.0.0.1:8083", description="our public base, where providers call back")
    stop_confirmation: str = Field(
        default="You are unsubscribed and will get no more texts. Reply START to get them again.",
        max_length=320,
        description="the one text that confirms a STOP by text; empty: none",
    )
    mail: MailSettings = Field(default_factory=_read(MailSettings))
    twilio: TwilioSettings = Field(default_factory=_read(TwilioSettings))
    callbacks: CallbackSettings = Field(default_factory=_read(CallbackSettings))
    providers: ProviderSettings = Field(default_factory=_read(ProviderSettings))
    calls: CallSettings = Field(default_factory=_read(CallSettings))
    pages: PageSettings = Field(default_factory=_read(PageSettings))
    visits: VisitSettings = Field(default_factory=_read(VisitSettings))
    endpoints: EndpointSettings = Field(default_factory=_read(EndpointSettings))
