"""How much a worker takes at a time, and when going on is senseless: policies of its batches, pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nextwave_contracts.reasons import RejectCode

FOLD_SECONDS_MAX = 1.0
"""So long a batch is folded at a stretch. All partitions of a process share a thread, and PostgreSQL ends a transaction idle for 10 s."""
FAILED_IN_A_ROW_MAX = 500
"""So many items that failed in a row, on whatever partition: the fault is ours, the processor stops."""


class TooManyRejectedError(Exception):
    """Nothing can be taken in and nobody foresaw it: stop, since going on would throw the topic away."""


@dataclass(slots=True)
class Pace:
    """What part of a full batch is taken: half as much after each batch that could not be done, twice as much after one that was done well.

    So whatever is wrong with a batch, the item that does it stands alone after a few trials, and the others are not held up by it.
    """

    widest: int
    """Items of the largest full batch."""
    halvings: int = 0

    def share(self, most: int) -> int:
        """How many to take of something of which a full batch has `most`; at least one."""
        return max(1, most >> self.halvings)

    @property
    def alone(self) -> bool:
        """Whether a batch is down to a single item."""
        return self.share(self.widest) == 1

    def slower(self) -> None:
        """A batch could not be done."""
        self.halvings += not self.alone

    def done(self, fold_seconds: float) -> None:
        """A batch was done. One twice as large is taken next if folding it will not take too long."""
        if fold_seconds < FOLD_SECONDS_MAX / 2:
            self.halvings = max(0, self.halvings - 1)


@dataclass(slots=True)
class Streak:
    """Items of a processor, on any of its partitions, that failed as nobody foresaw (`fold_failed`) since one was last taken in.

    A verdict on an item (`RejectedError`, an unreadable message) is the sender's fault, however many there are: it counts for nothing.
    """

    length: int = 0

    def count(self, *, done: int, failed: Iterable[RejectCode]) -> None:
        """After a batch: how many items were taken in, why others were not. Raises `TooManyRejectedError` when the fault must be ours."""
        unforeseen = sum(reason == "fold_failed" for reason in failed)
        self.length = 0 if done else self.length + unforeseen
        if self.length > FAILED_IN_A_ROW_MAX:
            raise TooManyRejectedError(f"{self.length} items in a row failed, and none was taken in on any partition")
