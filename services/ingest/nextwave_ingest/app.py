"""The composition root of ingest: doors in front, the rare routes behind, one committer below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from nextwave_contracts.clock import Clock
from nextwave_contracts.topics import SOURCES
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import SystemClock
from nextwave_runtime.health import App, Receive, Scope, Send
from nextwave_runtime.problem import Problem
from nextwave_runtime.service import Service

from nextwave_ingest import metrics
from nextwave_ingest.admission import BATCH_BYTES_MAX
from nextwave_ingest.api import create_api
from nextwave_ingest.commit import GroupCommit
from nextwave_ingest.doors.browsers import for_page
from nextwave_ingest.doors.cloudevents import CloudEventsDoor
from nextwave_ingest.doors.exchange import BoundedBodies, ClientGoneError, Door, Request, Room, problem_answer, send_answer
from nextwave_ingest.doors.inbound import ROUTE, InboundDoor
from nextwave_ingest.doors.posthog import ROUTES, PostHogDoor
from nextwave_ingest.doors.posthog_settings import FLAGS, SETTINGS, FlagsDoor, PostHogSettingsDoor
from nextwave_ingest.doors.segment import BATCHES, JITSU, KINDS, SegmentDoor, SegmentSettingsDoor
from nextwave_ingest.follower import Follower
from nextwave_ingest.links import LinkDoor
from nextwave_ingest.mappings.desk import Desk
from nextwave_ingest.mappings.library import Library, shipped
from nextwave_ingest.mappings.log import MappingLog
from nextwave_ingest.reception import Committer, Reception
from nextwave_ingest.rejected.api import rejected_router
from nextwave_ingest.rejected.log import RejectedLog
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.rejected.redriver import Redriver
from nextwave_ingest.settings import IngestSettings
from nextwave_ingest.sources.api import sources_router
from nextwave_ingest.sources.telling import Telling

FORBIDDEN = 403
LINK_ROUTES = ("/u/", "/r/", "/o/")


def build(settings: IngestSettings) -> Service:
    """The service as it runs."""
    committer = GroupCommit(
        settings.kafka,
        linger_seconds=settings.linger_seconds,
        timeout_seconds=settings.commit_timeout_seconds,
        pending_bytes_max=settings.pending_bytes_max,
    )
    mappings = MappingLog(committer, Library(shipped()))
    follower = mappings.follower(settings.kafka)
    telling, marks = Telling(committer, settings.replica), Marks()
    heard = (follower, marks.follower(settings.kafka), Follower(settings.kafka, SOURCES, telling.take))
    metrics.MAPPINGS_LEFT_OUT.set_function(lambda: len(mappings.library.left_out()))
    return Service(
        name="ingest",
        app=create_app(settings, committer, SystemClock(settings.clock), Followed(mappings, telling, marks)),
        background=(committer.run, mappings.run, telling.run, *(one.run for one in heard)),
        closing=(committer.close,),
        ready=lambda: committer.fault or follower.fault,
    )


class Followed(NamedTuple):
    """What replicas tell each other over topics of ours; somebody lets each hear its own."""

    mappings: MappingLog
    telling: Telling
    marks: Marks


def create_app(settings: IngestSettings, committer: Committer, clock: Clock, followed: Followed) -> App:
    """The ASGI application over any committer."""
    mappings, telling, marks = followed
    keyring = Keyring(settings.keys_file)
    identifier_key = settings.identifier_key.get_secret_value().encode()
    reception = Reception(committer, keyring, clock, identifier_key=identifier_key, trace_ratio=settings.trace_ratio)
    reception.book = telling.book
    segment = SegmentDoor(reception, complaint_events=settings.complaint_events, currency=settings.default_currency)
    events = CloudEventsDoor(reception)
    exact: dict[str, Door] = {f"/v1/{route}": segment for route in (*KINDS, *BATCHES)}
    exact |= {f"{place}{kind}": segment for place in JITSU for kind in dict.fromkeys(KINDS.values())}
    posthog = PostHogDoor(reception, complaint_events=settings.complaint_events, currency=settings.default_currency)
    exact |= dict.fromkeys(ROUTES, posthog)
    exact |= dict.fromkeys(FLAGS, FlagsDoor())
    exact |= {"/v1/touchpoints": events, "/v1/calls": events}
    link_keys = (settings.link_key, settings.link_key_before)
    links = LinkDoor(reception, keys=[key.get_secret_value().encode() for key in link_keys if key is not None])
    secrets = {
        (source, scheme): secret.get_secret_value().split()
        for source, schemes in settings.source_secrets.items()
        for scheme, secret in schemes.items()
    }
    inbound = InboundDoor(reception, mappings, secrets=secrets, url=settings.ingest_url)
    judges = {door.name: door for door in (segment, posthog, events, inbound)}
    redriver = Redriver(RejectedLog(settings.kafka, settings.clock.wall), judges, committer, marks, clock.now)
    below: dict[str, Door] = {ROUTE: inbound, SETTINGS: PostHogSettingsDoor(), **dict.fromkeys(LINK_ROUTES, links)}
    return Doors(
        Routes(exact, below, SegmentSettingsDoor(reception)),
        create_api(
            Desk(keyring=keyring, reception=reception, log=mappings, telling=telling),
            rejected_router(keyring, redriver),
            sources_router(keyring, telling),
        ),
        Room(settings.arriving_bytes_max),
        reception.turned_away,
    )


class Routes(NamedTuple):
    """Which door answers which path: by the whole of it, or by its beginning."""

    exact: Mapping[str, Door]
    below: Mapping[str, Door]
    browser_settings: Door

    def door(self, path: str) -> Door | None:
        """None for a route behind the doors."""
        if (door := self.exact.get(path) or self.exact.get(path.rstrip("/"))) is not None:
            return door
        for route, below in self.below.items():
            if path.startswith(route):
                return below
        if path.startswith("/v1/projects/") and path.endswith("/settings") and path.count("/") == 4:
            return self.browser_settings
        return None


class Doors:
    """Plain ASGI in front of the framework: a request for a door never passes through it. `turned_away` counts what nothing is taken of."""

    def __init__(self, routes: Routes, behind: App, room: Room, turned_away: Callable[[Request, str, Problem], None]) -> None:
        self._routes = routes
        self._behind = BoundedBodies(behind, room, BATCH_BYTES_MAX)
        self._room = room
        self._turned_away = turned_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._routes.door(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            await self._behind(scope, receive, send)
            return
        request = Request(scope, receive, self._room)
        try:
            answer = await door(request)
        except Problem as problem:
            self._turned_away(request, door.name, problem)
            answer = problem_answer(problem)
        except ClientGoneError:
            return
        metrics.ANSWERS.counts[door.name, str(answer.status)] += 1
        # a page that may not use the key may not read why either: no CORS headers for it
        await send_answer(send, answer, for_page(door.headers, request.header(b"origin")) if answer.status != FORBIDDEN else ())
