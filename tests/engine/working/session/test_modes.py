"""Who may read what: abreast's state nobody else, a worktree's files whoever the user lets."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast.model.moves import Shell
from tests.support.stage import Stage, scripted, task


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def ordinary_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("ordinary_umask")
def test_a_worktree_has_the_modes_that_a_checkout_has(local_stage: Stage) -> None:
    """A container's user has to read it, and tests look at modes. The folders above keep others
    out."""
    run = local_stage.run(task("one", scripted(Shell("mkdir made && : > made/file"))))
    session, places = run.sessions[0], local_stage.places
    assert session.state == "done", session.reason
    worktree, checkout = Path(session.worktree), local_stage.repo.path
    made = [mode(worktree / name) for name in ("README.md", "made", "made/file")]
    assert made == [mode(checkout / "README.md"), 0o755, 0o644] == [0o644, 0o755, 0o644]
    for folder in (places.state, places.sessions, places.runs, places.worktrees, places.logs):
        assert mode(folder) == 0o700
