"""Suppressions as lines of files: read back as they were written, harmless to spreadsheets, and each wrong line told by its number."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from channel_contacts import NOON
from hypothesis import given
from hypothesis import strategies as st
from nextwave_channels.gate import Fact
from nextwave_channels.suppressions.lines import (
    COLUMNS,
    LINE_CHARACTERS_MAX,
    Fault,
    Line,
    UnreadableFileError,
    fact,
    read_csv,
    read_json,
    write_csv,
    write_json,
)
from nextwave_contracts.identifiers import blind

KEY = b"i" * 32
HASH = "0123456789abcdef" * 2
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
rows = st.builds(
    Line,
    subject=st.just(HASH),
    kind=st.sampled_from(["consent", "address"]),
    channel=st.sampled_from(["", "email", "sms"]),
    purpose=st.sampled_from(["", "marketing"]),
    stopped=st.booleans(),
    at=st.just(NOON),
    source=words,
    reason=words,
)


@given(st.lists(rows, max_size=5))
def test_what_is_exported_is_what_an_import_reads(lines: list[Line]) -> None:
    assert [line for _, line in read_csv(write_csv(lines, head=True))] == lines
    assert [line for _, line in read_json(write_json(lines))] == lines


@pytest.mark.parametrize("reason", ['=HYPERLINK("https://evil.example")', "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'=1"])
def test_no_cell_of_an_export_is_a_formula(reason: str) -> None:
    written = write_csv([Line(subject=HASH, reason=reason)], head=True)
    cells = [cell for row in csv.reader(io.StringIO(written, newline="")) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("identifier\nemail:ann@example.com\n\nphone:+14155550100\n", []),
        ("identifier,channel\nemail:ann@example.com,telepathy\n", [2]),
        ("identifier,channel\nemail:ann@example.com\nemail:ann@example.com,email,x\n", [2, 3]),
        ("identifier,stopped\nemail:ann@example.com,maybe\nemail:ann@example.com,TRUE\n", [2]),
        ("identifier,at\nemail:ann@example.com,2026-03-02T12:00:00\nemail:ann@example.com,2026-03-02T12:00:00Z\n", [2]),
        ("subject\nabc\n" + HASH + "\n", [2]),
        (f'subject\n"{HASH}\n"\n', [3]),
        (f"identifier,reason\nemail:ann@example.com,{'x' * LINE_CHARACTERS_MAX}\n", [2]),
        ('identifier,reason\nemail:ann@example.com,"two\nlines"\nemail:b@c.de,ok,\n', [4]),
    ],
)
def test_a_wrong_line_of_csv_is_told_by_its_number(text: str, faults: list[int]) -> None:
    assert [line.line for _, line in read_csv(text) if isinstance(line, Fault)] == faults


@pytest.mark.parametrize(
    "text", ["", "email:ann@example.com\n", "identifier,colour\nx,y\n", 'identifier\n"open\n', 'identifier\na"b"c,"d"e\n']
)
def test_what_is_no_list_is_told_so(text: str) -> None:
    with pytest.raises(UnreadableFileError):
        list(read_csv(text))


@pytest.mark.parametrize(
    "line", ["[]", "{", '{"identifier": 1}', '{"identifier": "a", "colour": "red"}', "[" * 3000, "x" * 4001, '{"stopped": "yes"}']
)
def test_a_wrong_line_of_json_is_told_by_its_number(line: str) -> None:
    ((_, good), (_, wrong)) = read_json('{"identifier": "email:ann@example.com"}\n' + line)
    assert isinstance(good, Line)
    assert isinstance(wrong, Fault)
    assert wrong.line == 2


def test_a_line_is_a_fact_about_the_hash_of_its_name_at_its_own_time_or_now() -> None:
    said = fact(Line(identifier="email:Ann@Example.com", channel="email", reason="asked by phone"), NOON, KEY, "import:ops")
    subject = blind("email:ann@example.com", KEY)
    assert said == Fact(subject=subject, kind="opt", channel="email", stopped=True, at=NOON, source="import:ops", reason="asked by phone")
    before = NOON - timedelta(days=3)
    assert fact(Line(subject=HASH, kind="address", channel="sms", stopped=False, at=before), NOON, KEY, "x") == Fact(
        subject=HASH, kind="address", channel="sms", stopped=False, at=before, source="x"
    )


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (Line(), "identifier"),
        (Line(identifier="email:ann@example.com", subject=HASH), "identifier"),
        (Line(identifier="ann@example.com"), "identifier"),
        (Line(identifier="customer_id:7", kind="address"), "identifier"),
        (Line(subject=HASH, kind="address", purpose="marketing"), "purpose"),
        (Line(subject=HASH, at=NOON + timedelta(seconds=1)), "at"),
        (Line(subject=HASH, reason="a\0b"), "reason"),
    ],
)
def test_what_cannot_be_meant_names_the_field(line: Line, field: str) -> None:
    wrong = fact(line, NOON, KEY, "x")
    assert isinstance(wrong, str)
    assert wrong.startswith(f"{field}: ")


def test_every_column_of_a_file_is_known() -> None:
    assert set(COLUMNS) == {"identifier", "subject", "kind", "channel", "purpose", "stopped", "at", "source", "reason"}
