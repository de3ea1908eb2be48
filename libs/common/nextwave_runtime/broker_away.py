"""What comes out of aiokafka while the broker, or the connection to it, is away."""

from __future__ import annotations

from aiokafka.errors import KafkaError

BROKER_AWAY = (KafkaError, OSError, TimeoutError, RuntimeError)
"""`RuntimeError` is uvloop's for writing to a transport that was closed a moment before; aiokafka passes it on as it is."""
