"""Reads what people send, JSON or YAML, into plain values, and those into a written type, with every fault as pointer and fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
import msgspec.inspect as types
import yaml

from nextwave_contracts.faults import Fault, FaultyError, raise_any, step

LARGEST = 256 * 1024
"""Bytes of one document."""
DEEPEST = 40
"""Nesting of one document; libyaml's recursion would end the process long before the size limit does."""

MOST_YAML_PARTS = 10_000
"""Events of one YAML document, aliases written out: reading one is slow enough that the size alone is no limit. JSON needs none."""

ONE_LINE = frozenset({"key", "name", "owner", "event", "list", "team", "salt"})
"""Fields that hold a name."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAK = re.compile(r"[\t\n\r\u2028\u2029]")
T = TypeVar("T")


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's core: `on` is a word and `18:00` a text, no dates, no merge keys; a key given twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key_node.value} is no text: put it in quotes", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return dict(super().construct_mapping(node, deep=deep))


_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", "[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)", "-+0123456789."),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first))


def read_document(body: bytes, media_type: str = "") -> Any:
    """Plain values of a JSON or YAML body (YAML when the media type says so, or the body does not begin like JSON)."""
    if len(body) > LARGEST:
        raise FaultyError([Fault("", f"larger than {LARGEST // 1024} KB", "split it")])
    is_json = "yaml" not in media_type and ("json" in media_type or body.lstrip()[:1] in {b"{", b"["})
    try:
        return msgspec.json.decode(body) if is_json else _yaml(body)
    except (msgspec.DecodeError, yaml.YAMLError, RecursionError, ValueError) as wrong:
        name = "JSON" if is_json else "YAML"
        raise FaultyError([Fault("", f"this is no {name}: {wrong}", f"send {name} with one object")]) from wrong


def _yaml(body: bytes) -> Any:
    size = _Size()
    for event in yaml.parse(body, Loader=yaml.CSafeLoader):
        size.take(event)
    return yaml.load(body, Loader=_Loader)  # noqa: S506  (the loader is a safe one with fewer types)


class _Size:
    """How large a YAML document is with its aliases (`*name`) written out, so that short ones cannot stand for endless ones."""

    def __init__(self) -> None:
        self._parts = 0
        self._bytes = 0
        """Of all texts."""
        self._open: list[tuple[str | None, int, int]] = []
        self._heights = [0]
        self._anchors: dict[str, tuple[int, int, int]] = {}

    def take(self, event: yaml.Event) -> None:
        """The next part. Raises `YAMLError` beyond the limits."""
        parts, size, height = 1, 0, 0
        match event:
            case yaml.AliasEvent(anchor=name):
                if name not in self._anchors:
                    raise yaml.YAMLError(f"*{name} stands before or inside of what it names")
                parts, size, height = self._anchors[name]
            case yaml.CollectionStartEvent(anchor=name):
                self._open.append((name, self._parts, self._bytes))
                self._heights.append(0)
            case yaml.CollectionEndEvent():
                name, before, bytes_before = self._open.pop()
                height = self._heights.pop() + 1
                self._name(name, self._parts + 1 - before, self._bytes - bytes_before, height)
            case yaml.ScalarEvent(anchor=name, value=text):
                size = len(text.encode())
                self._name(name, parts, size, height)
        self._heights[-1] = max(self._heights[-1], height)
        self._parts += parts
        self._bytes += size
        self._check(len(self._open) + height)

    def _name(self, anchor: str | None, parts: int, size: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = parts, size, height

    def _check(self, depth: int) -> None:
        if depth > DEEPEST:
            raise yaml.YAMLError(f"nested deeper than {DEEPEST}")
        if self._parts > MOST_YAML_PARTS:
            raise yaml.YAMLError(f"more than {MOST_YAML_PARTS} parts; send JSON")
        if self._bytes > LARGEST:
            raise yaml.YAMLError(f"larger than {LARGEST // 1024} KB with its aliases written out")


def read_written(document: Any, written: type[T], faults: Callable[[T], list[Fault]], key: str = "") -> T:
    """What is kept under this key, which may be left out of the document (no key: it has none), checked. Raises `FaultyError`."""
    if key and isinstance(document, dict) and document.setdefault("key", key) != key:
        raise FaultyError([Fault("/key", f"{document['key']!r:.80} is not the key by which it is named", f"write {key}, or leave it out")])
    raise_any([*_unprintable(document)])
    value = read_as(document, written)
    raise_any(faults(value))
    return value


def _unprintable(document: Any) -> Iterator[Fault]:
    """Texts that no database, provider or reader takes; and line breaks in names."""
    rest = [("", "", document)]
    while rest:
        at, name, node = rest.pop()
        if isinstance(node, Mapping):
            rest += [(at + step(key), key, value) for key, value in node.items()]
            rest += [(at + step(key), "key", key) for key in node]
        elif isinstance(node, list):
            rest += [(at + step(n), name, value) for n, value in enumerate(node)]
        elif isinstance(node, str) and (wrong := _CONTROL.search(node) or (name in ONE_LINE and _BREAK.search(node))):
            yield Fault(at, f"character {ord(wrong[0])} cannot stand here", "remove it; tabs and line breaks may stand in long texts")


def read_as(document: Any, written: type[T]) -> T:
    """The document as a written type. Raises `FaultyError` with the pointer of the first fault."""
    try:
        return msgspec.convert(document, written)
    except msgspec.ValidationError as wrong:
        raise FaultyError([_fault(document, written, wrong)]) from wrong


_AT = re.compile(r" - at (?:`(?:key|value)` in )?`\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_NAMED = re.compile(r"(?:unknown field|required field|enum value) ['`]([^'`]*)['`]")


def _fault(document: Any, written: type[Any], wrong: msgspec.ValidationError) -> Fault:
    detail = str(wrong)
    found = _AT.search(detail)
    pointer = _pointer(document, written, found[1], detail) if found else ""
    text = detail[: found.start()] if found else detail
    named = _NAMED.search(text)
    if named and "field" in text:
        pointer += step(named[1])
    if "enum value" in text:
        return Fault(pointer, text, "use one of " + ", ".join(_allowed(written, pointer, of_key="at `key` in" in detail)))
    return Fault(pointer, text, _fix(text, named[1] if named else ""))


def _fix(text: str, name: str) -> str:
    if "unknown field" in text:
        return f"remove {name} or correct its name; GET /openapi.json has the schema"
    if "required field" in text:
        return f"add {name}"
    return "correct the value's type; GET /openapi.json has the schema"


def _allowed(written: type[Any], pointer: str, *, of_key: bool) -> list[str]:
    """The values of the enumeration that stands at `pointer` in the type, or that names its keys."""
    node = types.type_info(written)
    for name in pointer.split("/")[1:]:
        node = _inside(_given(node), name)
    node = _given(node)
    if of_key and isinstance(node, types.DictType):
        node = _given(node.key_type)
    return [str(value) for value in node.values] if isinstance(node, types.LiteralType) else []


def _given(node: types.Type) -> types.Type:
    """The type of what may be left out."""
    if not isinstance(node, types.UnionType):
        return node
    return next(one for one in node.types if not isinstance(one, types.NoneType))


def _inside(node: types.Type, name: str) -> types.Type:
    match node:
        case types.StructType(fields=fields):
            return next((f.type for f in fields if f.encode_name == name), types.AnyType())
        case types.DictType(value_type=inner) | types.VarTupleType(item_type=inner) | types.ListType(item_type=inner):
            return inner
        case _:
            return types.AnyType()


def _pointer(document: Any, written: type[Any], path: str, detail: str) -> str:
    """The JSON pointer of msgspec's path; its `[...]` (some key of an object) is resolved by trying the keys one by one."""
    trail: list[Any] = []
    pointer, node = "", document
    for name, index in _STEP.findall(path):
        key: Any = name or index
        if index == "...":
            key = _guilty(document, trail, node, written, detail)
        elif index:
            key = int(index)
        if key is None:
            return pointer
        pointer += step(key)
        trail.append(key)
        node = node[key] if not isinstance(node, Mapping) or key in node else None
    return pointer


def _guilty(document: Any, trail: list[Any], node: Any, written: type[Any], detail: str) -> Any:
    for key in node if isinstance(node, Mapping) else ():
        try:
            msgspec.convert(_put(document, trail, {key: node[key]}), written)
        except msgspec.ValidationError as wrong:
            if str(wrong) == detail:
                return key
    return None


def _put(document: Any, trail: list[Any], value: Any) -> Any:
    if not trail:
        return value
    key, rest = trail[0], trail[1:]
    if isinstance(document, Mapping):
        return {**document, key: _put(document[key], rest, value)}
    return [*document[:key], _put(document[key], rest, value), *document[key + 1 :]]
