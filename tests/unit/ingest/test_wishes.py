"""What customers ask for in their own words, on every channel by which they write."""

from __future__ import annotations

import json
import re
from itertools import chain, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_ingest.wishes import refusals, words
from nextwave_ingest.wishes.hearing import Wish, as_heard, heard, may_refuse
from nextwave_ingest.wishes.phrases import LETTERS_MAX, Phrases, plain
from unit.ingest.fakes import Stand, basic

STOP, EVERYWHERE, START, HELP, REVIEW = Wish("opt_out"), Wish("opt_out", everywhere=True), Wish("opt_in"), Wish("help"), Wish("review")
SAID_BY = "0123456789abcdef" * 2
ROUTES = ("sms.received", "email.received", "chat.message_received", "message.left")


def said(kind: str, text: str) -> Wish | None:
    return heard(kind, {"subject": "Re: our offer", "text": text})


@pytest.mark.parametrize("kind", ROUTES)
@pytest.mark.parametrize(
    ("table", "meant"),
    [(words.STOP, STOP), (words.STOP_EVERYTHING, EVERYWHERE), (words.START, START), (words.HELP, HELP)],
    ids=["stop", "stop everything", "start", "help"],
)
def test_every_word_is_heard_on_every_route_however_it_is_written(kind: str, table: tuple[words.Word, ...], meant: Wish) -> None:
    for word in table:
        for text in (word.text, word.text.upper(), f" {word.text.capitalize()}! ", f"{word.text}."):
            assert said(kind, text) == meant, text


@pytest.mark.parametrize("text", ["Please stop", "STOP, thanks", "stop please!", "Bitte abmelden", "Merci, désabonnement svp", "ok stop"])
def test_a_plain_word_counts_with_politeness_around_it(text: str) -> None:
    assert said("chat.message_received", text) == STOP


@pytest.mark.parametrize("text", ["aufhoeren", "ARRET", "desabonnement", "De\u0301sabonnement", "rezygnuje", "ОТПИСАТЬСЯ"])
def test_accents_may_be_missing_or_written_in_another_way(text: str) -> None:
    assert said("sms.received", text) == STOP


def test_what_begins_with_stop_is_a_stop_in_a_text_message_only() -> None:
    assert said("sms.received", "STOP by tomorrow") == STOP
    assert said("chat.message_received", "Stop by tomorrow") is None


NO_WISH = (
    "",
    "cancel my second order",
    "end of the month is fine",
    "please do not",
    "ok",
    "restart",
    "start the engine",
    "when does the sale stop",
    "cancel my order",
    "don't stop",
    "Don't stop sending me these offers, I love them",
    "never stop texting me",
    "Why did you stop emailing me?",
    "Where is the bus stop near your shop?",
    "Please don't call me before 9, after is fine",
    "Can you help me with my order",
    "I cannot stop laughing at your ad",
    "not interested in the blue one, is there a red one",
    "Please don't take me off the list",
    "is 20 off the list price possible",
    "I did not unsubscribe, why do I get nothing?",
    "The message was left at reception",
    "Wann endet der Ausverkauf?",
    "Bitte nicht abmelden",
    "Ich will meine Bestellung stornieren",
    "Rufen Sie mich bitte morgen an",
    "Ich habe noch keine Werbung bekommen",
    "Je voudrais annuler ma commande",
    "Ne m'appelez pas avant 9 h",
    "N'arrêtez pas, c'est super",
    "¿Cuándo termina la oferta?",
    "No dejen de enviarme ofertas",
    "Quiero cancelar mi pedido",
    "No me llamen antes de las 9",
    "When will you stop the sale?",
    "I will stop by tomorrow",
    "Nicht so früh anrufen",
)


@pytest.mark.parametrize("text", NO_WISH)
@pytest.mark.parametrize("kind", ROUTES)
def test_what_is_no_refusal_changes_nothing(kind: str, text: str) -> None:
    assert said(kind, text) is None


REFUSING = (
    "please leave me alone",
    "Take me off your list",
    "take me off of this damn list",
    "I never want to hear from you",
    "I never want to hear from you again!",
    "Don't ever call me again",
    "do not contact me anymore",
    "Please stop texting me",
    "Would you stop sending me these messages",
    "no more emails please",
    "I don't want any more of your emails",
    "Lose my number",
    "how do I unsubscribe from this?",
    "You have the wrong number",
    "I withdraw my consent",
    "Remove my number from your database",
    "quit bothering me",
    "would like to opt out",
    "Lassen Sie mich bitte in Ruhe!",
    "Lasst mich in Ruhe",
    "Bitte keine weiteren Mails mehr",
    "Ich möchte keine Werbung mehr erhalten",
    "ich will nichts mehr von euch hoeren",
    "Rufen Sie mich nie wieder an",
    "Nehmen Sie mich aus Ihrem Verteiler",
    "Bitte löschen Sie meine Nummer",
    "ich will nicht mehr angerufen werden",
    "Hören Sie auf, mir zu schreiben",
    "Hiermit widerrufe ich meine Einwilligung",
    "Ich möchte mich abmelden",
    "ich moechte abmelden",
    "Falsche Nummer",
    "Laissez-moi tranquille",
    "Ne m'appelez plus jamais",
    "Je ne veux plus recevoir vos messages",
    "retirez-moi de votre liste",
    "Arrêtez de m'écrire",
    "Veuillez supprimer mon numéro",
    "Plus de publicité svp",
    "Déjenme en paz",
    "No me llamen más",
    "no quiero recibir mas mensajes",
    "Bórrenme de su lista",
    "Quiero darme de baja de esto",
    "No vuelvan a escribirme",
    "Dejen de llamarme",
    "please stop this",
    "can you please stop",
    "I said stop",
    "I want to stop",
    "You never stop texting me",
    "Do not call me now or ever again",
    "don't text me later or ever",
    "Don't call me before 9 in the morning or ever again",
    "Please do not text this number again",
    "do not text again",
    "I do not consent to these messages",
    "delete me",
    "take this number off",
    "I don't want texts",
    "Bitte rufen Sie mich nicht an",
    "Schreiben Sie mir nicht",
    "Ich möchte keine Nachrichten",
    "Bitte nicht anrufen",
    "Je ne veux pas de messages",
    "Ne m'appelez pas avant 9 h, ni jamais",
    "No quiero mensajes",
    "No me llamen antes de las 9 ni nunca",
)


@pytest.mark.parametrize("text", REFUSING)
@pytest.mark.parametrize("kind", ROUTES)
def test_what_may_be_a_refusal_goes_to_review(kind: str, text: str) -> None:
    assert said(kind, f"Hello, this is Ann.\n{text}" if kind == "email.received" else text) == REVIEW


def test_a_refusal_beside_something_that_is_none_is_heard() -> None:
    assert may_refuse("Don't stop the delivery, but please leave me alone with your ads")


@given(st.text(max_size=6000))
def test_any_text_is_heard_without_an_error(text: str) -> None:
    for kind in ROUTES:
        heard(kind, {"subject": text[:300], "text": text, "html": text})


@pytest.mark.parametrize(
    "text", ["dont never stop take my " * 4000, "a" * 200_000, "no more " * 9000, "> " * 50_000, "On " + "x " * 90_000]
)
def test_a_text_that_was_made_to_take_long_is_read_to_its_bound(text: str) -> None:
    assert [heard(kind, {"text": text + " leave me alone", "html": text}) for kind in ROUTES] == [None] * len(ROUTES)


def test_a_stop_word_in_a_short_text_may_be_meant_and_in_a_long_one_is_not_enough() -> None:
    twelve = ["we", "talked", "about", "the", "weather", "and", "then", "he", "said", "stop", "to", "her"]
    assert len(twelve) == 12
    assert may_refuse(" ".join(twelve))
    assert not may_refuse(" ".join([*twelve, "again"]))


def test_everything_that_is_no_refusal_takes_out_what_would_be_one() -> None:
    stops = (word.text for word in (*words.STOP, *words.STOP_EVERYTHING) if word.plain)
    refusing = Phrases([*chain.from_iterable(refusals.REFUSALS.values()), *map(plain, stops)])
    for phrase in chain.from_iterable(refusals.NO_REFUSAL.values()):
        choices = [[""] if word == "*" else word.split("/") for word in phrase.split(" ")]
        texts = [" ".join(filter(None, (*words_, tail))) for words_ in product(*choices) for tail in ("", "llamarme")]
        assert any(refusing.are_in(text) and not may_refuse(text) for text in texts), phrase


def test_each_language_has_its_phrases_and_what_is_none() -> None:
    assert set(refusals.REFUSALS) == set(refusals.NO_REFUSAL) == {"en", "de", "fr", "es", "it", "nl", "pl"}
    for phrases in (*refusals.REFUSALS.values(), *refusals.NO_REFUSAL.values(), *refusals.EVEN_SO.values()):
        for phrase in phrases:
            example = " ".join(word.split("/")[0] for word in phrase.split(" ") if word != "*")
            assert Phrases([phrase]).are_in(plain(example)), phrase


def test_phrases_are_found_whichever_word_they_begin_with() -> None:
    for phrase in (phrase for phrases in refusals.REFUSALS.values() for phrase in phrases):
        for first in phrase.split(" ")[0].split("/"):
            assert may_refuse(" ".join([first, *(word.split("/")[0] for word in phrase.split(" ")[1:] if word != "*")])), phrase


def test_a_text_is_looked_at_to_its_bound() -> None:
    before = "word " * (LETTERS_MAX // 5)
    assert LETTERS_MAX == 1000  # docs/doors.md
    assert said("chat.message_received", before[:-20] + "leave me alone") == REVIEW
    assert said("chat.message_received", before + "leave me alone") is None


@pytest.mark.parametrize(
    ("told", "text", "meant"),
    [
        ("STOP", "genug jetzt", STOP),
        ("START", "weiter", START),
        ("HELP", "was ist das", HELP),
        ("START", "STOP", STOP),
        ("stop", "", STOP),
        ("OTHER", "hi", None),
    ],
)
def test_what_the_provider_heard_counts_as_said_and_a_stop_outweighs_the_rest(told: str, text: str, meant: Wish | None) -> None:
    assert heard("sms.received", {"body": text, "OptOutType": told}) == meant
    assert heard("sms.received", {"body": text, "opt_out_type": told}) == meant


def test_what_twilio_carries_has_such_a_type_and_nothing_else() -> None:
    assert heard("chat.message_received", {"body": "hello", "OptOutType": "STOP"}) == STOP  # WhatsApp
    assert heard("message.left", {"body": "hello", "OptOutType": "STOP"}) is None


def test_an_agent_s_words_are_not_the_customer_s() -> None:
    assert heard("chat.message_received", {"body": "STOP", "by": "agent"}) is None
    assert heard("chat.message_received", {"body": "STOP", "by": " Agent "}) is None
    for by in ("customer", "Visitor", None, 7):
        assert heard("chat.message_received", {"body": "STOP", "by": by}) == STOP


def test_what_the_door_notes_is_taken_from_nobody_else() -> None:
    forged = {"body": "hello", "wish": "opt_out", "everywhere": True, "asked": "help", "review": "x"}
    assert as_heard("chat.message_received", forged, "a", SAID_BY) == {"body": "hello"}


def test_data_in_which_nothing_is_asked_is_passed_on_as_it_is() -> None:
    data = {"body": "hello"}
    assert as_heard("sms.received", data, "a", SAID_BY) is data


def test_a_review_is_named_by_its_channel_its_touchpoint_and_the_hash_of_who_said_it() -> None:
    first, again, other = (as_heard("sms.received", {"body": "leave me alone"}, name, SAID_BY)["review"] for name in ("a", "a", "b"))
    assert first == again != other
    assert re.fullmatch(rf"sms-[0-9a-f]{{24}}-{SAID_BY}", first)  # with `email` 63 characters: profiles keep 64
    assert as_heard("message.left", {"body": "leave me alone"}, "a", SAID_BY)["review"].startswith("all-")


def test_help_is_noted_and_start_grants_no_message_board() -> None:
    assert as_heard("sms.received", {"body": "HELP"}, "a", SAID_BY) == {"body": "HELP", "asked": "help"}
    assert as_heard("message.left", {"body": "START"}, "a", SAID_BY) == {"body": "START"}
    assert as_heard("chat.message_received", {"body": "START"}, "a", SAID_BY) == {"body": "START", "wish": "opt_in"}


GUIDE = (Path(__file__).parents[3] / "docs" / "doors.md").read_text(encoding="utf-8")


def test_the_guide_lists_every_word_and_no_word_more() -> None:
    [rows] = re.findall(r"^\| language \| stop \| stop everything \| start \| help \|\n\|[- |]+\|\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    cells = [[re.findall(r"`([^`]+)`", cell) for cell in row.strip("|").split("|")] for row in rows.splitlines()]
    for place, table in enumerate((words.STOP, words.STOP_EVERYTHING, words.START, words.HELP), start=1):
        told = {(language, word) for (language,), *columns in cells for word in columns[place - 1]}
        assert told == {(word.language, word.text) for word in table}


async def test_the_guide_s_verdict_is_taken_as_it_is_written(ingest: Stand) -> None:
    [written] = [block for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL) if "refusal.reviewed" in block]
    headers = {"content-type": "application/cloudevents+json", "authorization": basic("wk_desk")}
    answer = await ingest.post("/v1/touchpoints", json.loads(written), headers=headers)
    assert answer.status_code == 202, answer.text
    assert [(hold.kind, hold.channel) for hold in ingest.committer.holds] == [("opt_out", "sms"), ("review_lifted", "")]
