"""What the observer says: a broken promise, and how it is seen."""

from __future__ import annotations

from typing import Literal, NamedTuple

Promise = Literal["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P10", "P11", "P12", "P13", "P14", "P16", "P17", "P18"]

PROMISES: dict[Promise, str] = {
    "P1": "no accepted touchpoint is lost, whatever is killed",
    "P2": "at most one dispatch per action unless the provider surely refused; the uncertain ones are `unknown`",
    "P3": "profiles and decisions see one customer's events in accepted order",
    "P4": "duplicates have no effect, at a door and between any two services",
    "P5": "what is late or shuffled causes no wave that the sorted history would not allow",
    "P6": "no contact without consent or during a hold, also when that changed after the decision",
    "P7": "a stop takes effect within one second of its 2xx",
    "P8": "a poison message is rejected with a reason and stops nothing",
    "P10": "a server away: a clear 503, and full recovery without a restart",
    "P11": "after an outage everything drains, and nothing is sent past its latest time",
    "P12": "clock jumps cause no early and no night-time contact",
    "P13": "two versions work side by side",
    "P14": "a stored decision gives the same answer again",
    "P16": "memory stays bounded",
    "P17": "caps are exact under concurrency and crashes",
    "P18": "a wave never contacts somebody whose response was received before the window closed",
}
NOT_YET: dict[str, str] = {
    "P9": "a slow provider delays only its own channel: the harness does not measure it yet",
    "P15": "erasure: not built yet",
}
"""Promises whose mechanism does not exist yet, or that this harness does not judge."""


class Finding(NamedTuple):
    """One broken promise. `seen` is a sentence with everything needed to look for it."""

    promise: Promise
    seen: str
