"""What a person wrote in an e-mail, above what they quote; and which mails no person wrote. PURE.

Sources: RFC 3834 (`Auto-Submitted`), RFC 3464 and RFC 5321 (bounces come from the empty return path, as `multipart/report`), Microsoft's
`X-Auto-Response-Suppress`, and the `Precedence` and `X-Autoreply` that older responders write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from html.parser import HTMLParser
from itertools import islice
from typing import Any

from nextwave_contracts.messages_in import words_in

from nextwave_ingest.wishes.phrases import LETTERS_MAX, squeezed

LINES_MAX = 200
OPENING_LINES = 5
"""In which a word by itself counts: later ones are no answer, but somebody's text."""
_REPLY = re.compile(r"^\s*(?:re|aw|antw|antwort|sv|vs|rv|ref|r|odp|ynt|fw|fwd|wg|tr|rif|i)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
"""What the subject of a reply or a forwarded mail begins with: the rest of it is ours."""
_QUOTE = re.compile(
    r"^\s*(?:>|-{2,}\s*(?:original|urspr|message d|mensaje orig|messaggio orig|oorspr|forwarded|weitergel)|_{8,}\s*$"
    r"|(?:from|von|de|da|van|fra|od)\s*:\s*\S|(?:on|am|le|el|il|op|em|den|dnia|w dniu)\b.{4,200}"
    r"(?:wrote|schrieb|a .crit|escribi|ha scritto|schreef|escreveu|skrev|napisa)[^:]{0,40}:\s*$)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^-- ?$")
_AWAY = re.compile(
    r"^\s*(?:(?:re|aw)\s*:\s*)?(?:out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|autoreply|abwesenheit"
    r"|automatische antwort|r.ponse automatique|absence du bureau|respuesta autom|fuera de la oficina|risposta automatica|fuori sede"
    r"|automatisch antwoord|afwezig|resposta autom|odpowied. automatyczna|undeliver|undelivered|mail delivery (?:failed|subsystem)"
    r"|delivery status notification|returned mail|failure notice|unzustellbar)",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s\s+")
_MACHINES = re.compile(r"^[^@]*?<?(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)\b[^@]*@", re.IGNORECASE)
_ACTION = re.compile(r"(?<![\w-])([0-9a-f]{32}(?:-\d{1,3})?)(?=@)")
"""Our actions are the left part of our Message-IDs, and stand behind the plus of our return path."""


def by_machine(data: Mapping[str, Any]) -> bool:
    """Whether nobody wrote it: an absence, a bounce, a list's or a robot's mail, by what its source tells of the headers."""
    submitted = _said(data, "auto_submitted").split(";")[0].strip()
    return (
        data.get("automatic") is True
        or submitted not in {"", "no"}
        or _said(data, "precedence") in {"auto_reply", "bulk", "junk", "list"}
        or _said(data, "x_auto_response_suppress") not in {"", "none"}
        or bool(_said(data, "x_autoreply") or _said(data, "x_autorespond"))
        or _said(data, "return_path") == "<>"
        or _said(data, "content_type").startswith("multipart/report")
        or _MACHINES.match(_said(data, "from")) is not None
        or _AWAY.match(_said(data, "subject")) is not None
    )


def own_subject(data: Mapping[str, Any]) -> str:
    """The subject where the customer wrote it, nothing where it is that of the mail they answer."""
    subject = data.get("subject")
    return squeezed(subject) if isinstance(subject, str) and not _REPLY.match(subject) else ""


def own_lines(data: Mapping[str, Any]) -> list[str]:
    """The lines above the quoted mail and the signature, without empty ones."""
    return list(_above_quote(words_in(data) or text_of_page(data.get("html"))))


def answered_action(data: Mapping[str, Any]) -> str:
    """The action of ours that the mail answers, by the ids it refers to or the address it was sent to; or nothing."""
    for field in ("in_reply_to", "references", "to"):
        value = data.get(field)
        named = _ACTION.findall(value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, list) else "")
        if named:
            return str(named[-1])
    return ""


def _above_quote(text: str) -> Iterator[str]:
    written = ((line, said) for line in text.splitlines() if (said := squeezed(line)))
    letters = LETTERS_MAX
    for line, said in islice(written, LINES_MAX):
        if letters <= 0 or _QUOTE.match(said[:300]) or _SIGNATURE.match(line):
            return
        yield said[:letters]
        letters -= len(said) + 1


def _said(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    return value.strip().lower()[:300] if isinstance(value, str) else ""


class _Page(HTMLParser):
    """Keeps the text of a page, a line for each block, up to what it quotes."""

    BLOCKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3"})
    UNSEEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.unseen = 0
        self.quoting = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marks = " ".join(value or "" for name, value in attrs if name in {"class", "id"})
        self.quoting = self.quoting or tag == "blockquote" or "gmail_quote" in marks or "divRplyFwdMsg" in marks
        self.unseen += tag in self.UNSEEN
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.unseen = max(0, self.unseen - (tag in self.UNSEEN))

    def handle_data(self, data: str) -> None:
        if not self.unseen and not self.quoting:
            self.parts.append(_SPACE.sub(" ", data.replace("\n", " ")))


def text_of_page(page: object) -> str:
    """The text of an HTML page above what it quotes; of one that breaks off in its markup, what stands before."""
    if not isinstance(page, str) or not page:
        return ""
    reader = _Page()
    with suppress(AssertionError):  # what Python's parser raises for markup that it does not know
        reader.feed(page + "\n")  # a text that ends in an ampersand and letters would wait for more
    return "".join(reader.parts)
