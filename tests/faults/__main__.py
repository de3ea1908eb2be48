"""`make faults MINUTES=… SEED=…`: harms a running stack by a seeded schedule, heals it, and says which promises held (exit 1: not all)."""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from faults import breaking, plan, report
from faults.inflict import previous_build
from faults.run import LIVES_PER_SECOND, REST_SECONDS, Order, Result, attack
from faults.stand import begin, end

REPOSITORY = Path(__file__).parents[2]
SEED_MAX = 10_000
NUMBER_MAX = 10_000.0


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What was asked; ends the program with a message when it cannot be done."""
    parser = _parser()
    asked = parser.parse_args(given)
    asked.seed = random.randrange(SEED_MAX) if asked.seed is None else asked.seed
    asked.kinds = {"none": (), "all": plan.KINDS}.get(asked.faults, tuple(asked.faults.split(",")))
    asked.targets = tuple(asked.targets.split(","))
    asked.without = tuple(asked.without.split(",")) if asked.without else ()
    known = {"faults": plan.KINDS, "targets": plan.CLIENTS, "without": tuple(breaking.MECHANISMS)}
    for name, words in (("faults", asked.kinds), ("targets", asked.targets), ("without", asked.without)):
        if wrong := [word for word in words if word not in known[name]]:
            parser.error(f"--{name} {', '.join(wrong)}: use {', '.join(known[name])}" + (", or none, or all" if name == "faults" else ""))
    for name, least in (("minutes", 0.05), ("rate", 0.1), ("rest", 0.0), ("slowest", 0.0)):
        if not least <= getattr(asked, name) <= NUMBER_MAX:
            parser.error(f"--{name} {getattr(asked, name)}: use a number from {least} to {NUMBER_MAX:g}")
    if fault := report.unwritable(asked.report):
        parser.error(f"--report {asked.report}: {fault}")
    return asked


def _parser() -> argparse.ArgumentParser:
    kinds = "\n".join(f"  {kind:10} {plan.MEANINGS[kind]}" for kind in plan.KINDS)
    switches = "\n".join(f"  {name:16} {meaning}" for name, meaning in breaking.MEANINGS.items())
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"kinds of fault:\n{kinds}\n\nmechanisms that can be left out:\n{switches}",
    )
    services, usual, folder = ",".join(plan.CLIENTS), ",".join(plan.USUAL), REPOSITORY / "build" / "faults"
    add = parser.add_argument
    add("--minutes", type=float, default=1.0, help="how long the load and the faults last (%(default)g); in all it takes some three more")
    add("--seed", type=int, default=None, help="of schedule and lives; a fresh one is drawn and printed when left out")
    add("--faults", default=usual, metavar="KIND,...", help="kinds of fault, or `none`, or `all`; all but `roll` when left out")
    add("--targets", default=services, metavar="SERVICE,...", help=f"whose replicas are harmed ({services})")
    add("--rest", type=float, default=REST_SECONDS, help="seconds after healing until everything must have come to rest (%(default)g)")
    add("--replicas", type=int, default=2, choices=(1, 2, 3), help="of each service (%(default)d)")
    add("--without", default="", metavar="MECHANISM,...", help="left out: the run must fail")
    add("--rate", type=float, default=LIVES_PER_SECOND, help="customers' lives begun per second (%(default)g)")
    add("--slowest", type=float, default=plan.SLOWEST_MS, help="milliseconds that a slow connection delays at most (%(default)g)")
    add("--report", type=Path, default=folder, help="folder of the report, seed-N.md and seed-N.png (build/faults)")
    add("--state", type=Path, default=None, help="folder of the stack; kept when it is named")
    add("--plan", action="store_true", help="only print the schedule")
    return parser


def teller() -> Callable[[str], None]:
    """Says a line with the time since the start."""
    since = time.monotonic()
    return lambda line: print(f"[{time.monotonic() - since:6.1f}] {line}", flush=True)  # noqa: T201  (a program for people)


async def carry_out(asked: argparse.Namespace, state: Path) -> Result:
    """Starts a stack, attacks it, stops it."""
    say = teller()
    say(f"seed {asked.seed}" + (f", without {', '.join(asked.without)}" if asked.without else ""))
    previous = previous_build(state / "previous", REPOSITORY) if "roll" in asked.kinds else None
    stand = await begin(state, without=asked.without, replicas=dict.fromkeys(plan.CLIENTS, asked.replicas), say=say)
    try:
        order = Order(
            seed=asked.seed,
            seconds=asked.minutes * 60,
            kinds=asked.kinds,
            targets=asked.targets,
            rate=asked.rate,
            slowest=asked.slowest,
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
        replicas = dict.fromkeys(asked.targets, asked.replicas)
        print(f"seed {asked.seed}, {asked.minutes:g} minutes")  # noqa: T201
        for fault in plan.plan(asked.seed, asked.minutes * 60, kinds=asked.kinds, replicas=replicas, slowest=asked.slowest):
            print(fault)  # noqa: T201
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="nextwave-faults-", ignore_cleanup_errors=True) as temporary:
            result = asyncio.run(carry_out(asked, asked.state or Path(temporary)))
    except KeyboardInterrupt:
        print("interrupted; what had started is stopped", file=sys.stderr)  # noqa: T201
        return 130
    written = report.write(result, asked.report)
    print(report.summary(result, written))  # noqa: T201
    return 1 if result.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
