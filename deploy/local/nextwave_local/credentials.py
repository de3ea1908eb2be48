"""The secrets of one local stack, that its services and the simulator share."""

from __future__ import annotations

import msgspec


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What services and simulator share. `write_key` and `api_token` are also in the key file, as hashes."""

    identifier_key: str
    link_key: str
    twilio_account: str
    twilio_token: str
    mail_callback_secret: str
    write_key: str
    api_token: str
    webpush_key: str = ""
    """VAPID private key; a stack that was made before there was web push has none, and sends none."""
    endpoint_secret: str = ""
    """Signs what goes to the house's endpoints; a stack that was made before there were any has none, and none of them."""
