"""The house's own settings: the policy over all campaigns, and which supporting systems are ready."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault
from nextwave_runtime.auth import Key
from nextwave_runtime.written import refused
from starlette.responses import Response

from nextwave_orchestrator.api.control import Approver, Control, Controlled, Operator, Reader, answer, checked_key, document
from nextwave_orchestrator.api.documents import Document, Within, save, tagged
from nextwave_orchestrator.campaigns.checks import policy_faults
from nextwave_orchestrator.campaigns.definition import SERVICE_LEVELS, Policy
from nextwave_orchestrator.catalogue_store import CatalogueSession
from nextwave_orchestrator.hours.rules import RULES
from nextwave_orchestrator.law import LAWS
from nextwave_orchestrator.live import POLICY_KEY, policy_of

router = APIRouter()


async def _changing(_control: Control, _by: Key, policy: Policy) -> Within:
    """Amounts have no currency of their own: in another one, what campaigns are worth, may spend and have booked would be other sums."""

    async def within(session: CatalogueSession) -> None:
        former = (await policy_of(session)).currency
        if policy.currency != former and any(row.version for row in await session.campaigns()):
            detail = f"campaigns were published, and what they book is counted, in {former}"
            raise refused([Fault("/currency", detail, f"write {former}; another currency needs an installation of its own")])

    return within


@router.get("/v1/contact-rules", tags=["policy"])
async def get_contact_rules(_: Reader) -> Response:
    """Hours and limits that hold whatever the house says, each with its source and how it was found; the strictest of all count."""
    return answer(msgspec.json.encode({"hours": RULES, "limits": LAWS}))


POLICY = Document("policies", "policy", Policy, policy_faults, keyed=False, changing=_changing)


class Readiness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a supporting system (payment, logistics, after-sales) is ready."""

    ready: bool


@router.get("/v1/policy", tags=["policy"])
async def get_policy(request: Request, control: Controlled, _: Reader) -> Response:
    """Read the policy in force; it has an entity tag as soon as somebody wrote one."""
    async with control.store.reading() as session:
        stored = await session.document("policies", POLICY_KEY)
        policy = await policy_of(session)
    body = msgspec.json.encode(shown(policy))
    return answer(body) if stored is None else tagged(request, body, stored.revision)


def shown(policy: Policy) -> dict[str, object]:
    """Every value, defaults too: who reads a policy wants to see what is in force."""
    levels = SERVICE_LEVELS | policy.service_levels
    return {name: getattr(policy, name) for name in policy.__struct_fields__} | {"service_levels": levels}


@router.put("/v1/policy", tags=["policy"])
async def put_policy(request: Request, control: Controlled, by: Approver) -> Response:
    """Write the policy; it acts at once."""
    return await save(request, control, by, POLICY, POLICY_KEY)


@router.put("/v1/readiness/{system}", tags=["readiness"])
async def put_readiness(system: str, request: Request, control: Controlled, by: Operator) -> Response:
    """Declare a supporting system ready or not."""
    checked_key(system)
    declared = read_as(await document(request), Readiness)
    async with control.store.changing() as session:
        if (await session.readiness()).get(system) != declared.ready:
            await session.set_readiness(system, declared.ready, by.name)
    return answer(msgspec.json.encode({"system": system, "ready": declared.ready}))


@router.get("/v1/readiness", tags=["readiness"])
async def get_readiness(control: Controlled, _: Reader) -> Response:
    """Which supporting systems are ready, who said so, and since when."""
    async with control.store.reading() as session:
        declared = await session.declared()
    return answer(msgspec.json.encode({"items": [one._asdict() for one in declared]}))
