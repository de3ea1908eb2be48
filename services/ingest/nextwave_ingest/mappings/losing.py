"""What a mapping would lose without a word: words that nobody hears, grants without a scope, codes that are the same, misspelt types.

Told when it is saved or tried: what once was taken stays in force. PURE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from nextwave_contracts.consents import GRANTED, SCOPES, faults_of_grant
from nextwave_contracts.faults import Fault, step
from nextwave_contracts.messages_in import CHANNEL_OF, TEXT_FIELDS

from nextwave_ingest.mappings.document import Document, Rule
from nextwave_ingest.mappings.origins import places_of
from nextwave_ingest.mappings.tables import alike
from nextwave_ingest.mappings.values import MERGED
from nextwave_ingest.naming import near, spelt

_TYPES = re.compile(r"[A-Za-z][\w]*(?:\.\w+)+")
Tables = Mapping[str, Mapping[str, Any]]


def losses(document: Document) -> list[Fault]:
    """Everything that would be lost."""
    codes = chain.from_iterable(_codes(name, entries) for name, entries in document.tables.items())
    rules = chain.from_iterable(_rule(rule, f"/touchpoints/{n}", document.tables) for n, rule in enumerate(document.touchpoints))
    return [*codes, *rules]


def doubts(document: Document) -> list[Fault]:
    """Types that are nearly one with a built-in meaning, and may all the same be meant."""
    return [
        Fault(f"/touchpoints/{n}/type", f"{kind!r:.80} has no built-in meaning", f"did you mean {meant}?")
        for n, rule in enumerate(document.touchpoints)
        for kind in types_of(rule.type, document.tables)
        if (meant := near(kind)) and not spelt(kind)
    ]


def types_of(written: Any, tables: Tables) -> tuple[str, ...]:
    """The types that a rule may give, as far as the mapping itself says them."""
    return tuple(dict.fromkeys(_types(written, tables)))


def _types(written: Any, tables: Tables) -> Iterator[str]:
    match written:
        case str() if "{" in written:
            yield from (kind for text in re.split(r"\{%.*?%\}|\{\{.*?\}\}", written) for kind in _TYPES.findall(text))
        case str() if not written.startswith("$"):
            yield written
        case {"table": str(table)}:
            yield from (entry for entry in tables.get(table, {}).values() if isinstance(entry, str))
        case {"first_of": list(several)}:
            for one in several:
                yield from _types(one, tables)


def _codes(name: str, entries: Mapping[str, Any]) -> Iterator[Fault]:
    for code, other in alike(entries):
        fix = "keep one of them: codes are compared without regard to case and blanks around them"
        yield Fault(f"/tables{step(name)}{step(code)}", f"{code!r:.80} is the same code as {other!r:.80}", fix)


def _rule(rule: Rule, at: str, tables: Tables) -> Iterator[Fault]:
    kinds = types_of(rule.type, tables)
    for kind in kinds:
        if meant := spelt(kind):
            yield Fault(at + "/type", f"{kind!r:.80} is in other letters", f"write {meant}")
    if GRANTED in kinds:
        yield from _grant(rule, at)
    if MERGED not in rule.data:
        for kind in kinds:
            yield from _words(kind, rule, at)


def _words(kind: str, rule: Rule, at: str) -> Iterator[Fault]:
    fields = (*TEXT_FIELDS, "html") if kind.startswith("email.") else TEXT_FIELDS
    if kind in CHANNEL_OF and kind != "email.auto_replied" and not any(field in rule.data for field in fields):
        fix = f"give the customer's words as body, for example {{body: $.text}}; {', '.join(fields)} are read"
        yield Fault(at + "/data/body", f"a stop in {kind} would not be heard", fix)


def _grant(rule: Rule, at: str) -> Iterator[Fault]:
    """What every grant of the rule would be refused for, as far as the mapping itself says it; a table's entries may say the rest."""
    if MERGED in rule.data:
        return
    for pointer, fix in faults_of_grant(rule.data):
        field = pointer.removeprefix("/data/")
        if field not in SCOPES or not _is_read(rule.data.get(field)):
            yield Fault(f"{at}/data{step(field)}", "every such grant would be refused", fix)


def _is_read(value: Any) -> bool:
    return value is not None and any(places_of(value))
