"""What a channel can carry of a content: SMS segments, the payload of a push, the length of a subject."""

from __future__ import annotations

import msgspec
from nextwave_contracts.actions import Content
from nextwave_contracts.text_segments import segments

SUBJECT_MAX = 255
"""Characters of a mail's subject; readers show far fewer."""
PUSH_BYTES_MAX = 3 * 1024
"""Of title and body as JSON: push services take 4096 bytes encrypted, where the rest of the payload has its place, too."""
TEXT_ONLY = frozenset({"sms", "call", "webpush"})
"""Channels that never show HTML."""


def excess(channel: str, content: Content, segments_max: int) -> str:
    """Why the channel cannot carry the content, as a sentence without its subject's name; empty: it can."""
    match channel:
        case "sms":
            return _segments_excess(content.text, segments_max)
        case "webpush":
            size = len(msgspec.json.encode((content.subject, content.text)))
            return f"title and body are {size} bytes, of at most {PUSH_BYTES_MAX}" if size > PUSH_BYTES_MAX else ""
        case "email" if len(content.subject) > SUBJECT_MAX:
            return f"the subject has {len(content.subject)} characters, of at most {SUBJECT_MAX}"
        case _:
            return ""


def _segments_excess(text: str, most: int) -> str:
    taken = segments(text)
    if taken.count <= most:
        return ""
    why = f", as {taken.because!r} is none of the 7-bit alphabet's characters" if taken.because else ""
    return f"the text takes {taken.count} SMS segments, of at most {most}{why}"
