"""What the channels are told from outside: the providers, and the public URLs that stand in what is sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from nextwave_runtime.settings import ProcessorSettings
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Group = TypeVar("Group", bound=BaseSettings)


def _read(kind: type[Group]) -> Callable[[], Group]:
    """Groups read the same flat environment and the same secrets folder as the service's own settings."""
    return lambda: kind(_secrets_dir=os.environ.get("NEXTWAVE_SECRETS_DIR"))


class MailSettings(BaseSettings):
    """E-mail: the server that takes our mails, and what stands in them."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    smtp: str = Field(default="127.0.0.1:2525", pattern=r"^.+:\d+$", description="SMTP server, host:port")
    mail_from: str = Field(default="Nextwave <nextwave@localhost.localdomain>", description="sender of every mail")
    ingest_url: str = Field(default="http://127.0.0.1:8080", description="public base of unsubscribe, click and open links")
    link_key: SecretStr = Field(min_length=32, description="secret that signs links; the same as at ingest")
    mail_callback_secret: SecretStr = Field(description="Standard Webhooks secret (whsec_...) of mail callbacks")


class TwilioSettings(BaseSettings):
    """Texts and calls over a Twilio-shaped API."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    twilio_url: str = Field(default="https://api.twilio.com", description="base of the API")
    twilio_account: str = Field(description="account SID")
    twilio_token: SecretStr = Field(description="auth token; also signs callbacks")
    sms_from: str = Field(description="number or name that texts come from")
    call_from: str = Field(description="number that calls come from")


class CallbackSettings(BaseSettings):
    """Who else calls back. Each may hold several values, separated by spaces, while one replaces the other; empty: that door is closed."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="ignore", frozen=True)

    twilio_webhook_secrets: SecretStr = Field(
        default=SecretStr(""), description="Twilio: secrets of shared keys, beside the token"
    )
    sendgrid_keys: str = Field(default="", description="SendGrid: verification keys of the signed Event Webhook")
    mailgun_keys: SecretStr = Field(default=SecretStr(""), description="Mailgun: HTTP webhook signing keys")
    postmark_secrets: SecretStr = Field(default=SecretStr(""), description="Postmark: passwords, or user:password, of the webhook's URL")
    sns_topics: str = Field(default="", description="SES: ARNs of the SNS topics that tell of our mails")
    dsn_secrets: SecretStr = Field(default=SecretStr(""), description="bounce mailbox: secrets that its pipe brings")


class ChannelsSettings(ProcessorSettings):
    """Settings of the channels service."""

    partitions: int = Field(default=4, ge=1, description="partitions of every topic; must be what the topics have")
    channels_url: str = Field(default="http://127.0.0.1:8083", description="our public base, where providers call back")
    mail: MailSettings = Field(default_factory=_read(MailSettings))
    twilio: TwilioSettings = Field(default_factory=_read(TwilioSettings))
    callbacks: CallbackSettings = Field(default_factory=_read(CallbackSettings))
