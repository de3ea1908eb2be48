"""What a template would say to one customer on one channel, and what stands in its way: for the owner, before anybody is contacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace
from nextwave_contracts.actions import Channel, Content
from nextwave_contracts.customers import Snapshot
from nextwave_contracts.text_segments import Segments, segments

from nextwave_orchestrator.campaigns.contents import content_findings
from nextwave_orchestrator.campaigns.definition import Policy, Step, Template, Variant
from nextwave_orchestrator.campaigns.findings import Finding
from nextwave_orchestrator.channel_limits import excess
from nextwave_orchestrator.outputs import absent, bare
from nextwave_orchestrator.rendering import context_of
from nextwave_orchestrator.templates import PARTS, UnrenderableError, chosen, content_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Where and why it would be said. `entry`: the data of the event that lets the customer in."""

    channel: Channel
    entry: Mapping[str, Any]
    policy: Policy


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that the channel shows, as they would be sent."""

    channel: Channel
    language: str
    """Of the variant that was chosen; empty: the default."""
    subject: str
    text: str
    html: str
    sms: Segments | None
    """What the text takes, where it is one."""
    missing: list[str]
    """Fields that it asks for and that are not known of this customer."""
    gaps: list[str]
    """Those of them that it shows nothing for."""
    unsendable: str
    """Why nothing would be sent; empty: it would."""
    findings: list[Finding]
    """What lint would say of a step with this template on this channel."""


def preview(template: Template, shown: Snapshot, occasion: Occasion) -> Preview:
    """`shown` is the profile as the reader may see it. Nothing else is looked at: a template could spell out what is masked."""
    language, variant = chosen(template, shown.language)
    context = context_of(shown, occasion.entry)
    said, reason = _said(variant, context)
    if said is not None:
        reason = excess(occasion.channel, said, occasion.policy.sms_segments)
    sources = [(getattr(variant, part), part) for part in PARTS]
    missing = absent(sources, context)
    step = Step(channel=occasion.channel, template=template.key)
    seen = said or Content(text="")
    return Preview(
        channel=occasion.channel,
        language=language,
        subject=seen.subject,
        text=seen.text,
        html=seen.html,
        sms=segments(said.text) if said is not None and occasion.channel == "sms" else None,
        missing=missing,
        gaps=sorted({path for source, part in sources for path in bare(source, part)} & set(missing)),
        unsendable=reason,
        findings=list(content_findings(step, "", {template.key: template}, occasion.policy)),
    )


def _said(variant: Variant, context: Mapping[str, Any]) -> tuple[Content | None, str]:
    """The content, or why there is none."""
    try:
        return content_of(variant, context), ""
    except UnrenderableError as wrong:
        return None, str(wrong.args[0])


def in_language(profile: Snapshot, language: str | None) -> Snapshot:
    """The customer, were this their language (None: their own)."""
    return profile if language is None else replace(profile, language=language)
