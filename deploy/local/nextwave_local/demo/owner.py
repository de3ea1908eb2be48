"""The campaign owner of the demo: puts policy, segments, templates and campaigns through the public API, publishes them, ends them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import httpx

DOCUMENTS = files("nextwave_local.demo") / "campaigns"
"""`policy.yaml`, one file per campaign, and the folders `segments` and `templates`; a file's name is its key."""
TIMEOUT_SECONDS = 10.0


class OwnerError(RuntimeError):
    """The API refused something; the message has its answer."""


class Owner:
    """Speaks to the orchestrator with an API token."""

    def __init__(self, orchestrator: str, api_token: str) -> None:
        headers = {"authorization": f"Bearer {api_token}"}
        self._client = httpx.Client(base_url=orchestrator, headers=headers, timeout=TIMEOUT_SECONDS)

    def publish_all(self) -> tuple[str, ...]:
        """Everything in the order in which it depends on each other; the keys of the campaigns. Raises `OwnerError`."""
        self._put("/v1/policy", DOCUMENTS / "policy.yaml")
        for kind in ("segments", "templates"):
            for key, document in _by_key(DOCUMENTS / kind).items():
                self._put(f"/v1/{kind}/{key}", document)
        campaigns = {key: document for key, document in _by_key(DOCUMENTS).items() if key != "policy"}
        for key, document in campaigns.items():
            self._put(f"/v1/campaigns/{key}", document)
            found = self._ask("POST", f"/v1/campaigns/{key}:lint")
            if not found["publishable"]:
                raise OwnerError(f"{key} would not work: {found['findings']}")
            self._ask("POST", f"/v1/campaigns/{key}:publish")
        return tuple(campaigns)

    def end(self, campaigns: tuple[str, ...]) -> None:
        """Ends the campaigns for good: what is queued is withdrawn, and nobody enters any more."""
        for key in campaigns:
            self._ask("POST", f"/v1/campaigns/{key}:end")

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _put(self, path: str, document: Traversable) -> None:
        self._ask("PUT", path, content=document.read_bytes(), headers={"content-type": "application/yaml"})

    def _ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = self._client.request(method, path, **body)
        if not answer.is_success:
            raise OwnerError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        found: dict[str, Any] = answer.json()
        return found


def _by_key(folder: Traversable) -> Mapping[str, Traversable]:
    found = (document for document in folder.iterdir() if document.name.endswith(".yaml"))
    return {document.name.removesuffix(".yaml"): document for document in sorted(found, key=lambda document: document.name)}
