"""Reads a rule written in words, the form in which `text` shows rules: `risk band is high and not (order.placed happened within 30d)`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nextwave_contracts.faults import Fault, FaultyError
from nextwave_contracts.fields import field

from nextwave_orchestrator.rules.operators import OPERATORS, Operator
from nextwave_orchestrator.rules.parse import DEEPEST, read_rule
from nextwave_orchestrator.rules.text import NAMES
from nextwave_orchestrator.rules.tree import Rule

LONGEST = 20_000
"""Characters of one rule in words."""
GRAMMAR = "write for example: risk band is one of high, lost and not (order.placed happened at least 2 times within 30d)"
_TOKEN = re.compile(r'\s*(?:([(),])|("(?:[^"\\]|\\.)*")|([^\s(),"]+))', re.DOTALL)
_PATHS: Mapping[tuple[str, ...], str] = {tuple(name.split()): path for path, name in NAMES.items()}
_PHRASES: Mapping[tuple[str, ...], str] = {tuple(o.phrase.split()): o.name for o in OPERATORS.values()}
_MOST_WORDS = max(len(words) for words in (*_PATHS, *_PHRASES))


def read_words(text: str, pointer: str = "") -> tuple[dict[str, Any], Rule]:
    """The rule as JSON and checked. Raises `FaultyError`; its faults stand at `pointer` and name the place in the text."""
    raw = _Words(text, pointer).read()
    try:
        return raw, read_rule(raw)
    except FaultyError as wrong:
        raise FaultyError(Fault(pointer, fault.detail, fault.fix) for fault in wrong.faults) from wrong


class _Words:
    """One pass over the words, by recursive descent; every method reads one thing of the grammar from where it stands."""

    def __init__(self, text: str, pointer: str) -> None:
        self._pointer = pointer
        self._text = text
        self._words = self._split(text[:LONGEST])
        if len(text) > LONGEST:
            raise self._fault(f"longer than {LONGEST} characters", "split the rule into several segments")
        self._at = 0
        self._depth = 0

    def read(self) -> dict[str, Any]:
        rule = self._either()
        if self._at < len(self._words):
            raise self._expected("and, or, or the end")
        return rule

    def _either(self) -> dict[str, Any]:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else {"any": parts}

    def _all(self) -> dict[str, Any]:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else {"all": parts}

    def _one(self) -> dict[str, Any]:
        turned = 0
        while self._take("not"):
            turned += 1
        rule = self._enclosed() if self._take("(") else self._leaf()
        for _ in range(turned):
            rule = {"not": rule}
        return rule

    def _enclosed(self) -> dict[str, Any]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._fault(f"nested deeper than {DEEPEST}", "split the rule into several segments")
        rule = self._either()
        self._need(")")
        self._depth -= 1
        return rule

    def _leaf(self) -> dict[str, Any]:
        path = self._longest(_PATHS)
        if path is None:
            path = self._name("a field or an event")
            if self._take("happened"):
                return self._event(path)
            self._known(path)
        return {"field": path} | self._comparison()

    def _event(self, type_: str) -> dict[str, Any]:
        event: dict[str, Any] = {"event": type_}
        if self._take("at"):
            self._need("least")
            event["at_least"] = self._value()
            self._need("times")
        if self._take("within"):
            event["within"] = self._value()
        if self._take("where"):
            self._need("(")
            event["where"] = self._where()
            self._need(")")
        return event

    def _where(self) -> dict[str, Any]:
        where: dict[str, Any] = {}
        while True:
            path = self._name("a data field of the event")
            if path in where:
                raise self._fault(f"two conditions on {path}", "give each data field one condition; join two events with and")
            where[path] = self._comparison()
            if not self._take("and"):
                return where

    def _comparison(self) -> dict[str, Any]:
        if self._ahead("is", "unknown"):
            self._at += 2
            return {"op": "exists", "value": False}
        name = self._longest(_PHRASES)
        if name is None:
            raise self._expected("how to compare: " + ", ".join(o.phrase for o in OPERATORS.values()))
        return {"op": name} | ({} if name == "exists" else {"value": self._operand(OPERATORS[name])})

    def _operand(self, operator: Operator) -> Any:
        first = self._value()
        if operator.operand == "pair":
            self._need("and")
            return [first, self._value()]
        if operator.operand not in {"several", "texts"}:
            return first
        values = [first]
        while self._take(","):
            values.append(self._value())
        return values

    def _value(self) -> Any:
        word = self._next("a value")
        if word.startswith('"'):
            return self._unquoted(word)
        if word in {"yes", "no"}:
            return word == "yes"
        try:
            return json.loads(word) if re.fullmatch(r"-?[0-9.]+([eE][-+]?[0-9]+)?", word) else word
        except ValueError:
            return word

    def _name(self, what: str) -> str:
        word = self._next(what)
        return self._unquoted(word) if word.startswith('"') else word

    def _known(self, path: str) -> None:
        try:
            field(path)
        except KeyError:
            self._at -= 1
            fix = f"use {', '.join(sorted(NAMES.values()))}, or a path of GET /v1/fields (scoring); an event is followed by happened"
            raise self._fault(f"there is no field {path!r:.60}", fix) from None

    def _longest(self, among: Mapping[tuple[str, ...], str]) -> str | None:
        """What the longest run of words from here on means, if it means something."""
        for length in range(_MOST_WORDS, 0, -1):
            ahead = tuple(word.lower() for word, _ in self._words[self._at : self._at + length])
            if len(ahead) == length and ahead in among:
                self._at += length
                return among[ahead]
        return None

    def _ahead(self, *words: str) -> bool:
        return [word.lower() for word, _ in self._words[self._at : self._at + len(words)]] == list(words)

    def _take(self, word: str) -> bool:
        found = self._ahead(word)
        self._at += found
        return found

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._expected(word)

    def _next(self, what: str) -> str:
        if self._at == len(self._words) or self._words[self._at][0] in {"(", ")", ","}:
            raise self._expected(what)
        self._at += 1
        return self._words[self._at - 1][0]

    def _unquoted(self, word: str) -> str:
        try:
            return str(json.loads(word, strict=False))
        except ValueError as wrong:
            raise self._fault(f"{word:.40} is no text", 'write texts as JSON does, for example "two words"') from wrong

    def _split(self, text: str) -> Sequence[tuple[str, int]]:
        """The words, each with its place (characters from the beginning)."""
        words: list[tuple[str, int]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                self._words, self._at = words, len(words)
                raise self._fault("a quotation mark that is never closed", "close it, or leave it out")
            words.append((found[0].strip(), found.end() - len(found[0].strip())))
            at = found.end()
        return words

    def _expected(self, what: str) -> FaultyError:
        return self._fault(f"here should be {what}", GRAMMAR)

    def _fault(self, detail: str, fix: str) -> FaultyError:
        at = self._words[self._at][1] if self._at < len(self._words) else len(self._text)
        here = f"at character {at + 1} ({self._text[at : at + 20]!r})" if at < len(self._text) else "at the end"
        return FaultyError([Fault(self._pointer, f"{here}: {detail}", fix)])
