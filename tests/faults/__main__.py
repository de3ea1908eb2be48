"""`make faults MINUTES=… SEED=…`: harms a running stack by a seeded schedule, heals it, and says which promises held (exit 1: not all)."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from faults import breaking, plan, report
from faults.inflict import previous_build
from faults.run import Order, Result, attack
from faults.stand import begin, end

REPOSITORY = Path(__file__).parents[2]
SEED_MAX = 10_000


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What was asked."""
    kinds = "\n".join(f"  {kind:10} {plan.MEANINGS[kind]}" for kind in plan.KINDS)
    switches = "\n".join(f"  {name:16} {meaning}" for name, meaning in breaking.MEANINGS.items())
    parser = argparse.ArgumentParser(
        prog="make faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"kinds of fault:\n{kinds}\n\nmechanisms that can be left out:\n{switches}",
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the load and the faults last")
    parser.add_argument(
        "--seed", type=int, default=None, help="the schedule and the lives; a fresh one is drawn and printed when it is left out"
    )
    parser.add_argument("--faults", default=",".join(plan.USUAL), help="kinds of fault, separated by commas; `none` for a quiet run")
    parser.add_argument("--targets", default=",".join(plan.CLIENTS), help="services whose replicas are harmed, separated by commas")
    parser.add_argument("--rest", type=float, default=150.0, help="seconds after healing in which everything must have come to rest")
    parser.add_argument("--without", default="", choices=("", *breaking.MECHANISMS), help="leave one mechanism out: the run must then fail")
    parser.add_argument("--rate", type=float, default=3.0, help="customers' lives begun per second")
    parser.add_argument("--report", type=Path, default=REPOSITORY / "build" / "faults", help="folder of the report (report.md and plots)")
    parser.add_argument("--state", type=Path, default=None, help="folder of the stack; kept when it is named")
    parser.add_argument("--plan", action="store_true", help="only print the schedule")
    asked = parser.parse_args(given)
    asked.seed = random.randrange(SEED_MAX) if asked.seed is None else asked.seed
    asked.kinds = () if asked.faults == "none" else tuple(asked.faults.split(","))
    if wrong := [kind for kind in asked.kinds if kind not in plan.KINDS]:
        parser.error(f"--faults {', '.join(wrong)}: use {', '.join(plan.KINDS)}, or none")
    asked.targets = tuple(asked.targets.split(","))
    if wrong := [service for service in asked.targets if service not in plan.CLIENTS]:
        parser.error(f"--targets {', '.join(wrong)}: use {', '.join(plan.CLIENTS)}")
    if asked.minutes <= 0:
        parser.error("--minutes must be more than 0")
    return asked


def teller() -> Callable[[str], None]:
    """Says a line with the time since the start."""
    since = time.monotonic()
    return lambda line: print(f"[{time.monotonic() - since:6.1f}] {line}", flush=True)  # noqa: T201  (a program for people)


async def carry_out(asked: argparse.Namespace, state: Path) -> Result:
    """Starts a stack, attacks it, stops it."""
    say = teller()
    say(f"seed {asked.seed}" + (f", without {asked.without}" if asked.without else ""))
    previous = previous_build(state / "previous", REPOSITORY) if "roll" in asked.kinds else None
    stand = await begin(state, without=asked.without, say=say)
    try:
        order = Order(
            seed=asked.seed,
            seconds=asked.minutes * 60,
            kinds=asked.kinds,
            targets=asked.targets,
            rate=asked.rate,
            rest_seconds=asked.rest,
            previous=previous,
            say=say,
        )
        return await attack(stand, order)
    finally:
        await end(stand)


def main(given: Sequence[str]) -> int:
    """The command."""
    asked = arguments(given)
    if asked.plan:
        replicas = dict.fromkeys(asked.targets, 2)
        for fault in plan.plan(asked.seed, asked.minutes * 60, kinds=asked.kinds, replicas=replicas):
            print(fault)  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory(prefix="nextwave-faults-", ignore_cleanup_errors=True) as temporary:
        result = asyncio.run(carry_out(asked, asked.state or Path(temporary)))
    written = report.write(result, asked.report)
    print(report.summary(result, written))  # noqa: T201
    return 1 if result.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
