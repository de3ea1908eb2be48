"""The codes and words by which customers and agents say why somebody leaves; codes know no language, words are the few that are told here.

Codes stand in fields for codes (`CODE_FIELDS`) and are compared whole; words are looked for in fields for free text (`TEXT_FIELDS`),
whole words only, in the languages that are listed. A user whose agents write otherwise sends codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

CODE_FIELDS = ("reason_code", "reason", "cancel_reason", "refusal_reason", "return_reason", "disposition", "competitor_reason")
TEXT_FIELDS = ("reason", "reason_text", "note", "notes", "comment")
TEXT_MAX = 500
"""Characters of a text that are looked at."""

CODES: Mapping[str, frozenset[str]] = {
    "poached/other_offer": frozenset({"has_another_offer", "another_offer", "other_offer", "better_offer", "competitor_offer", "switched"}),
    "poached/price": frozenset({"price", "too_expensive", "expensive", "cheaper_elsewhere", "price_too_high"}),
    "poached/competitor": frozenset({"competitor", "went_to_competitor"}),
    "attracted/feature": frozenset({"feature", "features", "missing_feature", "missing_features", "better_product", "technology"}),
    "attracted/quality": frozenset({"quality_elsewhere", "better_quality", "better_service_elsewhere"}),
    "dissatisfied/service_trouble": frozenset({"bad_service", "poor_service", "service_trouble", "unreliable", "outage"}),
    "dissatisfied/product": frozenset({"defective", "defect", "damaged", "broken", "wrong_item", "not_as_described", "quality"}),
    "dissatisfied/unhappy": frozenset({"dissatisfied", "unhappy", "not_satisfied", "unsatisfied"}),
    "forced/moved": frozenset({"moved", "moving", "relocated", "relocation", "moved_away"}),
    "forced/deceased": frozenset({"deceased", "death", "died"}),
    "forced/economic": frozenset(
        {"economic", "financial_hardship", "hardship", "cannot_afford", "job_loss", "unemployed", "insolvency", "bankruptcy"}
    ),
    "dropped_by_us/cancelled": frozenset({"cancelled_by_us", "terminated_by_company", "discontinued", "dunning", "non_payment", "fraud"}),
}  # fmt: skip
"""By kind of evidence, the codes that say so."""

WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "poached/other_offer": {"en": ("another offer", "better offer", "better deal"), "de": ("anderes angebot", "besseres angebot")},
    "poached/price": {"en": ("cheaper", "too expensive"), "de": ("günstiger", "billiger", "zu teuer")},
    "poached/competitor": {"en": ("competitor",), "de": ("konkurrenz", "mitbewerber")},
    "attracted/feature": {"en": ("missing feature", "better product"), "de": ("mehr funktionen", "moderner")},
    "attracted/quality": {"en": ("better quality",), "de": ("bessere qualität",)},
    "dissatisfied/unhappy": {"en": ("dissatisfied", "disappointed", "unhappy"), "de": ("unzufrieden", "enttäuscht")},
    "dissatisfied/product": {"en": ("defective", "broken", "damaged"), "de": ("defekt", "kaputt", "beschädigt")},
    "forced/moved": {"en": ("moved", "moving", "relocated"), "de": ("umzug", "umgezogen", "weggezogen")},
    "forced/deceased": {"en": ("deceased", "passed away"), "de": ("verstorben",)},
    "forced/economic": {"en": ("unemployed", "bankrupt"), "de": ("arbeitslos", "insolvent", "insolvenz")},
}
"""By kind of evidence and language, the phrases of one or two words that say so, where no code does."""

_KIND_OF_CODE = {code: kind for kind, codes in CODES.items() for code in codes}
_KIND_OF_PHRASE = {phrase: kind for kind, said in WORDS.items() for phrases in said.values() for phrase in phrases}
_WORD = re.compile(r"\w+")
_NOT_OF_A_CODE = re.compile(r"[^a-z0-9]+")


def kinds_of_codes(data: Mapping[str, Any]) -> set[str]:
    """The kinds of evidence that the codes of a touchpoint's data name."""
    return {_KIND_OF_CODE[code] for code in _codes(data) if code in _KIND_OF_CODE}


def kinds_of_words(data: Mapping[str, Any]) -> set[str]:
    """The kinds of evidence that the texts of a touchpoint's data speak of."""
    kinds: set[str] = set()
    for name in TEXT_FIELDS:
        text = data.get(name)
        if isinstance(text, str):
            words = _WORD.findall(text[:TEXT_MAX].casefold())
            said = _KIND_OF_PHRASE.keys() & {*words, *map(" ".join, pairwise(words))}
            kinds.update(_KIND_OF_PHRASE[phrase] for phrase in said)
    return kinds


def _codes(data: Mapping[str, Any]) -> Iterator[str]:
    """Lower case, whatever is between the words one underscore: `Has another offer` is `has_another_offer`."""
    for name in CODE_FIELDS:
        value = data.get(name)
        if isinstance(value, str) and len(value) <= TEXT_MAX:
            yield _NOT_OF_A_CODE.sub("_", value.lower()).strip("_")
