"""Telling our own cancellation from a library's: aiokafka cancels its futures when a connection or a producer goes, and whoever awaits one
would end as if it had been told to.
"""

from __future__ import annotations

import asyncio


def is_meant() -> bool:
    """Whether the running task itself was cancelled; else a `CancelledError` came out of something that it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
