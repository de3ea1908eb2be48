"""Rules in other forms: taken over from JsonLogic, written in words, or ours said in words, each checked as when it is saved."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from msgspec import UNSET, UnsetType
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault, FaultyError
from starlette.responses import Response

from nextwave_orchestrator.api.control import Reader, answer, document
from nextwave_orchestrator.rules.jsonlogic.reading import import_jsonlogic
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.rules.text import in_words
from nextwave_orchestrator.rules.tree import Rule
from nextwave_orchestrator.rules.wording import read_words

router = APIRouter(tags=["rules"])


class Foreign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule in one of three forms. `fields` says which of our fields a JsonLogic variable is, where their names differ."""

    jsonlogic: Any | UnsetType = UNSET
    text: str | UnsetType = UNSET
    rule: Any | UnsetType = UNSET
    fields: dict[str, str] = {}


@router.post("/v1/rules:import")
async def import_rule(request: Request, _: Reader) -> Response:
    """Turn JsonLogic or words into a rule to be saved, or check a rule; and say it in words. Nothing is stored."""
    raw, rule = _read(read_as(await document(request), Foreign))
    return answer(msgspec.json.encode({"rule": raw, "text": in_words(rule)}))


def _read(given: Foreign) -> tuple[Any, Rule]:
    forms = [name for name in ("jsonlogic", "text", "rule") if getattr(given, name) is not UNSET]
    if len(forms) != 1 or (given.fields and forms != ["jsonlogic"]):
        raise FaultyError([Fault("", f"{' and '.join(forms) or 'nothing'} to read", "give one of jsonlogic (with fields), text and rule")])
    if isinstance(given.text, str):
        return read_words(given.text, "/text")
    if given.jsonlogic is not UNSET:
        return import_jsonlogic(given.jsonlogic, "/jsonlogic", given.fields)
    return given.rule, read_rule(given.rule, "/rule")
