"""The command behind `make bench`: runs the parts, prints a table, and writes the JSON that a gate reads."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from time import monotonic

import msgspec
from rich.console import Console
from ring.ring import ORIGIN, Ring

from bench import deciding, growth, ingest, latency, scoring, throughput
from bench.processes import memory_mb, of_stack
from bench.report import Part, Report, show
from bench.stand import Bench, standing

PARTS = ("ingest", "scoring", "deciding", "ring", "live", "alone", "growth")
USUAL = [part for part in PARTS if part != "live"]
"""The ring measures live updates too."""
ALONE = ("--replicas", "orchestrator=0", "--replicas", "channels=0")


async def measure(bench: Bench, wanted: list[str]) -> tuple[list[Part], dict[str, float]]:
    """The parts, and the memory of the ring's processes at the end (MB)."""
    parts, memory = [], {}
    if "ingest" in wanted:
        parts += await ingest.measure(bench)
    if "scoring" in wanted:
        async with standing(bench.folder / "scoring") as ring:
            parts += await scoring.measure(bench, ring)
    if "deciding" in wanted:
        async with standing(bench.folder / "deciding") as ring:
            parts += await deciding.measure(bench, ring)
    if "ring" in wanted:
        bench.say("starting the ring")
        async with standing(bench.folder / "ring", "--from", ORIGIN) as ring:
            passage = await throughput.measure(bench, ring)
            parts += [passage, *await latency.measure(bench, ring, passage.subject)]
            memory = memory_of(ring)
    if "live" in wanted:
        async with standing(bench.folder / "live", "--from", ORIGIN) as ring:
            parts.append(await latency.measure_live(bench, ring))
    if "alone" in wanted:
        async with standing(bench.folder / "alone", "--from", ORIGIN, *ALONE) as ring:
            parts.append(await latency.measure_live(bench, ring, "alone"))
    if "growth" in wanted:
        async with standing(bench.folder / "growth", "--from", ORIGIN) as ring:
            parts += await growth.measure(bench, ring)
            memory = memory_of(ring)
    return parts, memory


def memory_of(ring: Ring) -> dict[str, float]:
    """What the ring's processes hold now (MB)."""
    return {name: memory_mb(pid) for name, pid in of_stack(ring.endpoints["pids"]).items()}


def arguments() -> argparse.Namespace:
    """What the person asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the report to this file")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=USUAL, help="which parts; by default all, of which ring holds live")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each part; a report needs 3")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement under steady load")
    parser.add_argument("--events", type=int, default=20_000, help="touchpoints of the backlog")
    parser.add_argument("--customers", type=int, default=2_000, help="customers that the touchpoints are of")
    parser.add_argument("--crowd", type=int, default=1_000_000, help="customers that there are in all, for scoring, deciding and growth")
    return parser.parse_args()


def main() -> None:
    """Runs; progress and tables go to standard error and output."""
    asked, began = arguments(), monotonic()
    progress = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="nextwave-bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(
            folder=Path(folder),
            say=lambda text: progress.print(f"[dim]{monotonic() - began:5.0f} s[/]  {text}"),
            rounds=asked.rounds,
            seconds=asked.seconds,
            events=asked.events,
            customers=asked.customers,
            crowd=asked.crowd,
        )
        bench.calibration.sample()
        parts, memory = asyncio.run(measure(bench, asked.parts))
        bench.calibration.sample()
    report = Report(calibration=bench.calibration.report(), parts=parts, memory_mb=memory, seconds=round(monotonic() - began, 1))
    show(report, Console(width=200))
    if asked.json is not None:
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


if __name__ == "__main__":
    main()
