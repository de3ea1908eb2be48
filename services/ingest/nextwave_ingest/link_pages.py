"""The pages that people see behind the links in our messages: a handful of texts as data, in the reader's language. PURE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

ALL = "All"
"""What the page's second button sends in the field of RFC 8058: not this kind of message only, but any of this channel."""
FIELD = "List-Unsubscribe"


class Texts(NamedTuple):
    """What is said in one language."""

    ask: str
    this_kind: str
    everything: str
    done: str
    done_with_kind: str
    done_with_everything: str
    later: str
    try_again: str
    unknown: str
    open_again: str


TEXTS: Mapping[str, Texts] = {
    "en": Texts(
        "Unsubscribe?",
        "Yes, no more messages of this kind",
        "No messages this way at all",
        "You are unsubscribed",
        "We will send you no more messages of this kind.",
        "We will not write to you this way any more.",
        "We could not note this yet",
        "You are not unsubscribed yet. Please press the button again in a minute.",
        "This link does not work",
        "It is not complete. Please open it again from the message.",
    ),
    "de": Texts(
        "Abmelden?",
        "Ja, keine Nachrichten dieser Art mehr",
        "Auf diesem Weg gar keine Nachrichten",
        "Sie sind abgemeldet",
        "Wir senden Ihnen keine Nachrichten dieser Art mehr.",
        "Wir schreiben Ihnen auf diesem Weg nicht mehr.",
        "Das konnten wir noch nicht vermerken",
        "Sie sind noch nicht abgemeldet. Bitte drücken Sie in einer Minute noch einmal auf den Knopf.",
        "Dieser Link funktioniert nicht",
        "Er ist nicht vollständig. Bitte öffnen Sie ihn noch einmal aus der Nachricht.",
    ),
    "fr": Texts(
        "Se désabonner ?",
        "Oui, plus de messages de ce type",
        "Aucun message par ce moyen",
        "Vous êtes désabonné",
        "Nous ne vous enverrons plus de messages de ce type.",
        "Nous ne vous écrirons plus par ce moyen.",
        "Nous n'avons pas encore pu l'enregistrer",
        "Vous n'êtes pas encore désabonné. Appuyez de nouveau sur le bouton dans une minute.",
        "Ce lien ne fonctionne pas",
        "Il n'est pas complet. Ouvrez-le de nouveau depuis le message.",
    ),
    "es": Texts(
        "¿Darse de baja?",
        "Sí, no más mensajes de este tipo",
        "Ningún mensaje por esta vía",
        "Se ha dado de baja",
        "No le enviaremos más mensajes de este tipo.",
        "No le escribiremos más por esta vía.",
        "Todavía no hemos podido anotarlo",
        "Todavía no está dado de baja. Pulse de nuevo el botón dentro de un minuto.",
        "Este enlace no funciona",
        "No está completo. Ábralo de nuevo desde el mensaje.",
    ),
}
OURS = "en"
"""For whoever asks for none of these languages."""
_ASKED = re.compile(r"\s*([a-z]{2,3})(?:-[a-z0-9-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", re.IGNORECASE)


def language_of(accepted: str) -> str:
    """The language that an Accept-Language header (RFC 9110, 12.5.4) weighs most of those that we have; the first of equals."""
    weights: dict[str, float] = {}
    for one in accepted.split(","):
        asked = _ASKED.fullmatch(one)
        name = asked[1].lower() if asked else ""
        if asked and name in TEXTS:
            weights[name] = max(weights.get(name, 0.0), float(asked[2] or 1))
    best = max(weights, key=lambda name: weights[name], default=OURS)
    return best if weights.get(best) else OURS


def asking(language: str, *, any_kind: bool) -> bytes:
    """The question. `any_kind`: the link is about all messages of its channel, so that there is nothing to choose."""
    return _page(language, TEXTS[language].ask, _form(language, any_kind=any_kind))


def done(language: str, *, any_kind: bool) -> bytes:
    """The stop is durable."""
    said = TEXTS[language]
    return _page(language, said.done, _said(said.done_with_everything if any_kind else said.done_with_kind))


def later(language: str, *, any_kind: bool) -> bytes:
    """The stop could not be made durable; the button is there again."""
    said = TEXTS[language]
    return _page(language, said.later, _said(said.try_again) + _form(language, any_kind=any_kind))


def unknown(language: str) -> bytes:
    """The token is none of ours, or leads nowhere."""
    said = TEXTS[language]
    return _page(language, said.unknown, _said(said.open_again))


def _form(language: str, *, any_kind: bool) -> str:
    said = TEXTS[language]
    every = _button(ALL, said.everything)
    return f'<form method="post">{every if any_kind else _button("One-Click", said.this_kind) + every}</form>'


def _button(value: str, text: str) -> str:
    return f'<p><button name="{FIELD}" value="{value}">{text}</button></p>'


def _said(text: str) -> str:
    return f"<p>{text}</p>"


def _page(language: str, title: str, content: str) -> bytes:
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><h1>{title}</h1>{content}</html>"
    ).encode()
