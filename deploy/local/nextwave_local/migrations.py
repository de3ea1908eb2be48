"""Brings the services' databases up to date, all in one process, since each start of Python costs more than the migrations."""

from __future__ import annotations

import sys

import msgspec
from nextwave_runtime.migrate import upgrade


def main() -> None:
    """Reads `{service: dsn}` as JSON from standard input, where no other process sees the passwords."""
    for service, dsn in msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str]).items():
        upgrade(f"nextwave_{service}.migrations", dsn)


if __name__ == "__main__":
    main()
