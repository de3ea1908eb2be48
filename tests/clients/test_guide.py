"""The set-ups that the guide shows, run as they stand there."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from clients.serving import Served
from node_tools import ROOT, installed, run_node
from unit.ingest.fakes import WRITE_KEY

CLIENTS = Path(__file__).parent
SECTION = (ROOT / "docs" / "doors.md").read_text().split("\n## Shops and apps", 1)[1].split("\n## ", 1)[0]
SNIPPETS = {
    language: [code for found, code in re.findall(r"```(\w+)\n(.*?)```", SECTION, re.DOTALL) if found == language]
    for language in ("js", "python")
}
IN_PAGES = {
    "@segment/analytics-next": ("{ AnalyticsBrowser }", "AnalyticsNext", "@segment/analytics-next/dist/umd/index.js", ["/v1/b"]),
    "@rudderstack/analytics-js/bundled": (
        "{ RudderAnalytics }",
        "window.rudderanalytics",
        "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
        ["/v1/identify", "/v1/track"],
    ),
    "posthog-js": ("posthog", "window.posthog", "posthog-js/dist/array.js", ["/e/"]),
}
"""By package, what is imported of it, where a page with its script has that, the script, and the routes of its events."""
NO_EVENTS = {"/flags/"}
OF_NODE = [code for code in SNIPPETS["js"] if not any(f"'{package}'" in code for package in IN_PAGES)]


def ordered(served: Served) -> list[tuple[str, Any]]:
    """Who ordered for how much, and whose address became known."""
    limit = time.monotonic() + 20
    while len(served.committer.touchpoints) < 2 and time.monotonic() < limit:
        time.sleep(0.05)
    told = [
        (t.type, t.data.get("amount") or t.data.get("email")) for t in served.committer.touchpoints if "customer_id:42" in t.identifiers
    ]
    return sorted((kind, what) for kind, what in told if what)


def filled(code: str, served: Served) -> str:
    return code.replace("https://ingest.example", served.url).replace("WRITE_KEY", WRITE_KEY)


SEEN = [("customer.identified", "ann@example.com"), ("order.placed", 1250)]


@pytest.mark.parametrize("code", SNIPPETS["python"], ids=["segment", "posthog"])
def test_the_set_up_for_python_works(served: Served, code: str) -> None:
    exec(filled(code, served), {})
    assert ordered(served) == SEEN


@pytest.mark.parametrize("code", OF_NODE, ids=["segment", "rudder", "jitsu", "posthog"])
def test_the_set_up_for_node_works(served: Served, code: str, tmp_path: Path) -> None:
    script = installed(CLIENTS / "node") / f"{tmp_path.name}.mjs"
    script.write_text(filled(code, served))
    try:
        run_node(script)
    finally:
        script.unlink()
    assert ordered(served) == SEEN


@pytest.mark.parametrize("package", IN_PAGES)
def test_the_set_up_for_pages_works(served: Served, package: str) -> None:
    (code,) = (code for code in SNIPPETS["js"] if f"'{package}'" in code)
    imported, instead, script, routes = IN_PAGES[package]
    inline = filled(code, served).replace(f"import {imported} from '{package}'", f"const {imported} = {instead}")
    inline = inline.replace("defaults:", "opt_out_useragent_filter: true, defaults:")  # else a headless browser is a robot to it
    told = json.loads(run_node(installed(CLIENTS / "browser") / "page.mjs", inline, script, served.url))
    assert (told["faults"], sorted(set(told["posts"]) - NO_EVENTS)) == ([], routes)
    assert ordered(served) == SEEN
