"""What a customer's own words ask for, by whatever channel they came: noted in the touchpoint for everybody behind the door. PURE."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Literal, NamedTuple

from nextwave_contracts.messages_in import CHANNEL_OF, TEXT_FIELDS, words_in

from nextwave_ingest.wishes import mail, refusals, words
from nextwave_ingest.wishes.phrases import Phrases, plain, squeezed

Asked = Literal["opt_out", "opt_in", "help", "review"]
NOTED: frozenset[str] = frozenset({"wish", "asked", "everywhere", "review"})
"""Fields that the door alone writes: nobody else's word is taken for them."""
_REVIEWS = uuid.UUID("b1f8a3c2-6b58-5d0a-9a44-2a7e5d1f0c33")
_REFUSING = Phrases(chain.from_iterable(refusals.REFUSALS.values()))
_NOT_REFUSING = Phrases(chain.from_iterable(refusals.NO_REFUSAL.values()))
_EVEN_SO = Phrases(chain.from_iterable(refusals.EVEN_SO.values()))
_STOPPING = Phrases(plain(word.text) for word in (*words.STOP, *words.STOP_EVERYTHING) if word.plain)
SHORT_MAX = 12
"""Words of a text in which a stop word is likely to be meant."""
_GREETING_MAX = 5
"""Words of a line that greets."""
_AUTOMATIC = "email.auto_replied"
_GRANTING: frozenset[str] = frozenset({"sms.received", "chat.message_received"})
"""By which a start word grants. Anybody writes any sender into a mail, and any ids of mails of ours; no channel of ours is a board."""


class Wish(NamedTuple):
    """What is asked for. `everywhere`: of every channel, not only the one that it came by."""

    asked: Asked
    everywhere: bool = False


def _meanings(*lists: tuple[Wish, Iterable[words.Word]]) -> tuple[dict[str, Wish], frozenset[str]]:
    known = {plain(word.text): wish for wish, several in lists for word in several}
    return known, frozenset(plain(word.text) for _, several in lists for word in several if word.plain)


_MEANING, _PLAIN = _meanings(
    (Wish("help"), words.HELP),
    (Wish("opt_in"), words.START),
    (Wish("opt_out"), words.STOP),
    (Wish("opt_out", everywhere=True), words.STOP_EVERYTHING),
)
_PROVIDER: Mapping[str, Wish] = {"STOP": Wish("opt_out"), "START": Wish("opt_in"), "HELP": Wish("help")}
"""Twilio's `OptOutType`: it has read the text by its customer's own lists of words, and has acted by them."""
_SORTED: frozenset[str] = frozenset({"sms.received", "chat.message_received"})
"""What Twilio carries: texts, and WhatsApp as a chat."""


def kind_heard(kind: str, data: Mapping[str, Any]) -> str:
    """The type, which is another one where a machine answered a mail: nobody came, nothing is proved, nothing is asked for."""
    return _AUTOMATIC if kind == "email.received" and mail.by_machine(data) else kind


def as_heard(kind: str, data: dict[str, Any], identity: str, said_by: str, *, grants: bool = True) -> dict[str, Any]:
    """The data with what is asked for, and which mail of ours is answered; the same object where there is neither.

    `identity` names the touchpoint, and so its review, which also tells the keyed hash of the strongest name by which it was said.
    """
    said = {key: value for key, value in data.items() if key not in NOTED}
    noted: dict[str, Any] = {}
    if kind == "email.received" and not said.get("action_id") and (action := mail.answered_action(said)):
        noted["action_id"] = action
    wish = heard(kind, said)
    if wish is not None and (wish.asked != "opt_in" or (grants and kind in _GRANTING)):
        noted |= _note(kind, wish, f"{uuid.uuid5(_REVIEWS, identity).hex[:24]}-{said_by}")
    return said | noted if noted or len(said) < len(data) else data


def heard(kind: str, data: Mapping[str, Any]) -> Wish | None:
    """What a touchpoint asks for in words; nothing where somebody of ours wrote them."""
    if kind not in CHANNEL_OF or _is_ours(data):
        return None
    passages = _passages(kind, data)
    told = data.get("OptOutType") or data.get("opt_out_type")
    provider = _PROVIDER.get(told.upper()) if kind in _SORTED and isinstance(told, str) else None
    candidates = [wish for wish in (*map(_of_word, passages.whole), provider) if wish]
    candidates += [wish for line in passages.further if (wish := _of_plain_word(plain(line))) and wish.asked == "opt_out"]
    if kind == "sms.received" and plain(passages.text).partition(" ")[0] in words.OPENING:
        candidates.append(Wish("opt_out"))
    if refused := max((wish for wish in candidates if wish.asked == "opt_out"), key=lambda wish: wish.everywhere, default=None):
        return refused
    if kind == _AUTOMATIC:
        return None
    if candidates:
        return candidates[0]
    return Wish("review") if any(map(may_refuse, {passages.text, *passages.whole, *passages.further})) else None


def fault_of_words(kind: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a message lacks in which nobody could hear a stop: the pointer, and what to do. Nothing lacks where something was heard.

    An empty text is one, as a photo has no words; so is null. What a machine or one of ours wrote asks for nothing.
    """
    if not NOTED.isdisjoint(data) or kind == _AUTOMATIC or _is_ours(data):
        return None
    fields = (*TEXT_FIELDS, "html") if kind.startswith("email.") else TEXT_FIELDS
    if any(field in data and (data[field] is None or isinstance(data[field], str)) for field in fields):
        return None
    return "/data/body", f"put the customer's words here, as text, and an empty one where there are none; {', '.join(fields)} are read"


def _is_ours(data: Mapping[str, Any]) -> bool:
    return str(data.get("by")).strip().casefold() in words.OURS


def may_refuse(text: str) -> bool:
    """Whether a reasonable person may read it as a wish to be left alone."""
    said = plain(text)
    sought = (_REFUSING, _STOPPING) if said.count(" ") < SHORT_MAX else (_REFUSING,)
    return _EVEN_SO.are_in(said) or any(some.are_in(said) and some.are_in(_NOT_REFUSING.taken_out(said)) for some in sought)


class _Passages(NamedTuple):
    """`whole`: what counts if it is any of the words; `further`: if it is one that means nothing else; `text`: all, for phrases."""

    whole: list[str]
    further: list[str]
    text: str


def _passages(kind: str, data: Mapping[str, Any]) -> _Passages:
    if not kind.startswith("email."):
        text = squeezed(words_in(data))
        return _Passages([text], [], text)
    subject, lines = mail.own_subject(data), mail.own_lines(data)
    if kind == _AUTOMATIC:
        return _Passages([subject, *lines[:1]], [], "")
    opening = lines[: mail.OPENING_LINES]
    begins = next((place for place, line in enumerate(opening) if not _greets(line)), len(opening)) + 1
    return _Passages([subject, *opening[:begins]], opening[begins:], " ".join(lines))


def _greets(line: str) -> bool:
    said = plain(line).split(" ")
    return len(said) <= _GREETING_MAX and said[0] in words.GREETINGS and _of_word(line) is None


def _of_word(text: str) -> Wish | None:
    said = plain(text)
    return _MEANING.get(said) or _of_plain_word(said) or _of_letters(said)


def _of_letters(said: str) -> Wish | None:
    """A stop word whose letters are set apart, as in "S T O P"."""
    letters = said.split(" ")
    wish = _MEANING.get("".join(letters)) if len(letters) > 1 and all(len(one) == 1 for one in letters) else None
    return wish if wish is not None and wish.asked == "opt_out" else None


def _of_plain_word(said: str) -> Wish | None:
    bare = " ".join(word for word in said.split(" ") if word not in words.POLITE)
    return _MEANING[bare] if bare in _PLAIN else None


def _note(kind: str, wish: Wish, review: str) -> dict[str, Any]:
    channel = CHANNEL_OF[kind]
    match wish.asked:
        case "help":
            return {"asked": "help"}
        case "opt_in":
            return {"wish": "opt_in"}
        case "review":
            return {"wish": "review", "review": f"{channel or 'all'}-{review}"}
        case "opt_out":
            return {"wish": "opt_out", "everywhere": True} if wish.everywhere else {"wish": "opt_out"}
