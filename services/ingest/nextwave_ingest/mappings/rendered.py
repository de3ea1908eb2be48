"""Texts by Liquid over an item: what is missing in one makes it missing, and what it takes is taken of the item. PURE."""

from __future__ import annotations

from typing import Any

from liquid import BoundTemplate
from liquid.exceptions import LiquidError
from liquid.undefined import FalsyStrictUndefined
from msgspec import UNSET
from nextwave_contracts.liquid_effort import Measured
from nextwave_contracts.liquid_environment import BoundedEnvironment

from nextwave_ingest.mappings import effort

_RENDERING = 5
"""Steps of rendering, beside those of what stands in the template."""


class _Undefined(FalsyStrictUndefined):
    """What is missing may be asked for and have a default; shown, it makes the whole value missing."""

    force_liquid_default = True


class _Environment(BoundedEnvironment):
    """Whatever one value takes is taken of the item, too."""

    def charge(self, steps: int) -> None:
        effort.step(steps)


ENVIRONMENT = _Environment(undefined=_Undefined)


def render(template: BoundTemplate, written: str, item: Any) -> Any:
    """Without a text, with something missing in it, or when it alone takes too much, there is no value. Raises `RefusedError`."""
    assert isinstance(template, Measured)
    try:
        effort.render(_RENDERING + template.steps)
        return template.render({"item": item}).strip() or UNSET
    except effort.SpentError as spent:
        raise spent.refused(written) from spent
    except (LiquidError, ArithmeticError, TypeError, ValueError, RecursionError):
        return UNSET
