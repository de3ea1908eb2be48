"""What the simulator is told from outside; read once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from nextwave_contracts.clock import ClockSetting
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from nextwave_local.simulator.message import Doors


class SimulatorSettings(BaseSettings):
    """Settings from `NEXTWAVE_SIMULATOR_...`."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_SIMULATOR_", extra="forbid", frozen=True)

    port: int = Field(default=7405, description="HTTP port on loopback")
    smtp_port: int = Field(default=7406, description="SMTP port on loopback")
    ledger: Path = Field(description="file of the ledger; kept over restarts")
    ingest_url: str = Field(default="", description="base of ingest; only links below it are followed; empty: people do nothing")
    channels_url: str = Field(default="", description="base of channels; only callbacks below it are made; empty: none")
    write_key: SecretStr = Field(description="write key for what people do at ingest")
    twilio_account: str = Field(description="account SID that may send")
    twilio_token: SecretStr = Field(description="its token; also that of dialler and second SMS provider; signs callbacks")
    mail_callback_secret: SecretStr = Field(description="Standard Webhooks secret of all callbacks but Twilio's")
    endpoint_secret: SecretStr = Field(default=SecretStr(""), description="signs what the house's endpoints get; empty: none is open yet")
    clock_epoch_seconds: float = Field(default=0.0, description="wall instant at which business time is clock_origin")
    clock_origin: datetime = Field(default=datetime(1970, 1, 1, tzinfo=UTC), description="business instant at clock_epoch_seconds")
    clock_speed: float = Field(default=1.0, gt=0, description="business seconds per wall second")

    @property
    def clock(self) -> ClockSetting:
        """How business time runs."""
        return ClockSetting(epoch_seconds=self.clock_epoch_seconds, origin=self.clock_origin, speed=self.clock_speed)

    @property
    def doors(self) -> Doors:
        """Where Nextwave listens, with what to show."""
        return Doors(
            ingest_url=self.ingest_url,
            channels_url=self.channels_url,
            write_key=self.write_key.get_secret_value(),
            twilio_account=self.twilio_account,
            twilio_token=self.twilio_token.get_secret_value(),
            mail_secret=self.mail_callback_secret.get_secret_value(),
            endpoint_secret=self.endpoint_secret.get_secret_value(),
        )
