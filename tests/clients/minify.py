"""`make script`: the shop's script as it is served, from its source."""

from __future__ import annotations

from pathlib import Path

from node_tools import ROOT, installed, run_node

BROWSER = Path(__file__).parent / "browser"
SOURCE = ROOT / "services/channels/nextwave_channels/onsite/onsite.js"
MINIFIED = SOURCE.with_name("onsite.min.js")


def minified() -> str:
    """What terser makes of the source."""
    return run_node(installed(BROWSER) / "minify.mjs", str(SOURCE))


if __name__ == "__main__":
    MINIFIED.write_text(minified())
