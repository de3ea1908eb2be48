"""What an open page is told, as server-sent events: an invitation as plain words and web links, never as markup. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import islice

import msgspec
from nextwave_contracts.actions import Content

LINKS_MAX = 4
LABEL_MAX = 80
HEARTBEAT = b":\n\n"
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


class WebLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where the invitation leads, and what is written on it."""

    url: str
    label: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `language` is a BCP 47 tag, empty where nobody named one."""

    title: str
    text: str
    links: tuple[WebLink, ...]
    language: str = ""


def greeting(retry_ms: int) -> bytes:
    """The first words of a stream: after how long a page whose connection broke comes again."""
    return f"retry: {retry_ms}\n\n".encode()


def invitation(action_id: str, content: Content) -> bytes:
    """One event. Its id is the action's; JSON has no bare line ends, so the data is one line."""
    told = msgspec.json.encode(invitation_of(content)).decode()
    return f"id: {action_id}\ndata: {told}\n\n".encode()


def invitation_of(content: Content) -> Invitation:
    """The links are those of the HTML, with their labels; without any, the addresses in the text."""
    text = content.text.strip()
    bare = (WebLink(url=url, label=url.partition("://")[2][:LABEL_MAX]) for url in dict.fromkeys(_URL.findall(text)))
    links = _anchors(content.html) or bare
    return Invitation(title=content.subject.strip(), text=text, links=tuple(islice(links, LINKS_MAX)), language=content.language)


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[WebLink] = []
        self._url = ""
        self._label: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            url = (dict(attrs).get("href") or "").strip()
            self._url, self._label = url if _URL.fullmatch(url) else "", []

    def handle_data(self, data: str) -> None:
        self._label.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._url:
            label = " ".join("".join(self._label).split())
            self.found.append(WebLink(url=self._url, label=(label or self._url)[:LABEL_MAX]))
            self._url = ""


def _anchors(html: str) -> list[WebLink]:
    reader = _Anchors()
    reader.feed(html)
    return reader.found
