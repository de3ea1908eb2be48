"""Content in Liquid: checked when saved, rendered in the customer's language, the same text for the same profile at any time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate
from liquid.builtin.content import ContentNode
from liquid.exceptions import LiquidError
from nextwave_contracts.actions import Content
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.faults import Fault, step
from nextwave_contracts.fields import field

from nextwave_orchestrator.campaigns.checks import KEY, KEY_FIX
from nextwave_orchestrator.campaigns.definition import Template, Variant
from nextwave_orchestrator.outputs import bare
from nextwave_orchestrator.rendering import ENTRY, NOBODY, context_of, parsed, path_of, rendered

LARGEST = 100_000
"""Characters of one part (text, subject, html)."""
LANGUAGES_MAX = 50
PARTS = ("subject", "text", "html")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_EXAMPLES: tuple[Any, ...] = (1, "example", ["example"])
"""What fields of a customer may hold."""


class UnrenderableError(KeyError):
    """The template is unknown, or it broke a limit on this profile; nothing is sent."""


class Templates:
    """The renderer of a catalogue: its templates by key."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._templates = {t.key: t for t in templates}

    def __call__(self, template: str, profile: Snapshot, entry: Mapping[str, Any] | None = None) -> Content:
        """What is said to this customer, in their language; the subject is one line. `entry`: the data of the event that let them in.

        Raises `UnrenderableError`.
        """
        known = self._templates.get(template)
        if known is None:
            raise UnrenderableError(template)
        language, variant = chosen(known, profile.language)
        try:
            return content_of(variant, context_of(profile, entry), language)
        except UnrenderableError as wrong:
            raise UnrenderableError(f"{named(template, language)}: {wrong.args[0]}") from wrong

    def entry_fields(self, template: str) -> frozenset[str]:
        """The fields of the entry's event that a template shows, in whatever language; none for an unknown one."""
        known = self._templates.get(template)
        if known is None:
            return frozenset()
        return frozenset(name for _, one in variants(known) for part in PARTS for name in _entry_fields(getattr(one, part), part))


def variants(template: Template) -> Iterator[tuple[str, Variant]]:
    """The default, whose language is empty, and those of other languages."""
    yield "", Variant(text=template.text, subject=template.subject, html=template.html)
    yield from template.languages.items()


def chosen(template: Template, language: str) -> tuple[str, Variant]:
    """The variant in this language, else in the one that it is a kind of (RFC 4647's lookup: `de-AT`, then `de`), else the default."""
    known = {_normal(name): (name, variant) for name, variant in template.languages.items()}
    wanted = _normal(language).split("-")
    for length in range(len(wanted), 0, -1):
        found = known.get("-".join(wanted[:length]))
        if found is not None:
            return found
    return next(variants(template))


def named(key: str, language: str) -> str:
    """How people call a variant."""
    return f"{key} ({language})" if language else key


def content_of(variant: Variant, context: Mapping[str, Any], language: str = "") -> Content:
    """The rendered parts. Raises `UnrenderableError` with the first line of the reason."""
    try:
        subject, text, html = (rendered(getattr(variant, part), part, context) for part in PARTS)
    except (LiquidError, ArithmeticError, TypeError, ValueError, RecursionError) as wrong:
        raise UnrenderableError(f"{str(wrong).partition(chr(10))[0]:.200}") from wrong
    return Content(subject=" ".join(subject.split()), text=text, html=html, language=language)


def fixed(variant: Variant) -> Content:
    """What it says to everybody, whatever is known of them: its text outside of all tags."""
    subject, text, html = (_fixed(getattr(variant, part), part) for part in PARTS)
    return Content(subject=" ".join(subject.split()), text=text, html=html)


def _fixed(source: str, part: str) -> str:
    return "".join(node.text for node in parsed(source, part).nodes if isinstance(node, ContentNode))


@lru_cache(maxsize=4096)
def example(variant: Variant) -> Content | None:
    """What it says to a customer of whom nothing is known; None where it fails."""
    try:
        return content_of(variant, context_of(NOBODY))
    except UnrenderableError:
        return None


@lru_cache(maxsize=4096)
def failure(variant: Variant) -> tuple[str, bool]:
    """Why it fails for an example customer of whom nothing is known (empty: it does not), and whether it does whatever is known."""
    unknown = _failure(variant, context_of(NOBODY))
    return unknown, all(_failure(variant, _filled(variant, value)) for value in _EXAMPLES) if unknown else False


def _failure(variant: Variant, context: Mapping[str, Any]) -> str:
    try:
        content_of(variant, context)
    except UnrenderableError as wrong:
        return str(wrong.args[0])
    return ""


def _filled(variant: Variant, value: Any) -> dict[str, Any]:
    """As templates see a customer of whom every field that this one shows has this value."""
    context: dict[str, Any] = {}
    written = (parsed(getattr(variant, part), part) for part in PARTS)
    shown = [variable for one in written for found in one.analyze(include_partials=False).globals.values() for variable in found]
    for *way, last in sorted(((path_of(variable.segments) or "").split(".") for variable in shown), key=len, reverse=True):
        node = context
        for name in way:
            node = node.setdefault(name, {})
        node.setdefault(last, value)
    return context


def bare_outputs(variant: Variant) -> list[tuple[str, str]]:
    """`(pointer, path)` of every field that is shown though it may be missing, without a default or a condition."""
    return [(f"/{part}", path) for part in PARTS for path in bare(getattr(variant, part), part)]


def template_faults(template: Template) -> list[Fault]:
    """Every fault of a template: its key and languages, syntax, size, and fields that do not exist."""
    faults = [] if KEY.fullmatch(template.key) else [Fault("/key", f"{template.key!r:.80} is no key", KEY_FIX)]
    faults += _language_faults(template)
    for language, variant in variants(template):
        at = f"/languages{step(language)}" if language else ""
        faults += [fault.under(at) for fault in _variant_faults(variant)]
    return faults


def _language_faults(template: Template) -> Iterator[Fault]:
    if len(template.languages) > LANGUAGES_MAX:
        yield Fault("/languages", f"{len(template.languages)} languages", f"write at most {LANGUAGES_MAX}")
    seen: set[str] = set()
    for name in template.languages:
        if not LANGUAGE.fullmatch(name):
            yield Fault("/languages" + step(name), f"{name!r:.40} is no language", "write a BCP 47 tag, for example de or pt-BR")
        elif _normal(name) in seen:
            yield Fault("/languages" + step(name), f"{name} stands twice", "write each language once")
        seen.add(_normal(name))


def _variant_faults(variant: Variant) -> Iterator[Fault]:
    if not variant.text.strip():
        yield Fault("/text", "no text", "write the content; html alone reaches nobody who reads plain text")
    for part in PARTS:
        source = getattr(variant, part)
        if len(source) > LARGEST:
            yield Fault(f"/{part}", f"longer than {LARGEST} characters", "shorten it")
            continue
        try:
            yield from (Fault(f"/{part}", detail, fix) for detail, fix in _unknown(parsed(source, part)))
        except (LiquidError, RecursionError) as wrong:
            fix = "correct the template; tags include and render, and filter safe, are not taken"
            yield Fault(f"/{part}", f"Liquid: {wrong}", fix)


def _unknown(template: BoundTemplate) -> Iterator[tuple[str, str]]:
    used = template.analyze(include_partials=False)
    for name in sorted(set(used.filters) - set(template.env.filters)):
        yield f"there is no filter {name}", "use one of " + ", ".join(sorted(template.env.filters))
    for variables in used.globals.values():
        for variable in variables:
            path = path_of(variable.segments)
            if path is None:
                yield f"{variable} depends on another value", "name the field itself"
            elif not _known(path):
                yield f"there is no field {variable}", "GET /v1/fields (scoring) lists all; traits are traits.<name>"


@lru_cache(maxsize=4096)
def _entry_fields(source: str, part: str) -> tuple[str, ...]:
    used = parsed(source, part).analyze(include_partials=False).globals
    paths = (path_of(variable.segments) or "" for variable in used.get(ENTRY, ()))
    return tuple(path.removeprefix(ENTRY + ".") for path in paths if path.startswith(ENTRY + "."))


def _known(path: str) -> bool:
    if path.startswith(ENTRY + "."):
        return True
    try:
        field(path)
    except KeyError:
        return False
    return True


def _normal(language: str) -> str:
    """`de_AT.UTF-8` and `DE-at` are the same."""
    return re.split(r"[.@]", language, maxsplit=1)[0].replace("_", "-").casefold()
