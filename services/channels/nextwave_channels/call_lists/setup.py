"""How calls leave, as the settings say: what the composition root needs of call lists."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastapi import APIRouter
from nextwave_runtime.auth import Keyring
from nextwave_runtime.service import Job

from nextwave_channels.adapters.dialler import Dialler, Door
from nextwave_channels.call_lists.limits import Limits
from nextwave_channels.call_lists.pushing import Pusher
from nextwave_channels.call_lists.release import CHANNEL, Release
from nextwave_channels.call_lists.retracting import Retractor
from nextwave_channels.call_lists.routes import Floor, router
from nextwave_channels.call_lists.ways import Way, Ways
from nextwave_channels.claiming import Desk
from nextwave_channels.dispatcher import Bell
from nextwave_channels.http_port import Http
from nextwave_channels.outlets import Outlets
from nextwave_channels.prices import Route
from nextwave_channels.providers import PUSHED
from nextwave_channels.settings import CallSettings, ChannelsSettings


class NoDiallerError(SystemExit):
    """Calls shall be pushed and it is not said where. It ends the process before it serves anything."""


class NoVoiceError(SystemExit):
    """Calls of some lists shall be made by a provider that there is not. It ends the process before it serves anything."""


def ways_of(settings: CallSettings) -> Ways:
    """The way of each list."""
    return Ways(others=settings.calls_by, named=settings.call_lists)


def channels_of(settings: CallSettings, *, spoken: bool) -> frozenset[str]:
    """The channel of calls, if some list is pushed or pulled. `spoken`: whether a provider makes calls. Raises `NoVoiceError`."""
    used = ways_of(settings).used
    if used == {"twilio"}:
        return frozenset()
    if "twilio" in used and not spoken:
        raise NoVoiceError(
            "NEXTWAVE_CALLS_BY and NEXTWAVE_CALL_LISTS: some calls leave by twilio, which is not set up; give them another way"
        )
    return frozenset({CHANNEL})


def release_of(settings: CallSettings, way: Way) -> Release:
    """The calls of the lists that go this way."""
    return Release(ways_of(settings), way, Limits(per_number=settings.calls_per_number, per_person=settings.calls_per_person))


def pushed_routes(settings: CallSettings) -> dict[Route, None]:
    """The dialler among the providers, if some list is pushed to it; nobody but its pusher calls it."""
    return {PUSHED: None} if "dialler" in ways_of(settings).used else {}


def make_dialler(settings: CallSettings, channels_url: str, answer_seconds: float) -> Dialler | None:
    """The dialler, if some list is pushed to it; it has `answer_seconds` for each answer. Raises `NoDiallerError`."""
    if "dialler" not in ways_of(settings).used:
        return None
    if not settings.dialler_url:
        raise NoDiallerError("calls shall be pushed to a dialler: set NEXTWAVE_DIALLER_URL, or let them leave in another way")
    door = Door(
        url=settings.dialler_url,
        token=settings.dialler_token.get_secret_value(),
        callbacks_url=f"{channels_url.rstrip('/')}/v1/callbacks/dialler",
    )
    return Dialler(Http(answer_seconds=answer_seconds), door)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLists:
    """What the service serves and runs of call lists."""

    router: APIRouter
    jobs: tuple[Job, ...]
    closing: tuple[Job, ...]


def make_call_lists(settings: ChannelsSettings, desk: Desk, bell: Bell, outlets: Outlets | None) -> CallLists:
    """Call lists over HTTP, and the dialler's loops where there is a dialler (`outlets`). Raises `NoDiallerError`."""
    calls = settings.calls
    pulling = replace(desk, calls=release_of(calls, "pull"))
    floor = Floor(desk=pulling, ways=ways_of(calls), keyring=Keyring(settings.keys_file))
    dialler = make_dialler(calls, settings.channels_url, settings.providers.deadline_seconds(*PUSHED))
    if dialler is None or outlets is None:
        return CallLists(router=router(floor), jobs=(), closing=())
    pushing = replace(desk, calls=release_of(calls, "dialler"))
    pusher = Pusher(pushing, dialler, outlets, bell, calls.dialler_holds_seconds)
    jobs = (pusher.push_all, Retractor(pushing, dialler).retract_all)
    return CallLists(router=router(floor), jobs=jobs, closing=(dialler.close,))
