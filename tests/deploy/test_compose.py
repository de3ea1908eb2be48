"""The compose file: of the published format, and consistent with the services' settings."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Any

import pytest
import yaml
from deploy.rendered import ROOT, SERVICES, variables

COMPOSE = ROOT / "deploy" / "compose.yaml"
EXTRA = {"NEXTWAVE_HOST", "NEXTWAVE_PORT"}


@cache
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_file_is_of_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    assert subprocess.run(command, check=False, timeout=60, capture_output=True, text=True).stdout.startswith("ok")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_every_setting_it_needs_and_none_it_does_not_know(service: str) -> None:
    known = variables(service)
    given = set(services()[service]["environment"])
    assert {name for name, needed in known.items() if needed} - given == set()
    assert given - set(known) - EXTRA == set()


@pytest.mark.parametrize("service", ["scoring", "orchestrator", "channels"])
def test_a_service_waits_for_its_migrations_with_the_same_settings(service: str) -> None:
    assert services()[service]["depends_on"][f"migrate-{service}"] == {"condition": "service_completed_successfully"}
    assert services()[service]["environment"] == services()[f"migrate-{service}"]["environment"]


def test_every_name_that_something_waits_for_exists() -> None:
    waited_for = {name for part in services().values() for name in part.get("depends_on", {})}
    assert waited_for <= set(services())


def test_pages_are_told_the_ingest_that_browsers_reach_and_web_push_goes_to_the_simulator_where_there_is_a_key() -> None:
    told = services()["channels"]["environment"]
    assert told["NEXTWAVE_ONSITE_INGEST_URL"] == "http://" + services()["ingest"]["ports"][0].rpartition(":")[0]
    assert (told["NEXTWAVE_WEBPUSH_KEY"], told["NEXTWAVE_WEBPUSH_LOOPBACK"]) == ("${NEXTWAVE_WEBPUSH_KEY:-}", "true")


def test_nothing_is_published_beyond_this_machine_and_ours_runs_unprivileged() -> None:
    ports = [port for part in services().values() for port in part.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    ours = [services()[name] for name in (*SERVICES, "simulator", "topics")]
    assert all(part["read_only"] and part["user"] == "65532:65532" and part["cap_drop"] == ["ALL"] for part in ours)
