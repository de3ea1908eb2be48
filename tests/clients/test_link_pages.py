"""The page behind the unsubscribe link in the real Chromium, with the policy that it is served under."""

from __future__ import annotations

import json

from clients.minify import BROWSER
from clients.serving import Served
from nextwave_contracts.links import Link, sign
from nextwave_ingest.link_pages import TEXTS
from node_tools import installed, run_node
from unit.ingest.fakes import LINK_KEY


def test_who_presses_the_button_is_unsubscribed(served: Served) -> None:
    token = sign(Link(customer_id="c-1", channel="email", purpose="marketing", action_id="a-1"), LINK_KEY.encode())
    pressed = {"do": "click", "role": "button", "name": TEXTS["en"].this_kind}
    told = {"do": "click", "role": "heading", "name": TEXTS["en"].done}
    script = installed(BROWSER) / "visit.mjs"
    seen = json.loads(run_node(script, f"{served.url}/u/{token}", json.dumps([pressed, told]), timeout_seconds=120))
    assert seen["faults"] == []
    (hold,) = served.committer.holds
    assert (hold.kind, hold.channel, hold.purpose) == ("opt_out", "email", "marketing")
