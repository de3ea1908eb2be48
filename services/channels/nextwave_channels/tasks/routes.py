"""The tasks of field account managers over HTTP. A token names who calls; what is to be said is shown to who holds the task alone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from nextwave_contracts.actions import Purpose
from nextwave_runtime.auth import Key, Keyring
from pydantic import BaseModel, ConfigDict, Field

from nextwave_channels.access import Agent, Reader, guarded
from nextwave_channels.tasks import pages, work
from nextwave_channels.tasks.table import Task
from nextwave_channels.tasks.task import Report, Result, Stand, stand
from nextwave_channels.tasks.work import Team

NOTE_MAX = 2000
NEXT_STEP_MAX = 500
Note = Annotated[str, Field(max_length=NOTE_MAX, pattern=r"^[^\x00]*$")]
NextStep = Annotated[str, Field(max_length=NEXT_STEP_MAX, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]


class Hours(BaseModel):
    """When the visit may be made: `start <= t < end`."""

    start: datetime
    end: datetime


class TaskRow(BaseModel):
    """A visit. `subject` and `text`: to its holder alone; `note` and `next_step`: to its holder and with the privacy role."""

    action_id: str
    stand: Stand
    team: str
    customer_id: str
    campaign: str
    purpose: Purpose
    value: float
    permitted: list[Hours]
    not_after: datetime
    held_by: str | None
    held_until: datetime | None
    withdrawn_because: str | None
    subject: str | None
    text: str | None
    result: str | None
    reported_at: datetime | None
    note: str | None
    next_step: str | None


class TaskPage(BaseModel):
    """A page of tasks; `cursor` leads to the next one."""

    tasks: list[TaskRow]
    cursor: str | None


class Completion(BaseModel):
    """What came of a visit. `stop`: the customer wants no more visits; it counts at once, for every campaign."""

    model_config = ConfigDict(extra="forbid")

    result: Result
    note: Note = ""
    next_step: NextStep = ""
    stop: bool = False


class Release(BaseModel):
    """Why a task is given back undone."""

    model_config = ConfigDict(extra="forbid")

    note: Note = ""


def router(team: Team, keyring: Keyring) -> APIRouter:
    """`/v1/tasks`."""
    routes = guarded(keyring, "/v1")

    @routes.get("/tasks", tags=["tasks"])
    async def list_tasks(
        key: Reader,
        state: Literal["open", "mine", "done"] = "open",
        team_name: Annotated[Text, Query(alias="team")] = None,
        limit: Limit = 50,
        cursor: Text = None,
    ) -> TaskPage:
        match state:
            case "open":
                found, following = await pages.claimable(team.desk, team_name, cursor, limit)
            case "mine":
                found, following = await pages.held(team.desk, key.name, team_name, cursor, limit)
            case "done":
                found, following = await pages.done(team.desk, team_name, cursor, limit)
        return TaskPage(tasks=[_row(task, key) for task in found], cursor=following)

    @routes.post("/tasks/{action_id}:claim", tags=["tasks"])
    async def claim_task(action_id: str, key: Agent) -> TaskRow:
        return _row(await work.claim(team, _named(action_id), key.name), key)

    @routes.post("/tasks/{action_id}:complete", tags=["tasks"])
    async def complete_task(action_id: str, completion: Completion, key: Agent) -> TaskRow:
        report = Report(**completion.model_dump())
        return _row(await work.complete(team, _named(action_id), key.name, report), key)

    @routes.post("/tasks/{action_id}:release", tags=["tasks"])
    async def release_task(action_id: str, release: Release, key: Agent) -> TaskRow:
        return _row(await work.release(team, _named(action_id), key.name, release.note), key)

    return routes


def _row(task: Task, key: Key) -> TaskRow:
    contact, standing = task.delivery.contact, stand(task.delivery, task.holding)
    holding = task.holding if standing != "open" else None
    is_holder = holding is not None and holding.holder == key.name and "agent" in key.roles
    sees_note = is_holder or "privacy" in key.roles
    return TaskRow(
        action_id=contact.action_id,
        stand=standing,
        team=contact.list,
        customer_id=contact.customer_id,
        campaign=contact.campaign,
        purpose=contact.purpose,
        value=contact.value,
        permitted=[Hours(start=span.start, end=span.end) for span in contact.permitted],
        not_after=contact.not_after,
        held_by=holding.holder if holding else None,
        held_until=holding.until if holding else None,
        withdrawn_because=task.delivery.withdrawn_reason or None,
        subject=contact.content.subject if is_holder else None,
        text=contact.content.text if is_holder else None,
        result=holding.result if holding and holding.result else None,
        reported_at=holding.reported_at if holding else None,
        note=holding.note if holding and sees_note else None,
        next_step=holding.next_step if holding and sees_note else None,
    )


def _named(action_id: str) -> str:
    """No action has such a name, so it is looked up as one that is not there."""
    return "" if "\0" in action_id or len(action_id) > 256 else action_id
