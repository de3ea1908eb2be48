"""Endpoints as the settings say: what cannot be meant ends the process before it serves anything, and names the setting."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from nextwave_channels.endpoints.message import Endpoint
from nextwave_channels.endpoints.setup import endpoints_of
from nextwave_channels.settings import EndpointSettings

OLD, NEW, THIRD = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2, 3))
LETTER: dict[str, Any] = {"letter_url": "https://print.example/in", "letter_secrets": OLD}


def test_only_what_has_a_url_is_set_up() -> None:
    assert endpoints_of(EndpointSettings()) == ()
    assert endpoints_of(EndpointSettings(**LETTER)) == (Endpoint(channel="letter", url="https://print.example/in", secrets=(OLD,)),)


def test_two_secrets_sign_while_one_replaces_the_other() -> None:
    (endpoint,) = endpoints_of(EndpointSettings(chat_url="https://chat.example", chat_secrets=f"{NEW} {OLD}"))
    assert endpoint.secrets == (NEW, OLD)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"letter_url": "http://print.example/in"}, "NEXTWAVE_LETTER_URL"),
        ({"letter_url": "http://127.0.0.1/in"}, "NEXTWAVE_LETTER_URL"),
        ({"letter_secrets": ""}, "NEXTWAVE_LETTER_SECRETS"),
        ({"letter_secrets": "secret"}, "NEXTWAVE_LETTER_SECRETS"),
        ({"letter_secrets": f"{OLD} {NEW} {THIRD}"}, "NEXTWAVE_LETTER_SECRETS"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_the_settings_name_and_never_shows_the_secret(changes: dict[str, Any], setting: str) -> None:
    with pytest.raises(SystemExit) as refused:
        endpoints_of(EndpointSettings(**{**LETTER, **changes}))
    assert str(refused.value).startswith(setting + ": ")
    assert OLD not in str(refused.value)


def test_this_machine_without_tls_only_by_its_own_setting() -> None:
    local: dict[str, Any] = {"letter_url": "http://127.0.0.1:9000/in", "letter_secrets": OLD}
    assert endpoints_of(EndpointSettings(**local, endpoints_loopback=True))
