"""Makes the secrets of a local stack, once per state folder, readable by its owner only."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import msgspec
from nextwave_runtime.auth import ROLES

from nextwave_local import keys
from nextwave_local.credentials import Credentials


def load_or_make(path: Path, keys_file: Path) -> Credentials:
    """The secrets in `path`; the first time new ones, with a write key (source `local`) and a token with every role in `keys_file`."""
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Credentials)
    made = Credentials(
        identifier_key=secrets.token_urlsafe(32),
        link_key=secrets.token_urlsafe(32),
        twilio_account=f"AC{secrets.token_hex(16)}",
        twilio_token=secrets.token_hex(16),
        mail_callback_secret=_signing_secret(),
        write_key=_key(keys_file, keys.Name("write", "local"), ()),
        api_token=_key(keys_file, keys.Name("api", "local"), ROLES),
        webpush_key=secrets.token_urlsafe(32),
        endpoint_secret=_signing_secret(),
    )
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(made))
    return made


def _signing_secret() -> str:
    """As Standard Webhooks write it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _key(keys_file: Path, name: keys.Name, roles: tuple[str, ...]) -> str:
    if any((key.kind, key.name) == (name.kind, name.name) for key in (keys.listing(keys_file) if keys_file.exists() else ())):
        keys.revoke(keys_file, name)
    return keys.create(keys_file, name, roles)
