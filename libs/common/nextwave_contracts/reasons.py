"""Reason codes: why a candidate was not sent, why a message was rejected, why a run ended. Declared once, with their meaning."""

from __future__ import annotations

from typing import Literal, get_args

GateCode = Literal[
    "permitted", "campaign_stopped", "holdout", "no_consent", "suppressed", "no_address", "complaint_open", "hold", "unsatisfied",
    "not_ready", "hours", "cap", "not_worth_it", "budget", "capacity", "outranked", "expired",
]  # fmt: skip
GATE_REASONS: dict[GateCode, str] = {
    "permitted": "every check passed; the contact is sent",
    "campaign_stopped": "the campaign is paused or ended",
    "holdout": "the customer is held out to measure what contact is worth",
    "no_consent": "no consent for this channel and purpose",
    "suppressed": "the address is suppressed (bounced, or stopped at the channel)",
    "no_address": "the customer has no contact point on this channel",
    "complaint_open": "an open complaint stops this purpose",
    "hold": "a legal, wrong-number or manual hold is in force, or words that may be a refusal wait for their review",
    "unsatisfied": "a matter is open or was closed without satisfaction: no marketing",
    "not_ready": "a supporting system that the campaign needs is not ready",
    "hours": "outside the permitted contact hours in at least one candidate time zone",
    "cap": "a frequency cap is reached",
    "not_worth_it": "the expected margin does not cover the full cost, or cell I gets no paid channel",
    "budget": "the campaign's budget is spent",
    "capacity": "the channel has no free capacity",
    "outranked": "another campaign's candidate is worth more",
    "expired": "the contact would come after its latest time",
}

RejectCode = Literal["undecodable", "too_large", "invalid", "not_allowed", "fold_failed"]
REJECT_REASONS: dict[RejectCode, str] = {
    "undecodable": "the bytes are no message of this topic",
    "too_large": "the message exceeds the limit of the door or topic",
    "invalid": "the item of an accepted request breaks the protocol's rules",
    "not_allowed": "the source's write key may not report this type",
    "fold_failed": "taking the message in raised an error; the detail names it",
}

IgnoreCode = Literal["no_header", "no_value", "other_value", "no_customer"]
IGNORE_REASONS: dict[IgnoreCode, str] = {
    "no_header": "a header by which the mapping tells what came is not there",
    "no_value": "nothing lies where the mapping's closest rule looks",
    "other_value": "what lies there is none of those for which the mapping has a rule",
    "no_customer": "it tells of no customer",
}

RunEnd = Literal["goal", "responded", "completed", "reentered", "campaign_ended", "merged", "suppressed"]
RUN_ENDS: dict[RunEnd, str] = {
    "goal": "the goal event came",
    "responded": "the customer responded and no later wave asks for that",
    "completed": "the last wave closed",
    "reentered": "a new entry replaced the run",
    "campaign_ended": "the campaign was ended",
    "merged": "the customer became part of another",
    "suppressed": "the customer refused and the campaign has no branch for it",
}

assert set(GATE_REASONS) == set(get_args(GateCode))
assert set(REJECT_REASONS) == set(get_args(RejectCode))
assert set(IGNORE_REASONS) == set(get_args(IgnoreCode))
assert set(RUN_ENDS) == set(get_args(RunEnd))
