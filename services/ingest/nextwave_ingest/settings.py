"""What ingest is told from outside, beside what every service is told."""

from __future__ import annotations

from typing import get_args

from nextwave_runtime.settings import ServiceSettings
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from nextwave_ingest.mappings.document import Scheme


class IngestSettings(ServiceSettings):
    """Settings of ingest. It has no database."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)

    link_key: SecretStr = Field(description="secret that signs the links in messages we sent, at least 32 characters", min_length=32)
    link_key_before: SecretStr | None = Field(default=None, description="the link_key of before: its links still work", min_length=32)
    linger_seconds: float = Field(default=0.001, ge=0, le=0.1, description="how long records wait for others to be committed with")
    commit_timeout_seconds: float = Field(default=5.0, gt=0, description="how long Kafka may take before the answer is 503")
    pending_bytes_max: int = Field(
        default=64_000_000, ge=1_000_000, description="bytes waiting for Kafka before requests are shed with 429"
    )
    arriving_bytes_max: int = Field(
        default=64_000_000, ge=1_000_000, description="bytes of bodies that are still being sent before others are shed with 429"
    )
    default_currency: str = Field(default="EUR", pattern="^[A-Z]{3}$", description="ISO 4217 code of orders that name none")
    complaint_events: dict[str, list[str]] = Field(default_factory=dict, description="JSON: source -> track events that are complaints")
    ingest_url: str = Field(default="http://127.0.0.1:8080", description="our public base, as providers were told it: some sign it")
    source_secrets: dict[str, dict[Scheme, SecretStr]] = Field(
        default_factory=dict,
        description="JSON: source -> scheme -> what signs its requests; two (a space between) while one replaces the other",
    )

    @field_validator("source_secrets", mode="before")
    @classmethod
    def _by_scheme(cls, given: object) -> object:
        for source, schemes in given.items() if isinstance(given, dict) else ():
            if not isinstance(schemes, dict):
                others = ", ".join(get_args(Scheme))
                raise ValueError(  # noqa: TRY004  (pydantic gathers no TypeError)
                    f'write the scheme of the secret too: {{"{source}": {{"shopify": "..."}}}}; schemes are {others}'
                )
        return given
