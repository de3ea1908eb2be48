"""Text in a charset that a stranger names: whoever writes a mail chooses it, and no mail is lost or takes long for it. PURE."""

from __future__ import annotations

import codecs

_OF_PYTHON = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Its codecs that are no charsets of texts: some raise whatever they are told of errors, and punycode takes the square of the length."""


def text_of(value: bytes, charset: str) -> str:
    """The text, with marks for what is none in its charset; UTF-8 where nobody knows that."""
    try:
        known = codecs.lookup(charset).name if charset else "utf-8"
        return value.decode("utf-8" if known in _OF_PYTHON else known, "replace")
    except (LookupError, ValueError):  # a codec of bytes or of another system, or a name that can be none
        return value.decode("utf-8", "replace")
