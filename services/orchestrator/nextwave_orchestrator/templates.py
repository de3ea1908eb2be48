"""Content in Liquid: checked when saved, rendered within limits, the same text for the same profile at any time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.filter import liquid_filter
from nextwave_contracts.customers import Churn, Snapshot
from nextwave_contracts.fields import FIELDS, field

from nextwave_orchestrator.campaigns.checks import KEY, KEY_FIX
from nextwave_orchestrator.campaigns.definition import Template
from nextwave_orchestrator.faults import Fault
from nextwave_orchestrator.rules.operators import instant

LARGEST = 100_000
"""Characters of one part (text, subject, html)."""
PARTS = ("subject", "text", "html")
ENTRY = "entry"
"""Under which templates see the data of the event that let the customer in."""
_EXAMPLES: tuple[Any, ...] = (1, "example", ["example"])
"""What fields of a customer may hold."""
_NOBODY = Snapshot(customer_id="example", version=1, churn=Churn(risk=0.0, band="low", horizon_days=90, model=""))
_CLOSED = tuple((f.path.split("."), f.read) for f in FIELDS if "<" not in f.path)


class UnrenderableError(KeyError):
    """The template is unknown, or it broke a limit on this profile; nothing is sent."""


@liquid_filter
def _date(value: Any, form: str) -> str:
    """`strftime` of an instant, in UTC; empty for what is none. Unlike Liquid's own it never asks for the time."""
    read = instant(value)
    if read is None:
        return ""
    try:
        return read.strftime(str(form))
    except ValueError as wrong:
        raise FilterArgumentError(str(wrong), token=None) from wrong


class _Environment(Environment):
    """Liquid with limits, and without what reaches outside: other templates, the clock, unescaped output."""

    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = 1_000
    local_namespace_limit = 50_000
    output_stream_limit = 200_000

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in ("include", "render"):
            del self.tags[tag]
        del self.filters["safe"]
        self.add_filter("date", _date)


_PLAIN = _Environment()
_HTML = _Environment(autoescape=True)


@lru_cache(maxsize=4096)
def _parsed(source: str, part: str) -> BoundTemplate:
    return (_HTML if part == "html" else _PLAIN).from_string(source)


class Templates:
    """The renderer of a catalogue: its templates by key."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._templates = {t.key: t for t in templates}

    def __call__(self, template: str, profile: Snapshot, entry: Mapping[str, Any] | None = None) -> tuple[str, str, str]:
        """`(subject, text, html)`; the subject is one line. `entry`: the data of the event that let the customer in.

        Raises `UnrenderableError`.
        """
        known = self._templates.get(template)
        if known is None:
            raise UnrenderableError(template)
        subject, text, html = _rendered(known, {**_context(profile), ENTRY: entry or {}})
        return " ".join(subject.split()), text, html

    def entry_fields(self, template: str) -> frozenset[str]:
        """The fields of the entry's event that a template shows; none for an unknown one."""
        known = self._templates.get(template)
        return frozenset(name for part in PARTS for name in _entry_fields(getattr(known, part), part)) if known else frozenset()


def _rendered(template: Template, context: Mapping[str, Any]) -> list[str]:
    """The parts. Raises `UnrenderableError` with the first line of the reason."""
    try:
        return [_parsed(getattr(template, part), part).render(context) for part in PARTS]
    except (LiquidError, ArithmeticError, TypeError, ValueError, RecursionError) as wrong:
        raise UnrenderableError(f"{template.key}: {str(wrong).partition(chr(10))[0]:.200}") from wrong


@lru_cache(maxsize=4096)
def failure(template: Template) -> tuple[str, bool]:
    """Why it fails for an example customer of whom nothing is known (empty: it does not), and whether it does whatever is known."""
    unknown = _failure(template, {**_context(_NOBODY), ENTRY: {}})
    return unknown, all(_failure(template, _filled(template, value)) for value in _EXAMPLES) if unknown else False


def _failure(template: Template, context: Mapping[str, Any]) -> str:
    try:
        _rendered(template, context)
    except UnrenderableError as wrong:
        return str(wrong.args[0])
    return ""


def _filled(template: Template, value: Any) -> dict[str, Any]:
    """As templates see a customer of whom every field that this one shows has this value."""
    context: dict[str, Any] = {}
    parsed = (_parsed(getattr(template, part), part) for part in PARTS)
    shown = [variable for one in parsed for found in one.analyze(include_partials=False).globals.values() for variable in found]
    for *way, last in sorted(((_path(variable.segments) or "").split(".") for variable in shown), key=len, reverse=True):
        node = context
        for name in way:
            node = node.setdefault(name, {})
        node.setdefault(last, value)
    return context


def template_faults(template: Template) -> list[Fault]:
    """Every fault of a template: its key, syntax, size, and fields that do not exist."""
    faults = [] if KEY.fullmatch(template.key) else [Fault("/key", f"{template.key!r:.80} is no key", KEY_FIX)]
    if not template.text.strip():
        faults.append(Fault("/text", "no text", "write the content; html alone reaches nobody who reads plain text"))
    for part in PARTS:
        source = getattr(template, part)
        if len(source) > LARGEST:
            faults.append(Fault(f"/{part}", f"longer than {LARGEST} characters", "shorten it"))
            continue
        try:
            faults += [Fault(f"/{part}", detail, fix) for detail, fix in _unknown(_parsed(source, part))]
        except (LiquidError, RecursionError) as wrong:
            faults.append(
                Fault(f"/{part}", f"Liquid: {wrong}", "correct the template; tags include and render, and filter safe, are not taken")
            )
    return faults


def bare_outputs(template: Template) -> list[tuple[str, str]]:
    """`(pointer, path)` of every trait, or field of the entry's event, that is shown without a default, so that it may show nothing."""
    found: list[tuple[str, str]] = []
    for part in PARTS:
        parsed = _parsed(getattr(template, part), part)
        context = RenderContext(parsed)
        for node in (n for root in parsed.nodes for n in _nodes(root, context)):
            path = _bare(node)
            if path:
                found.append((f"/{part}", path))
    return found


def _unknown(parsed: BoundTemplate) -> Iterator[tuple[str, str]]:
    used = parsed.analyze(include_partials=False)
    for name in sorted(set(used.filters) - set(parsed.env.filters)):
        yield f"there is no filter {name}", "use one of " + ", ".join(sorted(parsed.env.filters))
    for variables in used.globals.values():
        for variable in variables:
            path = _path(variable.segments)
            if path is None:
                yield f"{variable} depends on another value", "name the field itself"
            elif not _known(path):
                yield f"there is no field {variable}", "GET /v1/fields (scoring) lists all; traits are traits.<name>"


@lru_cache(maxsize=4096)
def _entry_fields(source: str, part: str) -> tuple[str, ...]:
    used = _parsed(source, part).analyze(include_partials=False).globals
    paths = (_path(variable.segments) or "" for variable in used.get(ENTRY, ()))
    return tuple(path.removeprefix(ENTRY + ".") for path in paths if path.startswith(ENTRY + "."))


def _path(segments: Iterable[Any]) -> str | None:
    """The field's path: names up to the first index; None when a segment is itself a variable."""
    names: list[str] = []
    for segment in segments:
        if isinstance(segment, int) or segment in ("first", "last", "size"):
            break
        if not isinstance(segment, str):
            return None
        names.append(segment)
    return ".".join(names)


def _known(path: str) -> bool:
    if path.startswith(ENTRY + "."):
        return True
    try:
        field(path)
    except KeyError:
        return False
    return True


def _nodes(node: Node, context: RenderContext) -> Iterator[Node]:
    yield node
    for child in node.children(context, include_partials=False):
        yield from _nodes(child, context)


def _bare(node: Node) -> str:
    """The trait, or field of the entry's event, that this node shows without a default, or nothing."""
    if not isinstance(node, OutputNode):
        return ""
    shown = node.expression
    if not isinstance(shown, FilteredExpression) or not isinstance(shown.left, Path) or shown.left.path[0] not in {"traits", ENTRY}:
        return ""
    return "" if any(f.name == "default" for f in shown.filters or ()) else str(shown.left)


def _context(profile: Snapshot) -> Mapping[str, Any]:
    """What templates see: the fields of the catalogue, nested by their paths."""
    context: dict[str, Any] = {"activity": profile.activity, "traits": profile.traits}
    for path, read in _CLOSED:
        node = context
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = read(profile)
    return context
