"""Who may read what: abreast's state nobody else, a worktree's files whoever the user lets."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast import api
from abreast.api.delegations import start_delegation
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, RunState
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


@pytest.mark.usefixtures("as_for_users")
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_nobody_else_reads_what_is_kept(local_stage: Stage, umask: int) -> None:
    """In worktrees, in what git writes for them and in what an agent writes itself the user's own
    modes hold: the folders around them keep others out."""
    before = os.umask(umask)
    try:
        moves = (Write("one.txt", "one\n"), Shell("true"), Say("done"))
        one = task("one", scripted(*moves), setup="true", verify="true")
        run = local_stage.run(one, land=LandMode.MERGE)
        assert run.state is RunState.DONE, run.sessions[0].reason
        asked = start_delegation(
            "Which?",
            agent=scripted(Say('{"text": "that one"}')),
            repo=local_stage.repo.path,
            places=local_stage.places,
        )
        assert local_stage.wait(asked.id).state is RunState.DONE
        api.handoff(run.sessions[0].id, places=local_stage.places)
        state = local_stage.places.state
        wrong = [
            f"{mode(found):o} {found.relative_to(state)}"
            for found in (state, *_kept(state))
            if mode(found) & 0o077
        ]
    finally:
        os.umask(before)
    assert "\n".join(wrong) == ""


def _kept(folder: Path) -> Iterator[Path]:
    for found in folder.iterdir():
        yield found
        gits = found.name == "git" and folder.parent.name == "runs"
        others = gits or found.name in {"worktrees", "cli"}
        if not others and found.is_dir() and not found.is_symlink():
            yield from _kept(found)
