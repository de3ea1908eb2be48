"""What every service is told from outside. Read once in `__main__`, passed down as values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from nextwave_contracts.clock import ClockSetting
from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict, SettingsError

Settings = TypeVar("Settings", bound=BaseSettings)
REFUSED = "these settings are missing or wrong:"
"""How the message begins that a program leaves behind which cannot run with its settings."""
REFUSED_CODE = 78
"""The exit code then (EX_CONFIG of sysexits.h): starting it again with the same settings helps nobody."""
_FIELD = re.compile(r'field "(\w+)"')


class RefusedSettingsError(ValueError):
    """A program cannot run with these settings; the message names each variable, and never shows a value."""


def read(kind: type[Settings]) -> Settings:
    """The settings from outside. Raises `RefusedSettingsError`."""
    try:
        return kind()  # the values come from the environment
    except ValidationError as error:
        raise RefusedSettingsError("\n  ".join((REFUSED, *map(_wrong, error.errors())))) from None
    except SettingsError as error:
        raise RefusedSettingsError(f"{REFUSED}\n  {_no_json(kind, error)}") from None


def variable(field: str) -> str:
    """The variable, or file of secrets, of a field."""
    return f"NEXTWAVE_{field.upper()}"


def _wrong(error: ErrorDetails) -> str:
    field, *inside = (str(part) for part in error["loc"] if part != "[key]") if error["loc"] else ("",)
    return f"{variable(field)}{' at ' if inside else ''}{'.'.join(inside)}: {error['msg']}" if field else error["msg"]


def _no_json(kind: type[BaseSettings], error: SettingsError) -> str:
    found, fault = _FIELD.search(str(error)), error.__cause__
    if found is None:
        return str(error)
    where = f" ({fault.msg} at character {fault.pos + 1})" if isinstance(fault, JSONDecodeError) else ""
    means = next((told for field, told in _described(kind) if field == found[1]), "")
    return f"{variable(found[1])}: it is no JSON{where}; {means}"


def _described(kind: type[BaseSettings]) -> Iterator[tuple[str, str]]:
    """Fields with what they mean, those of groups too."""
    for name, field in kind.model_fields.items():
        yield name, field.description or ""
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings):
            yield from _described(field.annotation)


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
