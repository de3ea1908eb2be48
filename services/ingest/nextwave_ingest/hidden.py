"""What senders wrote, as readers see it who need neither names nor addresses: its structure, and values that are harmless by their field.

Nobody knows the fields of a stranger's body, so nothing is shown because it looks harmless: what is no known field is hidden. PURE.
"""

from __future__ import annotations

import re
from typing import Any

from nextwave_contracts.masking import MASK, in_words

NAMED = frozenset({"detailtype", "event", "eventname", "eventtype", "topic", "type", "xshopifytopic", "xwcwebhooktopic"})
"""Fields that say what happened, by their letters alone; their values may be several words."""
SORTED = frozenset(
    {
        "apiversion", "callstatus", "contenttype", "currency", "datacontenttype", "direction", "disconnecttype", "financialstatus",
        "fulfillmentstatus", "kind", "mediatype", "messagestatus", "presentmentcurrency", "smsstatus", "specversion", "status", "version",
    }
)  # fmt: skip
"""Fields that sort it; their values are one word."""
_TIMES = frozenset({"at", "began", "date", "end", "ended", "gmt", "start", "started", "time", "timestamp"})
"""Last words of fields that say when it happened."""
_LIVES = frozenset({"anniversary", "birth", "born", "dob", "wedding"})
_AMOUNTS = frozenset(
    {
        "amount", "count", "duration", "media", "milliseconds", "minutes", "ms", "price", "quantity", "seconds", "segments", "size",
        "subtotal", "tax", "total",
    }
)  # fmt: skip
"""Words of fields that count or measure."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_FIELD = re.compile(r"(?!.*[0-9]{5})[@$*]?[A-Za-z_][A-Za-z0-9_$.*\-]*")
_INDEX = re.compile(r"[0-9]{1,4}")
_NAME = re.compile(r"(?!.*[0-9]{5})(?=.{1,50}$)[A-Za-z$][\w.:/${}\-]*(?: [\w.:/$\-]+){0,4}", re.ASCII)
_SORT = re.compile(r"(?!.*[0-9]{5})[A-Za-z0-9][A-Za-z0-9_./+\-]{0,39}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
    r"|[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} (?:[+-][0-9]{4}|GMT)"
)
_EPOCH = re.compile(r"[0-9]{10}(?:[0-9]{3})?(?:\.[0-9]{1,9})?")
_NUMBER = re.compile(r"-?[0-9]{1,7}(?:\.[0-9]{1,4})?")
_FIGURES = re.compile(r"(?=.*[0-9])[0-9+\-.,:/() TZ]{1,40}")
_DIGIT = re.compile("[0-9]")
_OPENING = re.compile(r"(?<![\w\\])'|(?<!\\)\"")
_PATH = re.compile(r"\$(?:[.\[][A-Za-z0-9_.*\[\]'\-]*)?")


def item(value: Any) -> Any:
    """JSON without what anybody said: texts are masked, of numbers, also within texts, the shape is left (`+00 000`)."""
    return _shown(value, ())


def pointer(place: str) -> str:
    """A JSON pointer up to the first key that is no name of a field."""
    keys = place.split("/")
    for number, key in enumerate(keys):
        if key and not (_FIELD.fullmatch(key) or _INDEX.fullmatch(key)):
            return "/".join([*keys[:number], MASK])
    return place


def words(text: str, characters: int) -> str:
    """What we said of an item, without what it repeats of it: whatever stands in quotes and is no path."""
    kept, rest = "", text
    while opening := _OPENING.search(rest):
        quote, begins = opening[0], opening.end()
        ends = rest.find(quote, begins)
        if ends >= 0 and _PATH.fullmatch(rest, begins, ends):
            kept, rest = kept + rest[: ends + 1], rest[ends + 1 :]
            continue
        last = max((found.start() for found in re.finditer(rf"(?<!\\){quote}", rest[begins:])), default=None)
        kept, rest = kept + rest[: opening.start()] + MASK, "" if last is None else rest[begins + last + 1 :]
    return in_words(kept + rest, characters)


def reason(detail: str, characters: int) -> str:
    """The same of what is kept with an item, which may begin with a pointer."""
    if not detail.startswith("/"):
        return words(detail, characters)
    place, _, told = detail.partition(": ")
    shown = pointer(place)
    return f"{shown}: {words(told, characters) if shown == place else MASK}"[:characters]


def _shown(value: Any, about: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key if _FIELD.fullmatch(key) else MASK: _shown(one, _words(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_shown(one, about) for one in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    written = str(value)
    if _is_harmless(written, about):
        return value
    return _DIGIT.sub("0", written) if _FIGURES.fullmatch(written) else MASK


def _words(key: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(key))


def _is_harmless(written: str, about: tuple[str, ...]) -> bool:
    if not about:
        return False
    field = "".join(about)
    if field in NAMED and _NAME.fullmatch(written):
        return True
    if field in SORTED and _SORT.fullmatch(written):
        return True
    if about[-1] in _TIMES and not _LIVES.intersection(about):
        return bool(_INSTANT.fullmatch(written) or _EPOCH.fullmatch(written))
    return bool(_AMOUNTS.intersection(about) and _NUMBER.fullmatch(written))
