"""Variables and constants of JsonLogic as fields and values of ours; where one does not fit, a fault stands in its place."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeGuard

from nextwave_contracts.faults import Fault, FaultyError, step
from nextwave_contracts.fields import FIELDS, Field, field

from nextwave_orchestrator.rules.jsonlogic.connectives import Truth, either
from nextwave_orchestrator.rules.parse import read_rule

FIELD_FIX = 'name its field: {"fields": {"<variable>": "<path of GET /v1/fields>"}}, for example traits.<name>'


class Variable(NamedTuple):
    """A field that is asked, and what JsonLogic takes where it is missing (None: null)."""

    field: Field
    default: Any


def is_variable(raw: Any) -> TypeGuard[dict[str, Any]]:
    """Whether this is `{"var": ...}`."""
    return isinstance(raw, dict) and set(raw) == {"var"}


def is_number(value: Any) -> bool:
    """Whether this is a number, which true is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Terms:
    """Reads terms and collects faults. What is refused counts as false, so that everything else is looked at, too."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        self._fields = fields

    def refuse(self, at: str, detail: str, fix: str) -> bool:
        """Notes the fault; gives false."""
        self.faults.append(Fault(at, detail, fix))
        return False

    def variable(self, arguments: list[Any], at: str) -> Variable | None:
        """By the arguments of `var`: a name, perhaps a default."""
        name = arguments[0] if 1 <= len(arguments) <= 2 else None
        default = arguments[1] if len(arguments) == 2 else None
        if isinstance(default, dict):
            self.refuse(at + "/1", "a default that is computed", "give a value")
            return None
        try:
            return Variable(field(self._fields.get(name, name)), default)  # type: ignore[arg-type]  # what is no text is no field either
        except (KeyError, AttributeError, TypeError):
            near = get_close_matches(str(name), [f.path for f in FIELDS], n=1, cutoff=0.5)
            self.refuse(at, f"there is no field {name!r:.60}", f"did you mean {near[0]}? Or {FIELD_FIX}" if near else FIELD_FIX)
            return None

    def variable_of(self, raw: dict[str, Any], at: str) -> Variable | None:
        """By `{"var": ...}`."""
        written = raw["var"]
        return self.variable(written if isinstance(written, list) else [written], at + "/var")

    def sides(self, arguments: list[Any], at: str) -> tuple[Variable, Any, bool] | None:
        """The one variable, the one constant, and whether the constant stands first."""
        places = [n for n, part in enumerate(arguments) if is_variable(part)]
        if len(arguments) != 2 or len(places) != 1 or isinstance(arguments[1 - places[0]], (dict, list)):
            self.refuse(
                at, "not one variable and one constant", "compare a field with a value; compute the rest before and send it as a trait"
            )
            return None
        place = places[0]
        variable = self.variable_of(arguments[place], at + step(place))
        return None if variable is None else (variable, arguments[1 - place], place == 1)

    def leaf(self, variable: Variable, operator: str, value: Any, at: str) -> Truth:
        """The condition on the field, checked."""
        leaf = {"field": variable.field.path, "op": operator, "value": value}
        try:
            read_rule(leaf)
        except FaultyError as wrong:
            self.faults += [Fault(at, fault.detail, fault.fix) for fault in wrong.faults]
        return leaf

    def or_missing(self, known: Truth, variable: Variable, *, holds: bool) -> Truth:
        """What holds for a known value, and also for a missing one where JsonLogic's null or default would pass."""
        return either([known, {"field": variable.field.path, "op": "exists", "value": False}]) if holds else known
