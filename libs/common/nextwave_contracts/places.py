"""Origin marks: where a message was born, and which message went before it on the same way, so that a reader takes it in exactly once."""

from __future__ import annotations

from typing import NamedTuple

ORIGIN_HEADER = "nextwave-origin"
PREVIOUS_HEADER = "nextwave-previous"
TRACE_HEADER = "traceparent"
CONTENT_TYPE_HEADER = "content-type"
OFFSET_MAX = 2**63
NUMBER_MAX = 2**31
"""What the columns of a reader's progress can hold; anything beyond is no place of ours."""


class Place(NamedTuple):
    """A message's place at its origin partition: the input offset that caused it, and its number there. Places order as tuples."""

    offset: int
    number: int

    def __str__(self) -> str:
        """`offset/index`, as it stands in headers."""
        return f"{self.offset}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """From `offset/index`. Raises `ValueError`."""
        offset, _, number = text.partition("/")
        place = cls(int(offset), int(number))
        if not (-1 <= place.offset < OFFSET_MAX and 0 <= place.number < NUMBER_MAX):
            raise ValueError(f"no place: {text[:60]}")
        return place


class Origin(NamedTuple):
    """A processor and its input partition, for instance `scoring.touchpoints/3`."""

    processor: str
    partition: int

    def __str__(self) -> str:
        """`processor/partition`."""
        return f"{self.processor}/{self.partition}"


def origin_header(origin: Origin, place: Place) -> bytes:
    """`processor/partition/offset/index`."""
    return f"{origin.processor}/{origin.partition}/{place.offset}/{place.number}".encode()


def parse_origin(raw: bytes) -> tuple[Origin, Place]:
    """Origin and place from the header. Raises `ValueError`."""
    processor, partition, place = raw.decode().split("/", 2)
    origin = Origin(processor, int(partition))
    if not (0 < len(processor) <= 64 and 0 <= origin.partition < NUMBER_MAX):
        raise ValueError(f"no origin: {raw[:60]!r}")
    return origin, Place.parse(place)


def previous_header(place: Place | None) -> bytes:
    """`offset/index`, or empty for the first message on its way."""
    return b"" if place is None else str(place).encode()


def parse_previous(raw: bytes) -> Place | None:
    """The previous place on this way, None for the first."""
    return Place.parse(raw.decode()) if raw else None
