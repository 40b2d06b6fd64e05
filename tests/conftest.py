"""Shared fixtures: real repositories, scratch homes, and a suite that cleans up after itself."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

from tests.support.databases import (  # noqa: F401  (fixtures)
    database,
    database_url,
    empty_database,
    memory_folder,
    migrated_file,
    migrated_postgres,
    migrated_url,
    own_postgres,
    postgres,
)
from tests.support.deadlines import WHOLE_TEST
from tests.support.disks import disk  # noqa: F401  (a fixture)
from tests.support.documents import documents_fit  # noqa: F401  (a fixture)
from tests.support.homes import move_to
from tests.support.left import processes_of
from tests.support.nursery import nursery  # noqa: F401  (a fixture)
from tests.support.repos import Repo, make_repo
from tests.support.stages import (  # noqa: F401  (fixtures)
    as_for_users,
    local_stage,
    shared_stage,
    shared_stage_on_both,
    stage,
    warm,
    warm_on_postgres,
)
from tests.support.zones import set_zone  # noqa: F401  (a fixture)

# One place for what depends on how fast this machine is; pytest-timeout reads the variable.
os.environ["PYTEST_TIMEOUT"] = str(WHOLE_TEST)
hypothesis.settings.register_profile(
    "any speed",
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,  # ours hold nothing of one example's
    ],
)
hypothesis.settings.load_profile("any speed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what is dear first: at the end, a short test keeps the other processes waiting less."""
    items.sort(key=_cheapness)  # stable: the tests of a file stay together


def _cheapness(item: pytest.Item) -> int:
    if item.get_closest_marker("clis"):
        return 0
    return 1 if any("stage" in name for name in getattr(item, "fixturenames", ())) else 2


def pytest_collection_finish() -> None:
    """Leave what was collected out of the garbage collector's rounds: it stays to the end."""
    gc.collect()
    gc.freeze()


_ROOT = pytest.StashKey[Path]()
_STATE = "state-of-nobody"


def pytest_configure(config: pytest.Config) -> None:
    """Give this run of the tests a folder for all it writes, and its name to all it starts.

    On a tmpfs where there is one: thousands of small files are made.
    """
    if hasattr(config, "workerinput"):  # of xdist: the environment comes from the controller
        return
    given = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    root = Path(tempfile.mkdtemp(prefix="abreast-tests-", dir=given or memory_folder())).resolve()
    root.chmod(0o711)  # PostgreSQL runs as another user when we are root
    config.stash[_ROOT] = root
    for name, folder in {
        "PYTEST_DEBUG_TEMPROOT": root,
        "TMPDIR": root / "tmp",
        "XDG_STATE_HOME": root / _STATE,  # no test may touch the user's own runs
    }.items():
        folder.mkdir(exist_ok=True)
        os.environ[name] = str(folder)
    tempfile.tempdir = None  # it remembers the folder that was
    if not given:
        config.add_cleanup(lambda: shutil.rmtree(root, ignore_errors=True))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> object:
    """Fail the whole run when anything of it is still alive, or it wrote where it should not."""
    result = yield  # the workers of xdist have ended after this
    root = session.config.stash.get(_ROOT, None)
    if root is None:
        return result
    found = [f"still alive: {one}" for one in processes_of(str(root))]
    found += [f"a test wrote to the user's state: {one}" for one in (root / _STATE).iterdir()]
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.section("left behind", red=True)
            for line in found:
                reporter.line(line, red=True)
    return result


@pytest.fixture
def scratch_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A HOME, state folder and git identity that belong to this test alone."""
    return move_to(tmp_path / "home", monkeypatch)


@pytest.fixture
def repo(tmp_path: Path, scratch_home: Path) -> Repo:
    """A real git repository with one commit on `main`."""
    return make_repo(tmp_path / "repo")
