"""What a folder would change at a service, and making it so, each write on the condition that nobody changed it since the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

MEDIA_TYPES: Mapping[str, str] = {".json": "application/json"}
"""By suffix; every other file is YAML."""
Say = Callable[[str], object]


class RefusedError(RuntimeError):
    """The service refused; the message has its reasons."""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A fault, or a finding of lint, at a place in a document."""

    pointer: str
    detail: str
    fix: str
    level: str = "error"
    code: str = ""

    def __str__(self) -> str:
        return f"{self.level:8} {self.pointer or '/'}: {self.detail}; {self.fix}"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one file, or of a document without one (`retire`).

    `path` is that of the API, `revision` what is replaced or retired; `publishes`: it would be a new version; `note`: what else it means.
    """

    file: str
    path: str
    action: Literal["create", "change", "keep", "refuse", "retire"]
    revision: int | None = None
    diff: str = ""
    publishes: bool = False
    note: str = ""
    faults: tuple[Named, ...] = ()
    findings: tuple[Named, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `elsewhere` are the documents that are not in the folder, which stay as they are."""

    items: tuple[Change, ...]
    elsewhere: tuple[str, ...]

    def is_sound(self, *, publish: bool) -> bool:
        """Whether it can be carried out: no file is refused and, to publish, no campaign has an error."""
        wrong = (one for one in self.items if one.faults or (publish and one.publishes and any(f.level == "error" for f in one.findings)))
        return next(wrong, None) is None

    def is_done(self, *, publish: bool) -> bool:
        """Whether there is nothing to do."""
        return all(one.action == "keep" and not (publish and one.publishes) for one in self.items)


async def apply(client: httpx.AsyncClient, files: Mapping[str, str], planned: Plan, say: Say, *, publish: bool = False) -> None:
    """Writes what differs, in the order planned, then publishes. Raises `RefusedError` where somebody changed a document meanwhile."""
    tags: dict[str, str] = {}
    for one in planned.items:
        tags[one.path] = f'"{one.revision}"'
        if one.action in {"create", "change"}:
            tags[one.path] = await _write(client, one, files[one.file])
            say(f"{'created' if one.action == 'create' else 'changed':9} {one.path}")
        elif one.action == "retire":
            await ask(client, "DELETE", one.path, headers={"if-match": tags[one.path]})
            say(f"{'retired':9} {one.path}")
    for one in planned.items:
        if publish and one.publishes:
            answer = await ask(client, "POST", one.path + ":publish", headers={"if-match": tags[one.path]})
            say(f"published {one.path} as version {answer.json()['version']}")


async def _write(client: httpx.AsyncClient, one: Change, text: str) -> str:
    """Its new entity tag."""
    condition = {"if-none-match": "*"} if one.revision is None else {"if-match": f'"{one.revision}"'}
    headers = {"content-type": MEDIA_TYPES.get(Path(one.file).suffix, "application/yaml")} | condition
    answer = await ask(client, "PUT", one.path, content=text.encode(), headers=headers)
    return str(answer.headers["etag"])


async def ask(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> httpx.Response:
    """Its answer. Raises `RefusedError` for any but a success."""
    try:
        answer = await client.request(method, path, **request)
    except httpx.HTTPError as error:
        raise RefusedError(f"{client.base_url} does not answer: {error!r}") from error
    if answer.is_success:
        return answer
    raise RefusedError(f"{method} {path} was answered {answer.status_code}: {_reasons(answer)}")


def _reasons(answer: httpx.Response) -> str:
    if answer.status_code == 412:
        return "it changed since the plan; plan again"
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:300]
    errors = [f"{error['pointer'] or '/'}: {error['detail']}" for error in problem.get("errors", [])]
    return "\n  ".join([str(problem.get("detail", "")), *errors])
