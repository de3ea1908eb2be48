"""What extends a mapping is in force as long as its codes are looked up by somebody, and whoever would end that is told."""

from __future__ import annotations

import msgspec
import pytest
from nextwave_ingest.mappings import library as libraries
from nextwave_ingest.mappings.document import Document, read
from nextwave_ingest.mappings.library import Library

BASE = b"""
name: base
tables: {codes: {X: {refusal: true}}}
touchpoints:
  - type: call.wrapped_up
    id: $.id
    identifiers: {phone: $.phone}
    data: {"*": {table: codes, key: $.code}}
"""
OURS = b"name: ours\nextends: base\ntables: {codes: {NEVER: {refusal: true}}}"


def test_a_mapping_over_a_table_that_is_gone_is_left_out_and_says_why() -> None:
    library = Library([read(BASE.replace(b"codes", b"marks"))])  # a build renamed it
    library.lay("ours", read(OURS))
    assert library.find("ours") is None
    assert library.left_out() == ("ours",)
    assert "base has no table codes" in library.fault("ours")
    library.lay("base", read(BASE))
    assert (library.fault("ours"), library.find("ours") is None) == ("", False), "it fits again"


def test_who_takes_a_table_away_is_told_which_mapping_lays_codes_over_it() -> None:
    library = Library([read(BASE)])
    library.lay("ours", read(OURS))
    (loss,) = library.losses(read(BASE.replace(b"codes", b"marks")))
    assert (loss.pointer, loss.detail[:51]) == ("/tables", "ours extends this mapping and would be left out: /t")
    assert library.losses(read(BASE.replace(b"X:", b"Y:"))) == []


def test_what_is_left_out_already_keeps_nobody_from_a_change() -> None:
    library = Library([read(BASE)])
    library.lay("ours", read(OURS.replace(b"codes", b"gone")))
    assert library.losses(read(BASE.replace(b"codes", b"marks"))) == []


def test_who_reads_an_old_version_while_the_next_is_laid_puts_it_back_over_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library([])
    texts = [msgspec.json.encode(read(BASE.replace(b"name: base", b"name: base\ndescription: " + version))) for version in (b"one", b"two")]
    library.lay("base", texts[0].decode())

    def read_slowly(written: bytes, name: str) -> Document:
        if written == texts[0]:
            library.lay("base", texts[1].decode())
            library.find("base")
        return read(written, name)

    monkeypatch.setattr(libraries, "read", read_slowly)
    library.find("base")
    found = library.find("base")
    assert found is not None
    assert found.document.description == "two"
