"""Takes the Python clients through their cases, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from clients.cases import CASES, LARGE_BATCH_EVENT_BYTES, LARGE_EVENT_BYTES, UNICODE
from posthog import Posthog
from segment.analytics.client import Client
from unit.ingest.fakes import WRITE_KEY

Took = dict[str, list[str]]
"""By case, what a client gave up on."""
Attempt = Callable[[Callable[[], object]], None]


def through(client: str, url: str, cases: Iterable[str]) -> Took:
    """Each case in a thread of its own."""
    names = list(cases)
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(partial(_CLIENTS[client], url), names), strict=True))


def _tracks(work: str, user: str) -> list[dict[str, Any]]:
    """The properties of each track."""
    by_work: dict[str, list[dict[str, Any]]] = {
        "three": [{}, {}, {}],
        "unicode": [{"text": UNICODE}],
        "large-event": [{}, {"text": user + "x" * LARGE_EVENT_BYTES}, {}],
        "large-batch": [{"text": "y" * LARGE_BATCH_EVENT_BYTES}] * 20,
    }
    return by_work.get(work, [{}])


def _attempt(errors: list[str], call: Callable[[], object]) -> None:
    try:
        call()
    except Exception as error:  # noqa: BLE001  (whatever a client raises at its caller is what is asked here)
        errors.append(repr(error))


def _key(case: str) -> str:
    return "wk_nobody" if CASES[case].work == "unknown-key" else WRITE_KEY


def _segment(url: str, case: str) -> list[str]:
    user, errors, work = f"segment-analytics-python/{case}", list[str](), CASES[case].work
    client = Client(
        _key(case),
        host=f"{url}/{user}",
        gzip=case != "plain",
        timeout=4,
        upload_interval=0.2,
        on_error=lambda error, _items: errors.append(repr(error)),
    )
    attempt: Attempt = partial(_attempt, errors)
    if work == "methods":
        client.identify(user, {"plan": "gold"})
        client.track(user, "Called")
        client.page(user, None, "Shop")
        client.screen(user, None, "Home")
        client.group(user, "acme")
        client.alias("old", user)
    else:
        for n, more in enumerate(_tracks(work, user)):
            attempt(partial(client.track, user, "Called", {"n": n, **more}, anonymous_id=None))
    client.flush()
    client.join()
    return errors


def _posthog(url: str, case: str, mode: str = "v0") -> list[str]:
    name = "posthog-python" if mode == "v0" else "posthog-python-v1"
    user, errors, work = f"{name}/{case}", list[str](), CASES[case].work
    client = Posthog(
        _key(case),
        host=f"{url}/{user}",
        gzip=case != "plain",
        timeout=4,
        max_retries=8,
        flush_interval=0.2,
        capture_mode=mode,
        on_error=lambda error, _items: errors.append(repr(error)),
    )
    if work == "methods":
        client.set(distinct_id=user, properties={"plan": "gold"})
        client.capture("Called", distinct_id=user)
        client.capture("$pageview", distinct_id=user, properties={"$current_url": "https://shop.example/"})
        client.group_identify("company", "acme", distinct_id=user)
        client.alias("old", user)
        client.capture("$ai_generation", distinct_id=user)
        client.capture_exception(ValueError("a program's"), distinct_id=user)
        if client.get_feature_flag("a-flag", user):
            errors.append("there are no flags")
    else:
        for n, more in enumerate(_tracks(work, user)):
            client.capture("Called", distinct_id=user, properties={"n": n, **more})
    client.flush()
    client.shutdown()
    return errors


_CLIENTS: dict[str, Callable[[str, str], list[str]]] = {
    "segment-analytics-python": _segment,
    "posthog-python": _posthog,
    "posthog-python-v1": partial(_posthog, mode="v1"),
}
