"""The state folder: what a shell reads from it, and who else may."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from nextwave_local.folder import Folder

ENDPOINTS = {
    "ingest": "http://127.0.0.1:7401",
    "kafka": "127.0.0.1:7407",
    "channels": "",
    "write_key": "it's $HOME `id`",
    "pids": {"kafka": 1},
}


def test_any_posix_shell_gets_the_endpoints_as_variables(tmp_path: Path) -> None:
    Folder(tmp_path).write_endpoints(ENDPOINTS)
    script = f'. {tmp_path}/env.sh; printf "%s|" "$INGEST" "$KAFKA" "$CHANNELS"; sh -c \'printf %s "$WRITE_KEY"\''
    read = subprocess.run(["/bin/sh", "-euc", script], capture_output=True, text=True, check=True)
    assert read.stdout == "http://127.0.0.1:7401|127.0.0.1:7407||it's $HOME `id`"


def test_the_variables_hold_keys_and_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.variables.touch(mode=0o644)
    folder.write_endpoints(ENDPOINTS)
    assert stat.S_IMODE(folder.variables.stat().st_mode) == 0o600


def test_the_variables_go_with_the_endpoints(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_endpoints(ENDPOINTS)
    folder.forget_endpoints()
    folder.forget_endpoints()
    assert list(tmp_path.iterdir()) == []
