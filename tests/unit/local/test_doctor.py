"""What is said about a machine on which a stack cannot run."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from nextwave_local import doctor
from nextwave_local.ports import free_ports


def test_a_port_in_use_is_named_with_who_holds_it(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        (wrong,) = [finding for finding in doctor.examine(tmp_path, {"kafka": port}) if f"port {port}" in finding.what]
    assert "needed by kafka, in use" in wrong.seen
    assert f"pid {os.getpid()}" in wrong.seen
    assert "--ports auto" in wrong.advice


def test_a_folder_that_does_not_exist_yet_is_judged_by_the_disk_it_will_be_on(tmp_path: Path) -> None:
    findings = doctor.examine(tmp_path / "not" / "yet", {})
    assert any(finding.what == "disk" and finding.fine for finding in findings)


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(20))) == 20


def test_no_port_is_chosen_that_an_outgoing_connection_could_take_meanwhile() -> None:
    assert max(free_ports(50)) < 32_768


def test_more_ports_than_there_are_is_an_error() -> None:
    with pytest.raises(OSError, match="not 1001 free ports"):
        free_ports(1001)
