"""What every service is told from outside. Read once in `__main__`, passed down as values."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from nextwave_contracts.clock import ClockSetting
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings common to all services, from the environment (`NEXTWAVE_...`) or from files named like them in `NEXTWAVE_SECRETS_DIR`."""

    model_config = SettingsConfigDict(env_prefix="NEXTWAVE_", extra="forbid", frozen=True)

    kafka: str = Field(default="127.0.0.1:9092", description="bootstrap servers, host:port separated by commas")
    host: str = Field(default="127.0.0.1", description="address the HTTP server listens on")
    port: int = Field(default=8080, ge=0, le=65535, description="port the HTTP server listens on")
    connections_max: int = Field(
        default=4000, ge=10, description="connections kept at once, also at most 100 fewer than the process may open files"
    )
    replica: str = Field(default="0", description="name of this replica; stable over restarts (static group membership)")
    keys_file: Path = Field(description="JSON file of keyed hashes of write keys and API tokens")
    identifier_key: SecretStr = Field(description="secret of the keyed hashes of identifiers, at least 32 characters", min_length=32)
    clock_epoch_seconds: float = Field(default=0.0, description="wall instant (Unix seconds) at which business time is clock_origin")
    clock_origin: datetime = Field(default=datetime(1970, 1, 1, tzinfo=UTC), description="business instant at clock_epoch_seconds")
    clock_speed: float = Field(default=1.0, gt=0, description="business seconds per wall second; 1 outside one-machine runs")
    drain_seconds: float = Field(default=20.0, gt=0, description="how long a stopping service may finish what it began")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$", description="least level that is logged")
    trace_ratio: float = Field(default=0.01, ge=0, le=1, description="share of requests that begin a trace")
    trace_endpoint: str = Field(default="", description="OTLP/HTTP collector; empty: traces are propagated but not exported")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the folder of secrets; no dotenv files."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=os.environ.get("NEXTWAVE_SECRETS_DIR"))

    @property
    def clock(self) -> ClockSetting:
        """How business time runs."""
        return ClockSetting(epoch_seconds=self.clock_epoch_seconds, origin=self.clock_origin, speed=self.clock_speed)


class ProcessorSettings(ServiceSettings):
    """Settings of a service with a processor and a database."""

    postgres: SecretStr = Field(description="postgresql://user:password@host:port/database of this service")
    watermark_interval_seconds: float = Field(default=1.0, gt=0, description="how often watermarks are sent, wall seconds")
    clock_skew_seconds: float = Field(
        default=0.1, ge=0, description="how far the brokers' clocks may be from ours; watermarks stay so far behind"
    )
    batch_max: int = Field(default=500, ge=1, le=5000, description="most messages of one batch")
    hold_seconds: float = Field(default=0.006, ge=0, le=1, description="how long a small batch waits to fill")
