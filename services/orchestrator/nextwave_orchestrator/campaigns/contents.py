"""Finds what would go wrong with the templates that a campaign's steps name, in every language, on the channel that uses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from msgspec.structs import replace
from nextwave_contracts.faults import Fault

from nextwave_orchestrator.campaigns.checks import steps_of
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Step, Template, Variant
from nextwave_orchestrator.campaigns.findings import Finding, error, warning
from nextwave_orchestrator.channel_limits import TEXT_ONLY, excess
from nextwave_orchestrator.templates import bare_outputs, example, failure, fixed, named, variants


def content_findings(one: Step, at: str, templates: Mapping[str, Template], policy: Policy) -> Iterator[Finding]:
    """Of a step that names a template."""
    at, known = at + "/template", templates.get(one.template)
    if known is None:
        fix = near(one.template, templates, "PUT /v1/templates/{key} makes one")
        yield error("missing_template", at, f"there is no template {one.template!r}", fix)
        return
    for language, variant in variants(known):
        for found in _variant_findings(one.channel, variant, policy.sms_segments):
            yield replace(found, pointer=at, detail=f"template {named(known.key, language)}: {found.detail}")


def broken_by(template: Template, campaigns: Iterable[Campaign], policy: Policy) -> list[Fault]:
    """Why campaigns that were published could not be any more, were this the template that they name."""
    told: dict[Fault, None] = {}
    errors: dict[str, list[Finding]] = {}
    for campaign in campaigns:
        steps = (one for n, wave in enumerate(campaign.waves) for _, one in steps_of(wave, f"/waves/{n}"))
        for one in (one for one in steps if one.template == template.key):
            if one.channel not in errors:  # of all its steps on a channel the same is true, and to find it takes long
                found = content_findings(one, "", {template.key: template}, policy)
                errors[one.channel] = [finding for finding in found if finding.level == "error"]
            told |= {Fault("", f"campaign {campaign.key}, by {one.channel}: {f.detail}", f.fix): None for f in errors[one.channel]}
    return list(told)


def near(key: str, known: Iterable[str], otherwise: str) -> str:
    """The fix for a name that does not exist."""
    close = get_close_matches(key, sorted(known), n=1)
    return f"did you mean {close[0]}?" if close else otherwise


def _variant_findings(channel: str, variant: Variant, segments_max: int) -> Iterator[Finding]:
    reason, is_certain = failure(variant)
    if is_certain:
        yield error("template_fails", "", reason, "correct the template; it would never be sent")
    elif reason:
        fix = "give what it shows a default; to whom it fails, nothing is sent"
        yield warning("template_fails", "", f"{reason}, for a customer of whom nothing is known", fix)
    for path in sorted({path for _, path in bare_outputs(variant)}):
        fix = f"write {{{{ {path} | default: ... }}}}, or put it between {{% if {path} %}} and {{% endif %}}"
        yield error("may_be_missing", "", f"it shows {path}, which not every customer has", fix)
    yield from _subject_findings(channel, variant)
    yield from _size_findings(channel, variant, segments_max)
    if channel in TEXT_ONLY and variant.html:
        yield warning("html_not_shown", "", f"{channel} shows no html", "nothing, where text says the same; its html is for other channels")


def _subject_findings(channel: str, variant: Variant) -> Iterator[Finding]:
    shown = example(variant)
    if channel != "email":
        return
    if not variant.subject.strip():
        yield error("no_subject", "", "a mail without a subject", "give the template a subject")
    elif shown is not None and not shown.subject:
        yield warning("no_subject", "", "no subject for a customer of whom nothing is known", "let some of it stand whatever is known")


def _size_findings(channel: str, variant: Variant, segments_max: int) -> Iterator[Finding]:
    shown, always = example(variant), excess(channel, fixed(variant), segments_max)
    if always:
        yield error("too_long", "", f"{always}, by its fixed text alone", "shorten it; it would never be sent")
    elif shown is not None and (now := excess(channel, shown, segments_max)):
        fix = "shorten it; to whom it is too long, nothing is sent"
        yield warning("too_long", "", f"{now}, for a customer of whom nothing is known", fix)
