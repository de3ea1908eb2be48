"""Words that say stop, start or help when they are the whole text: each with its language (ISO 639-1) and who knows it as that. Data only.

Sources: `FCC`, per se words of 47 CFR 64.1200(a)(10); `carriers`, CTIA's Messaging Principles and the defaults of SMS providers such as
Twilio; `Canada`, the CWTA's code for short codes; `usage`, what people of that language write where nobody prescribes a word.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Source = Literal["FCC", "carriers", "Canada", "usage"]


class Word(NamedTuple):
    """`plain` means nothing else: it counts with a please or thanks around it, too."""

    text: str
    language: str
    source: Source
    plain: bool = False


STOP: tuple[Word, ...] = (
    Word("stop", "en", "FCC", plain=True),
    Word("quit", "en", "FCC"),
    Word("end", "en", "FCC"),
    Word("revoke", "en", "FCC"),
    Word("opt out", "en", "FCC", plain=True),
    Word("optout", "en", "carriers", plain=True),
    Word("cancel", "en", "FCC"),
    Word("unsubscribe", "en", "FCC", plain=True),
    Word("unsubscribe me", "en", "usage", plain=True),
    Word("unsub", "en", "usage", plain=True),
    Word("opt me out", "en", "usage", plain=True),
    Word("no more texts", "en", "usage", plain=True),
    Word("remove me", "en", "usage", plain=True),
    Word("stopp", "de", "usage", plain=True),
    Word("halt", "de", "usage"),
    Word("aufhören", "de", "usage", plain=True),
    Word("abmelden", "de", "usage", plain=True),
    Word("abmeldung", "de", "usage", plain=True),
    Word("abbestellen", "de", "usage", plain=True),
    Word("austragen", "de", "usage", plain=True),
    Word("keine werbung", "de", "usage", plain=True),
    Word("arrêt", "fr", "Canada", plain=True),
    Word("arrêter", "fr", "usage", plain=True),
    Word("arrêtez", "fr", "usage", plain=True),
    Word("désabonner", "fr", "usage", plain=True),
    Word("désabonnement", "fr", "usage", plain=True),
    Word("désinscrire", "fr", "usage", plain=True),
    Word("désinscription", "fr", "usage", plain=True),
    Word("baja", "es", "usage"),
    Word("alto", "es", "usage"),
    Word("parar", "es", "usage"),
    Word("basta", "es", "usage", plain=True),
    Word("cancelar", "es", "usage"),
    Word("darme de baja", "es", "usage", plain=True),
    Word("cancelar suscripción", "es", "usage", plain=True),
    Word("cancelar la suscripción", "es", "usage", plain=True),
    Word("anular suscripción", "es", "usage", plain=True),
    Word("cancelar mi suscripción", "es", "usage", plain=True),
    Word("desuscribir", "es", "usage", plain=True),
    Word("desuscribirme", "es", "usage", plain=True),
    Word("sin publicidad", "es", "usage", plain=True),
    Word("no más publicidad", "es", "usage", plain=True),
    Word("fermare", "it", "usage"),
    Word("cancellami", "it", "usage", plain=True),
    Word("disiscrivi", "it", "usage", plain=True),
    Word("disiscrivimi", "it", "usage", plain=True),
    Word("disiscrizione", "it", "usage", plain=True),
    Word("annulla iscrizione", "it", "usage", plain=True),
    Word("cancella iscrizione", "it", "usage", plain=True),
    Word("cancellare iscrizione", "it", "usage", plain=True),
    Word("cancellazione", "it", "usage"),
    Word("fermati", "it", "usage"),
    Word("annulla", "it", "usage"),
    Word("niente pubblicità", "it", "usage", plain=True),
    Word("basta pubblicità", "it", "usage", plain=True),
    Word("afmelden", "nl", "usage", plain=True),
    Word("uitschrijven", "nl", "usage", plain=True),
    Word("opzeggen", "nl", "usage"),
    Word("afmelding", "nl", "usage", plain=True),
    Word("uitschrijving", "nl", "usage", plain=True),
    Word("schrijf me uit", "nl", "usage", plain=True),
    Word("meld me af", "nl", "usage", plain=True),
    Word("stoppen", "nl", "usage"),
    Word("ophouden", "nl", "usage"),
    Word("geen reclame", "nl", "usage", plain=True),
    Word("pare", "pt", "usage"),
    Word("sair", "pt", "usage"),
    Word("descadastrar", "pt", "usage", plain=True),
    Word("cancelar inscrição", "pt", "usage", plain=True),
    Word("wypisz", "pl", "usage", plain=True),
    Word("wypisz mnie", "pl", "usage", plain=True),
    Word("rezygnuję", "pl", "usage", plain=True),
    Word("rezygnacja", "pl", "usage", plain=True),
    Word("zrezygnuj", "pl", "usage", plain=True),
    Word("wypisz się", "pl", "usage", plain=True),
    Word("wypisać", "pl", "usage", plain=True),
    Word("wypisuję się", "pl", "usage", plain=True),
    Word("anuluj", "pl", "usage"),
    Word("anuluj subskrypcję", "pl", "usage", plain=True),
    Word("odsubskrybuj", "pl", "usage", plain=True),
    Word("przestań", "pl", "usage"),
    Word("przestańcie", "pl", "usage"),
    Word("bez reklam", "pl", "usage", plain=True),
    Word("avregistrera", "sv", "usage", plain=True),
    Word("avsluta", "sv", "usage"),
    Word("frameld", "da", "usage", plain=True),
    Word("afmeld", "da", "usage", plain=True),
    Word("avmeld", "nb", "usage", plain=True),
    Word("lopeta", "fi", "usage"),
    Word("peru", "fi", "usage"),
    Word("odhlásit", "cs", "usage", plain=True),
    Word("leiratkozás", "hu", "usage", plain=True),
    Word("dezabonare", "ro", "usage", plain=True),
    Word("iptal", "tr", "usage"),
    Word("διακοπή", "el", "usage", plain=True),
    Word("стоп", "ru", "usage", plain=True),
    Word("отписаться", "ru", "usage", plain=True),
    Word("退订", "zh", "usage", plain=True),
    Word("停止", "ja", "usage", plain=True),
)
STOP_EVERYTHING: tuple[Word, ...] = (
    Word("stopall", "en", "carriers", plain=True),
    Word("stop all", "en", "carriers", plain=True),
    Word("stop everything", "en", "usage", plain=True),
    Word("unsubscribe all", "en", "usage", plain=True),
    Word("unsubscribe from all", "en", "usage", plain=True),
    Word("opt out all", "en", "usage", plain=True),
    Word("alles stoppen", "de", "usage", plain=True),
    Word("stopp alles", "de", "usage", plain=True),
    Word("alles abmelden", "de", "usage", plain=True),
    Word("stop tout", "fr", "usage", plain=True),
    Word("tout arrêter", "fr", "usage", plain=True),
    Word("arrêtez tout", "fr", "usage", plain=True),
    Word("baja total", "es", "usage", plain=True),
    Word("parar todo", "es", "usage", plain=True),
    Word("basta tutto", "it", "usage", plain=True),
    Word("alles afmelden", "nl", "usage", plain=True),
    Word("parar tudo", "pt", "usage", plain=True),
    Word("stop wszystko", "pl", "usage", plain=True),
)
"""These stop every channel."""
START: tuple[Word, ...] = (
    Word("start", "en", "carriers", plain=True),
    Word("unstop", "en", "carriers", plain=True),
    Word("opt in", "en", "usage", plain=True),
    Word("optin", "en", "usage", plain=True),
    Word("resubscribe", "en", "usage", plain=True),
    Word("anmelden", "de", "usage", plain=True),
    Word("réabonner", "fr", "usage", plain=True),
    Word("alta", "es", "usage"),
    Word("aanmelden", "nl", "usage", plain=True),
)
"""Few: a grant must be sure. They grant the channel by which they come, and nothing on a message board or by e-mail."""
HELP: tuple[Word, ...] = (
    Word("help", "en", "carriers", plain=True),
    Word("info", "en", "carriers"),
    Word("hilfe", "de", "usage", plain=True),
    Word("aide", "fr", "Canada", plain=True),
    Word("ayuda", "es", "usage", plain=True),
    Word("aiuto", "it", "usage", plain=True),
    Word("hulp", "nl", "usage", plain=True),
    Word("ajuda", "pt", "usage", plain=True),
    Word("pomoc", "pl", "usage", plain=True),
    Word("hjälp", "sv", "usage", plain=True),
    Word("hjælp", "da", "usage", plain=True),
    Word("apua", "fi", "usage", plain=True),
)
OPENING: frozenset[str] = frozenset({"stop", "stopall", "unsubscribe", "optout"})
"""Words that withdraw wherever a text message begins with them: a reasonable person reads "STOP texting me" as a stop."""
POLITE: frozenset[str] = frozenset(
    {
        "please", "pls", "plz", "thanks", "thank", "you", "thx", "ok", "okay", "hi", "hello", "hey",
        "bitte", "danke", "hallo", "merci", "bonjour", "svp", "stp", "gracias", "hola", "favor", "por",
        "grazie", "per", "favore", "bedankt", "alstublieft", "obrigado", "obrigada", "prosze", "dziekuje",
    }
)  # fmt: skip
"""What may stand around a plain word, without accents."""
GREETINGS: frozenset[str] = POLITE | {
    "dear", "good", "morning", "evening", "greetings", "sehr", "liebe", "lieber", "liebes", "guten", "moin", "servus", "gruss", "cher",
    "chere", "madame", "monsieur", "bonsoir", "salut", "estimado", "estimada", "estimados", "querido", "querida", "buenos", "buenas",
}  # fmt: skip
"""With what the lines of a mail begin in which nothing is said yet."""
OURS: frozenset[str] = frozenset({"agent", "bot", "system", "operator", "moderator", "admin", "assistant", "support", "staff"})
"""Who writes beside the customer, as systems call them; anybody else is taken for the customer, so that no stop is lost for a word."""
