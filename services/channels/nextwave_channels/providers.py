"""The providers of every channel that we call: their adapters, limits, order and prices, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nextwave_runtime.clock import WallClock, steady_seconds

from nextwave_channels.adapters import twilio
from nextwave_channels.adapters.call import Call
from nextwave_channels.adapters.sms import Sms
from nextwave_channels.adapters.sms_gateway import Gateway, SmsGateway
from nextwave_channels.answers import Adapter
from nextwave_channels.call_lists.entry import DIALLER
from nextwave_channels.http_port import Http
from nextwave_channels.mail_setup import make_email
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import PACES, RECORD_SECONDS, Pace
from nextwave_channels.prices import NO_PRICES, Prices, PriceTableError, Route, parse
from nextwave_channels.rate import Rate
from nextwave_channels.settings import ChannelsSettings, ProviderSettings, RouteSetting, TwilioSettings

Adapters = Mapping[Route, Adapter | None]
"""None: whoever claims for the provider calls it in its own way."""
PUSHED: Route = ("call", DIALLER)
CHOSEN_BY_RECIPIENTS = frozenset({"webpush"})
"""Channels whose addresses name the server, too (see `Outlet.breaks`)."""


class SetupError(SystemExit):
    """Settings that cannot be meant; the text names the setting and the fix. It ends the process before it serves anything."""


def make_adapters(settings: ChannelsSettings, clock: WallClock) -> dict[Route, Adapter]:
    """One adapter for each channel and provider, in the order of their use, each with connections of its own. Raises `SetupError`."""
    phone, others = settings.twilio, settings.providers
    account = _account(phone, settings.channels_url)
    adapters: dict[Route, Adapter] = {
        ("email", "smtp"): make_email(settings.mail, clock, others.deadline_seconds("email", "smtp")),
    }
    if phone.sender("sms"):
        adapters["sms", "twilio"] = Sms(_http(others, "sms", "twilio"), account, phone.sms_from)
    if phone.sender("call"):
        adapters["call", "twilio"] = Call(_http(others, "call", "twilio"), account, phone.call_from)
    if others.sms_gateway_url:
        gateway = _gateway(others, phone.sms_from, settings.channels_url)
        adapters["sms", "gateway"] = SmsGateway(_http(others, "sms", "gateway"), gateway)
    return adapters


def make_outlets(settings: ProviderSettings, adapters: Adapters, clock: WallClock) -> dict[str, Outlets]:
    """Each channel's ways out; those of pushed calls, which another loop claims, under the dialler's name. Raises `SetupError`."""
    set_ = _by_route(settings.routes, adapters)
    prices = _prices(settings.prices_file, adapters)
    order = [*set_, *(route for route in adapters if route not in set_)]
    loops: dict[str, list[Route]] = {}
    for route in order:
        loops.setdefault(DIALLER if route == PUSHED else route[0], []).append(route)
    outlets = {name: [_outlet(route, adapters[route], set_.get(route)) for route in routes] for name, routes in loops.items()}
    return {name: Outlets(loops[name][0][0], its, clock, steady_seconds, prices) for name, its in outlets.items()}


def _account(phone: TwilioSettings, channels_url: str) -> twilio.Account:
    token = phone.twilio_token.get_secret_value()
    if bool(phone.twilio_account) != bool(token):
        raise SetupError("NEXTWAVE_TWILIO_ACCOUNT and NEXTWAVE_TWILIO_TOKEN go together: set both, or none")
    if phone.twilio_account and not (phone.sms_from or phone.call_from):
        raise SetupError("NEXTWAVE_TWILIO_ACCOUNT: set what its texts or calls come from, too: NEXTWAVE_SMS_FROM or NEXTWAVE_CALL_FROM")
    return twilio.Account(url=phone.twilio_url, sid=phone.twilio_account, token=token, callbacks_url=channels_url)


def _http(settings: ProviderSettings, channel: str, provider: str) -> Http:
    return Http(answer_seconds=settings.deadline_seconds(channel, provider))


def _gateway(settings: ProviderSettings, sms_from: str, channels_url: str) -> Gateway:
    if not (settings.sms_gateway_from or sms_from):
        raise SetupError("NEXTWAVE_SMS_GATEWAY_URL: set what its texts come from, too: NEXTWAVE_SMS_GATEWAY_FROM")
    return Gateway(
        url=settings.sms_gateway_url,
        header=settings.sms_gateway_header,
        secret=settings.sms_gateway_secret.get_secret_value(),
        sender=settings.sms_gateway_from or sms_from,
        callbacks_url=f"{channels_url.rstrip('/')}/v1/callbacks/generic",
    )


def _by_route(routes: Sequence[RouteSetting], adapters: Adapters) -> dict[Route, RouteSetting]:
    found: dict[Route, RouteSetting] = {}
    faults = []
    for number, setting in enumerate(routes, 1):
        route = (setting.channel, setting.provider)
        if route not in adapters:
            known = ", ".join(sorted(provider for channel, provider in adapters if channel == setting.channel)) or "none"
            faults.append(f"entry {number}: {setting.provider!r} is no provider of {setting.channel} that is set up; there are: {known}")
        elif route in found:
            faults.append(f"entry {number}: {setting.provider} is named twice for {setting.channel}; name it once")
        found[route] = setting
    if faults:
        raise SetupError("NEXTWAVE_ROUTES: " + "; ".join(faults))
    return found


def _outlet(route: Route, adapter: Adapter | None, setting: RouteSetting | None) -> Outlet:
    channel, provider = route
    pace = PACES[channel]
    breaks = channel not in CHOSEN_BY_RECIPIENTS
    if setting is None:
        return Outlet(provider=provider, adapter=adapter, pace=pace, breaks=breaks)
    rate = None if setting.per_second is None else Rate(per_second=setting.per_second, burst=setting.burst)
    return Outlet(provider=provider, adapter=adapter, pace=_pace(pace, setting), rate=rate, breaks=breaks)


def _pace(pace: Pace, setting: RouteSetting) -> Pace:
    """The lease ends only when the answer must have been recorded."""
    slots = pace.concurrency if setting.slots is None else setting.slots
    lease = max(pace.lease_seconds, setting.deadline_seconds + RECORD_SECONDS)
    return replace(pace, concurrency=slots, deadline_seconds=setting.deadline_seconds, lease_seconds=lease)


def _prices(file: Path | None, adapters: Adapters) -> Prices:
    if file is None:
        return NO_PRICES
    try:
        return parse(file.read_text("utf-8-sig"), adapters.keys())
    except (OSError, UnicodeDecodeError, PriceTableError) as wrong:
        raise SetupError(f"NEXTWAVE_PRICES_FILE: {file} cannot be used\n{wrong}") from wrong
