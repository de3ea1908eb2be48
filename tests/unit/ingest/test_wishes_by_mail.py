"""What customers ask for in e-mails: above the quote, by a person, and in answer to which of ours, however many blanks are around."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_contracts.messages_in import CHANNEL_OF
from nextwave_ingest.wishes.hearing import Wish, as_heard, heard, kind_heard
from nextwave_ingest.wishes.mail import LINES_MAX
from nextwave_ingest.wishes.phrases import LETTERS_MAX

STOP, EVERYWHERE, REVIEW = Wish("opt_out"), Wish("opt_out", everywhere=True), Wish("review")
MAILS = (
    ({"subject": "unsubscribe", "text": ""}, STOP),
    ({"subject": "STOP", "text": "Sent from my phone"}, STOP),
    ({"subject": "Re: Stop", "text": "What a nice offer"}, None),
    ({"subject": "AW: Abmelden", "text": "Bis morgen"}, None),
    ({"subject": "Re: Start", "text": ""}, None),
    ({"subject": "Re: Unsubscribe from boring shoes", "text": "Nice ones!"}, None),
    ({"subject": "Unsubscribe from boring shoes", "text": "Nice ones!"}, REVIEW),
    ({"subject": "Re: Offer", "text": "\n\nSTOP\n\nOn Mon, 2 Mar 2026, Shop <shop@example.com> wrote:\n> Hello"}, STOP),
    ({"subject": "Re: Offer", "text": "Thanks!\n> STOP"}, None),
    ({"subject": "Re: Offer", "text": "Thanks!\n\nAm 02.03.2026 um 10:00 schrieb Shop <s@example.com>:\nunsubscribe"}, None),
    ({"subject": "Re: Offer", "text": "Merci\n\nLe lun. 2 mars 2026, Shop a écrit :\nunsubscribe"}, None),
    ({"subject": "Re: Offer", "text": "ok\n-----Original Message-----\nFrom: shop\nplease unsubscribe"}, None),
    ({"subject": "Re: Offer", "text": "ok\n________________________________\nVon: Shop\nabmelden"}, None),
    ({"subject": "Re: Offer", "text": "Thanks\n-- \nAnn, head of stop all"}, None),
    ({"subject": "Re: Offer", "text": "Dear shop,\nplease take me off your list.\n> Hi"}, REVIEW),
    ({"subject": "Take me off your list", "text": "."}, REVIEW),
    ({"subject": "Re: Offer", "html": "<p>STOP</p><blockquote>Hello, unsubscribe here</blockquote>"}, STOP),
    ({"subject": "Re: Offer", "html": "<style>stop</style><div>Thanks</div><div class='gmail_quote'>STOP</div>"}, None),
    ({"subject": "Stop everything", "text": ""}, EVERYWHERE),
    ({"subject": "Re: Offer", "text": "Hi,\nplease stop.\nAnn"}, STOP),
    ({"subject": "Re: Offer", "text": "Sehr geehrte Damen und Herren,\n\nCancel\n\nAnn"}, STOP),
    ({"subject": "Re: Offer", "text": "Dear shop\nHi\nStop all, thanks"}, EVERYWHERE),
    ({"subject": "Re: Offer", "text": "I have had enough of it.\nYou know why.\nUnsubscribe\nAnn"}, STOP),
    ({"subject": "Re: Offer", "text": "What a nice offer\nAnn\nLima\nPeru"}, None),
    ({"subject": "Re: Offer", "text": "What a nice offer\nHelp"}, None),
    (
        {"subject": "Re: Offer", "text": "one\ntwo\nthree\nfour\nfive\nSTOP\nand so on, and on and on it went"},
        None,
    ),
    ({"subject": "Re: Offer", "text": "Hi Ann,\n> STOP"}, None),
)


@pytest.mark.parametrize(("data", "meant"), MAILS)
def test_of_a_mail_the_customer_s_own_subject_and_first_line_above_the_quote_count(data: dict[str, Any], meant: Wish | None) -> None:
    assert heard("email.received", data) == meant


MACHINES = (
    {"auto_submitted": "auto-replied"},
    {"auto_submitted": "auto-generated; type=x"},
    {"precedence": "bulk"},
    {"x_auto_response_suppress": "All"},
    {"x_autoreply": "yes"},
    {"return_path": "<>"},
    {"content_type": "multipart/report; report-type=delivery-status"},
    {"from": "Mail Delivery Subsystem <MAILER-DAEMON@example.com>"},
    {"subject": "Out of office: back on Monday"},
    {"subject": "Abwesenheitsnotiz: Urlaub"},
    {"subject": "Réponse automatique : congé"},
    {"automatic": True},
)


@pytest.mark.parametrize("told", MACHINES)
def test_a_machine_s_mail_is_nobody_s_word_but_a_stop(told: dict[str, Any]) -> None:
    assert (kind := kind_heard("email.received", {"text": "STOP", **told})) == "email.auto_replied"
    assert as_heard(kind, {"text": "STOP", **told}, "a", "b")["wish"] == "opt_out"
    for text in ("START", "HELP", "leave me alone", "Hello,\nSTOP", "please stop this"):
        assert heard(kind, {"text": text, **told}) is None


def test_a_mail_program_unsubscribes_for_a_person() -> None:
    assert heard("email.auto_replied", {"subject": "Unsubscribe", "text": "This message was generated automatically."}) == STOP
    assert heard("email.auto_replied", {"subject": "Re: Unsubscribe", "text": "I am away."}) is None


@pytest.mark.parametrize(
    "told", [{}, {"auto_submitted": "no"}, {"from": "Ann <ann@example.com>"}, {"return_path": "<ann@example.com>"}, {"subject": "Away?"}]
)
def test_a_person_s_mail_is_one(told: dict[str, Any]) -> None:
    assert kind_heard("email.received", {"text": "STOP", **told}) == "email.received"
    assert kind_heard("sms.received", {"auto_submitted": "auto-replied"}) == "sms.received"


ACTION = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "told",
    [
        {"in_reply_to": f"<{ACTION}@shop.example>"},
        {"references": f"<other@x> <{ACTION}@shop.example>"},
        {"references": ["<other@x>", f"<{ACTION}@shop.example>"]},
        {"to": f"Shop <bounces+{ACTION}@shop.example>"},
    ],
)
def test_an_answer_names_the_contact_that_it_answers(told: dict[str, Any]) -> None:
    assert as_heard("email.received", {"text": "Thanks", **told}, "a", "b")["action_id"] == ACTION


def test_a_mail_grants_nothing_whatever_it_says_that_it_answers_and_stops_always() -> None:
    assert as_heard("email.received", {"subject": "START"}, "a", "b") == {"subject": "START"}
    answer = {"text": "START", "in_reply_to": f"<{ACTION}@shop.example>"}
    assert as_heard("email.received", answer, "a", "b") == answer | {"action_id": ACTION}
    named = {"text": "START", "action_id": ACTION}
    assert as_heard("email.received", named, "a", "b") == named
    assert as_heard("email.received", {"subject": "STOP"}, "a", "b")["wish"] == "opt_out"


def test_a_mail_that_answers_none_of_ours_names_no_contact() -> None:
    for told in ({"in_reply_to": "<CA+x@mail.example>"}, {"to": "shop@example.com"}, {"in_reply_to": 7}):
        assert "action_id" not in as_heard("email.received", {"text": "Thanks", **told}, "a", "b")


BLANK = " \t\n" * LETTERS_MAX, "\u200b\u200c\u034f\xa0\xad\ufeff" * LETTERS_MAX


@pytest.mark.parametrize("blank", BLANK)
@pytest.mark.parametrize("kind", [kind for kind in CHANNEL_OF if kind != "email.auto_replied"])
def test_blanks_are_no_letters_of_a_text(kind: str, blank: str) -> None:
    assert heard(kind, {"text": f"{blank}STOP{blank}"}) == STOP
    assert heard(kind, {"text": f"leave{blank}me{blank}alone"}) == REVIEW


@pytest.mark.parametrize("blank", BLANK)
def test_a_mail_s_blanks_and_empty_lines_are_no_letters_and_no_lines(blank: str) -> None:
    empty = f"\n{blank[:40]}" * 2 * LINES_MAX
    for text in (f"Hello,{empty}\n{blank}STOP", f"{blank}\nHello,\n{blank}STOP\n> quoted"):
        assert heard("email.received", {"text": text}) == STOP
    page = "<p>Hello,</p>" + "".join(f"\n{'  ' * depth}<table>\n{blank}<tr>\n<td>" for depth in range(30)) + f"{blank}STOP</td>"
    assert heard("email.received", {"html": page}) == STOP
    assert heard("email.received", {"subject": f"Please{blank}stop"}) == STOP


def test_of_a_mail_the_first_letters_are_looked_at_whatever_its_lines() -> None:
    words_ = ["word " * 40] * (LETTERS_MAX // 200)
    assert heard("email.received", {"text": "\n".join([*words_[1:], "leave me alone"])}) == REVIEW
    assert heard("email.received", {"text": "\n".join([*words_, "leave me alone"])}) is None
