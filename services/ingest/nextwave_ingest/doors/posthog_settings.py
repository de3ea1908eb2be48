"""What PostHog's libraries ask for beside their events: settings and feature flags, of which there are none here.

Without an answer a page has errors in its console, and a server's library asks again and again.
"""

from __future__ import annotations

from typing import Any

import msgspec
from nextwave_runtime.problem import Problem

from nextwave_ingest.admission import EVENT_BYTES_MAX
from nextwave_ingest.doors.browsers import CREDENTIALED, preflight
from nextwave_ingest.doors.exchange import Answer, Request, allow

FLAGS = ("/flags", "/decide")
SETTINGS = "/array/"
_CACHED = (b"cache-control", b"public, max-age=300")
_JSON = (b"content-type", b"application/json")
_SCRIPT = (b"content-type", b"text/javascript; charset=utf-8")
_NOTHING_MORE: dict[str, Any] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "sessionRecording": False,
    "autocapture_opt_out": True,
    "hasFeatureFlags": False,
    "autocaptureExceptions": False,
    "capturePerformance": False,
    "captureDeadClicks": False,
    "heatmaps": False,
    "conversations": False,
    "productTours": False,
    "siteApps": [],
}
"""Settings by which a page loads no further script and sends nothing but its events. Of surveys nothing is said: their script is loaded
where they are said to be off, too."""
_NO_FLAGS: dict[str, Any] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "sessionRecording": False,
    "autocapture_opt_out": True,
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
    "quotaLimited": [],
}


class FlagsDoor:
    """No feature flags are kept here: whoever asks gets none."""

    name = "posthog-flags"
    headers = CREDENTIALED

    async def __call__(self, request: Request) -> Answer:
        """The same answer to everybody."""
        if request.method == "OPTIONS":
            return preflight(request)
        allow(request, "POST", "GET", "OPTIONS")
        await request.body(EVENT_BYTES_MAX)
        return Answer(200, msgspec.json.encode(_NO_FLAGS), (_JSON,))


class PostHogSettingsDoor:
    """`GET /array/{key}/config.js` and `/array/{key}/config`: what a page asks for before anything else."""

    name = "posthog-settings"
    headers = CREDENTIALED

    async def __call__(self, request: Request) -> Answer:
        """The same answer to everybody; raises a 404 `Problem` for anything else below `/array/`."""
        if request.method == "OPTIONS":
            return preflight(request)
        allow(request, "GET", "OPTIONS")
        key, _, asked = request.path.removeprefix(SETTINGS).rstrip("/").partition("/")
        if key and asked == "config":
            return Answer(200, msgspec.json.encode(_NOTHING_MORE), (_JSON, _CACHED))
        if key and asked == "config.js":
            return Answer(200, _script(key), (_SCRIPT, _CACHED))
        raise Problem(404, "not-found", "PostHog's scripts are not served here: take them from its package posthog-js")


def _script(key: str) -> bytes:
    settings = msgspec.json.encode({key: {"config": _NOTHING_MORE, "siteApps": []}})
    return b"Object.assign((window._POSTHOG_REMOTE_CONFIG ??= {}), " + settings + b");"
