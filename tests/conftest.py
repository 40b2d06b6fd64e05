"""Shared fixtures: real repositories, scratch homes, and a suite that cleans up after itself."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import (  # noqa: F401  (fixtures)
    database,
    database_url,
    empty_database,
    postgres,
)
from tests.support.repos import Repo, make_repo


def pytest_configure(config: pytest.Config) -> None:
    """Put temporary files on a tmpfs where there is one: thousands of small files are made."""
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        shm = Path("/dev/shm")
        if shm.is_dir() and os.access(shm, os.W_OK):
            os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(prefix="abreast-tests-", dir=shm)
            config.add_cleanup(lambda: _remove(os.environ["PYTEST_DEBUG_TEMPROOT"]))


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def scratch_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A HOME, state folder and git identity that belong to this test alone."""
    home = tmp_path / "home"
    home.mkdir()
    for name in list(os.environ):
        if name.startswith(("GIT_", "XDG_", "ABREAST_", "ANTHROPIC_", "CLAUDE", "CODEX", "OPENAI_", "GEMINI_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    yield home


@pytest.fixture
def repo(tmp_path: Path, scratch_home: Path) -> Repo:
    """A real git repository with one commit on `main`."""
    return make_repo(tmp_path / "repo")
