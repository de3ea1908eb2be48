"""Taking a file of suppressions in: in short transactions, each line by itself, twice with the effect of once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from nextwave_channels import facts, gate, stopping, store
from nextwave_channels.gate import Fact
from nextwave_channels.office import Office
from nextwave_channels.suppressions.lines import LINES_MAX, Fault, Line, UnreadableFileError, fact, read_csv, read_json

AT_ONCE = 500
"""Lines of one transaction: while it runs, claims wait."""
FAULTS_MAX = 100


class Imported(msgspec.Struct, kw_only=True):
    """What became of a file: lines read, suppressions changed and not, deliveries withdrawn, lines at fault and the first of those."""

    lines: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    faulty: int = 0
    faults: list[Fault] = []


async def take_file(office: Office, text: str, *, is_csv: bool, source: str) -> Imported:
    """Takes every good line in. Raises `UnreadableFileError`, and takes nothing, for a file that is none or too long."""
    lines = list(islice(read_csv(text) if is_csv else read_json(text), LINES_MAX + 1))
    if len(lines) > LINES_MAX:
        raise UnreadableFileError(f"a file has at most {LINES_MAX} lines; cut it in two")
    result = Imported(lines=len(lines))
    good = _good(office, lines, source, result)
    while batch := list(islice(good, AT_ONCE)):
        await _take(office, batch, result)
    return result


def _good(office: Office, lines: Iterable[tuple[int, Line | Fault]], source: str, result: Imported) -> Iterator[tuple[bool, Fact]]:
    """What the good lines say, each with whether it names its own time; the others are noted."""
    now = office.clock.now()
    for number, line in lines:
        said = fact(line, now, office.identifier_key, source) if isinstance(line, Line) else line
        if isinstance(said, Fact) and isinstance(line, Line):
            yield line.at is not None, said
            continue
        result.faulty += 1
        if len(result.faults) < FAULTS_MAX:
            result.faults.append(said if isinstance(said, Fault) else Fault(line=number, detail=str(said)))


async def _take(office: Office, batch: Sequence[tuple[bool, Fact]], result: Imported) -> None:
    async with office.database.transaction() as connection:
        await store.enter_stop(connection)  # what is being written now may lift what a line would find stopped already
        known = {one.scope: one for one in await facts.about(connection, (said.subject for _, said in batch))}
        news: list[Fact] = []
        for dated, said in batch:
            rival = known.get(said.scope)
            if rival is not None and (rival.weight >= said.weight or (not dated and rival.stopped == said.stopped)):
                continue
            known[said.scope] = said
            news.append(said)
        if news:
            newest = gate.newest((), news)
            result.withdrawn += await stopping.record_facts(connection, newest, office.clock.now(), office.partitions)
    result.changed += len(news)
    result.unchanged += len(batch) - len(news)
