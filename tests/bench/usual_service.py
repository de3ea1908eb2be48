"""What ingest is compared with beside its limit: the same promise as it is usually written, FastAPI, pydantic and `send_and_wait`.

`POST /v1/track` checks the call by a model, encodes it and answers once Kafka has acknowledged it. Nobody's write key is looked at.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_runtime.service import Service, run
from nextwave_runtime.settings import ServiceSettings
from pydantic import AwareDatetime, BaseModel


class Call(BaseModel):
    """A track call."""

    type: str
    messageId: str  # noqa: N815  (the protocol's names)
    userId: str  # noqa: N815
    event: str
    timestamp: AwareDatetime
    sentAt: AwareDatetime | None = None  # noqa: N815
    properties: dict[str, Any]


class Sender:
    """The producer, once it is there."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self.producer: Any = None

    async def start(self) -> None:
        """Reaches Kafka."""
        self.producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, enable_idempotence=True, acks="all")
        await self.producer.start()

    async def stop(self) -> None:
        """Lets it go."""
        await self.producer.stop()


def build(settings: ServiceSettings) -> Service:
    """The service."""
    app, sender = FastAPI(), Sender(settings.kafka)

    @app.post("/v1/track")
    async def track(call: Call) -> dict[str, bool]:
        await sender.producer.send_and_wait(TOUCHPOINTS.name, call.model_dump_json().encode(), key=call.userId.encode())
        return {"success": True}

    return Service(name="usual", app=app, starting=(sender.start,), closing=(sender.stop,))


if __name__ == "__main__":
    run("usual", ServiceSettings, build)
