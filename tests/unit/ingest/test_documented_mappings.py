"""The guide's section on mappings: each mapping is run on the body below it, and no word of the format goes without one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec
import pytest
from nextwave_contracts.faults import FaultyError
from nextwave_ingest.admission import BATCH_BYTES_MAX, EVENT_BYTES_MAX, ITEMS_MAX, RefusedError, Report
from nextwave_ingest.doors.inbound import MAIL_BYTES_MAX, REJECTED_MAX
from nextwave_ingest.mappings import values
from nextwave_ingest.mappings.bodies import Body
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.cutting import TEXT_BYTES_MAX
from nextwave_ingest.mappings.document import DOCUMENT_BYTES_MAX, RULES_MAX, Answer, Document, Rule, Signature, read
from nextwave_ingest.mappings.effort import AT_ONCE_MAX, BODY_MAX, EFFORT_MAX, LOOK
from nextwave_ingest.mappings.library import Library
from nextwave_ingest.mappings.mail import READ_MAX
from nextwave_ingest.mappings.paths import VALUES_MAX
from unit.ingest.fakes import NOW

GUIDE = (Path(__file__).parents[3] / "docs" / "doors.md").read_text(encoding="utf-8")
SECTION = re.split(r"^## ", GUIDE.partition("\n## A mapping\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)


PROSE_ONLY = frozenset({"description", "unmatched", "twilio", "sendgrid", "shopify", "woocommerce"})
"""Words whose example would say no more than their explanation."""


class Example(NamedTuple):
    """A mapping, a body with its headers, and the touchpoints that it becomes."""

    mapping: Document
    body: bytes
    headers: dict[bytes, bytes]
    becomes: list[dict[str, Any]]


def examples() -> list[Example]:
    found = []
    for (kind, written), (second, body), (_, becomes) in zip(BLOCKS, BLOCKS[1:], BLOCKS[2:], strict=False):
        if kind != "yaml" or second == "yaml":
            continue
        head, _, content = body.rstrip("\n").partition("\n\n") if second == "form" else ("", "", body)
        headers = dict(line.encode().split(b": ") for line in head.splitlines())
        found.append(Example(read(written.encode()), content.encode(), headers, msgspec.json.decode(becomes)))
    return found


def told(report: Report, fields: dict[str, Any]) -> dict[str, Any]:
    """A report by the fields that the guide shows of it."""
    whole = {
        "type": report.type,
        "id": report.id,
        "occurred_at": report.occurrence.at.isoformat().replace("+00:00", "Z"),
        "identifiers": list(report.identifiers),
        "data": report.data,
    }
    return {name: whole[name] for name in fields}


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.mapping.name)
def test_a_body_of_the_guide_becomes_the_touchpoints_below_it(example: Example) -> None:
    mapping = Compiled(example.mapping)
    items = mapping.items(example.body, example.headers.get(b"content-type", b"").decode(), example.headers)
    found = [one for item in items for one in mapping.understand_all(item, source="acme", received_at=NOW)]
    reports = [one for one in found if not isinstance(one, RefusedError)]
    assert len(reports) == len(found)
    assert [told(one, shown) for one, shown in zip(reports, example.becomes, strict=True)] == example.becomes


def test_the_guide_has_its_examples_and_the_extending_mapping_fits() -> None:
    assert len(examples()) == 5
    written = [read(text.encode()) for kind, text in BLOCKS if kind == "yaml"]
    ours = Library(written).find("our-calls")
    assert ours is not None
    assert ours.document.tables["codes"] == {"C1": {"complaint": False}, "R1": {"refusal": True}, "OK": {"satisfaction": 5}}


def words() -> set[str]:
    """Every word that a mapping may have."""
    fields = {field for part in (Document, Rule, Signature, Answer) for field in part.__struct_fields__}
    functions = {word for name, (others, _) in values.FUNCTIONS.items() for word in (name, *others)}
    schemes = {"twilio", "sendgrid", "shopify", "woocommerce", "hmac"}
    return fields | functions | schemes | {*get_args(Body), "exists", "not", "not_word", "in_table", "starts_with", "ends_with", "contains"}


@pytest.mark.parametrize("word", sorted(words()))
def test_every_word_is_explained_and_stands_in_an_example(word: str) -> None:
    prose = re.sub(r"^```.*?^```$", "", SECTION, flags=re.MULTILINE | re.DOTALL)
    assert re.search(rf"`[^`]*\b{word}\b[^`]*`", prose)
    if word not in {*get_args(Body), *PROSE_ONLY}:
        assert any(re.search(rf"\b{word}\b", text) for kind, text in BLOCKS if kind == "yaml")


def test_the_limits_that_the_guide_names_are_those_that_hold() -> None:
    kb = 1024
    for limit in (
        f"at most {DOCUMENT_BYTES_MAX // kb} KB",
        f"the rules, at most {RULES_MAX}, with at most {values.WRITTEN_MAX} values",
        f"to look at {EFFORT_MAX // LOOK:,} values",
        f"{BODY_MAX} times as much",
        f"more than {AT_ONCE_MAX // LOOK:,} such values",
        f"list of them, at most {VALUES_MAX:,}",
        f"the first {REJECTED_MAX} of those rejected",
        f"at most {BATCH_BYTES_MAX // kb} KB, a mail or form with files {MAIL_BYTES_MAX // kb // kb} MB",
        f"up to {READ_MAX // kb // kb} MB",
        f"at most {ITEMS_MAX:,} items",
        f"{EVENT_BYTES_MAX // kb} KB: long texts of mails and forms are cut to {TEXT_BYTES_MAX // kb} KB",
    ):
        assert limit in SECTION.replace("\n", " ")


def test_a_document_that_is_too_large_is_refused() -> None:
    with pytest.raises(FaultyError):
        read(b"name: x\ndescription: " + b"y" * DOCUMENT_BYTES_MAX)
