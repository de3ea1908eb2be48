"""What a ring that stands costs while nothing comes: milliseconds of processor time a second, by process.

`PYTHONPATH=tests .venv/bin/python -m bench.idle STATE [SECONDS]`, with the folder of a stack that `nextwave up` has started.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec

from bench.processes import Meter, of_stack


class Endpoints(msgspec.Struct):
    """What is needed of a stack's `endpoints.json`."""

    pids: dict[str, int]


def main(state: str, seconds: str = "20") -> None:
    """Measures for so long, and prints."""
    endpoints = msgspec.json.decode((Path(state) / "endpoints.json").read_bytes(), type=Endpoints)
    meter, began = Meter(of_stack(endpoints.pids)), time.monotonic()
    time.sleep(float(seconds))
    passed = time.monotonic() - began
    spent = {name: each / passed * 1000 for name, each in meter.spent().items()}
    sys.stdout.write("".join(f"{name:16} {each:6.1f} ms/s\n" for name, each in (spent | {"in all": sum(spent.values())}).items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
