"""What would conflict if it landed now: sessions, the target, and worktrees of others."""

import hashlib
import json
from itertools import combinations
from pathlib import Path

import pytest

from abreast import api
from abreast.errors import NotFoundError
from abreast.model.conflict_matrix import ConflictMatrix, PairConflict
from abreast.model.conflicts import FileConflict
from abreast.model.moves import Edit, Fail, Say, Shell, Write
from abreast.model.session import LandMode
from abreast.model.task import AgentChoice
from abreast.places import find_places
from tests.cli.test_edge import abreast
from tests.support.deadlines import eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, until, writes


@pytest.fixture
def asked(shared_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Commands ask the stage."""
    monkeypatch.setenv("ABREAST_STATE_DIR", str(shared_stage.places.state))
    monkeypatch.setenv("ABREAST_DB", shared_stage.places.database)
    return shared_stage


def test_sessions_and_the_target_with_the_lines_of_each(asked: Stage) -> None:
    stage = asked
    longer = "# new\nline\n# mine"
    run = stage.run(
        task("one", scripted(Edit("README.md", "# demo", longer), Say("done"))),
        # Not committed: what is in its worktree counts.
        task("red", scripted(Edit("README.md", "# demo", "# theirs"), Fail("no luck"))),
        task("app", scripted(Edit("src/app.py", "'hello'", "'bye'"), Say("done"))),
        task("new", writes("new.txt")),
    )
    at = stage.repo.commit("moved", {"src/app.py": "def greet():\n    return 'moved'\n"})
    one, red, app = (f"{run.id}/{name}" for name in ("one", "red", "app"))
    found = api.conflicts(run.id, places=stage.places)
    assert found == ConflictMatrix(
        "main",
        at,
        (one, red, app, f"{run.id}/new"),
        (
            PairConflict(app, "main", (FileConflict("src/app.py", ((2, 2),), ((2, 2),)),)),
            PairConflict(one, red, (FileConflict("README.md", ((1, 3),), ((1, 1),)),)),
        ),
    )
    done = abreast("conflicts", run.id)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"{app} conflicts with main",
        "  src/app.py: line 2 against line 2",
        f"{one} conflicts with {red}",
        "  README.md: lines 1-3 against line 1",
        f"2 conflicts between 4 sides and main ({at[:12]})",
    ]
    printed = json.loads(abreast("conflicts", run.id, "--json").stdout)
    assert printed["conflicts"][1] == {
        "one": one,
        "other": red,
        "files": [{"path": "README.md", "one": [[1, 3]], "other": [[1, 1]]}],
    }


def test_without_a_conflict_the_exit_code_is_0(asked: Stage) -> None:
    run = asked.run(task("one", writes("one.txt")), task("two", writes("two.txt")))
    done = abreast("conflicts", run.id)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no conflict between 2 sides and main (")


def test_worktrees_of_others_are_compared_and_left_as_they_are(
    repo: Repo, tmp_path: Path, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "trees"
    for name in ("a", "b", "c", "gone"):
        repo.git("worktree", "add", "-q", "-b", name, str(folder / name))
    a, b, c = (Repo(folder / name) for name in "abc")
    a.write({"README.md": "# a\n"})  # neither staged nor committed
    b.commit("committed", {"README.md": "# b\n"})
    c.write({"untracked": "c\n", "README.md": "# demo\nmore\n"})
    c.git("add", "untracked")
    (folder / "gone").rename(tmp_path / "elsewhere")
    before = _everything(folder), _everything(repo.path)
    monkeypatch.chdir(repo.path)
    found = api.conflicts(all_worktrees=True, places=find_places())
    assert (_everything(folder), _everything(repo.path)) == before
    assert found.sides == tuple(str(folder / name) for name in "abc")
    assert [(one.one[-1], one.other[-1]) for one in found.conflicts] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    assert found.conflicts[0].files == (FileConflict("README.md", ((1, 1),), ((1, 1),)),)
    assert found.left_out == ((str(folder / "gone"), "its folder is gone"),)


def test_a_runs_sessions_are_compared_with_worktrees_of_others(
    asked: Stage, tmp_path: Path
) -> None:
    stage = asked
    run = stage.run(task("one", scripted(Write("README.md", "# one\n"), Say("done"))))
    mine = Repo(tmp_path / "mine")
    stage.repo.git("worktree", "add", "-q", "--detach", str(mine.path))
    mine.write({"README.md": "# mine\n"})
    found = api.conflicts(run.id, all_worktrees=True, places=stage.places)
    assert [(one.one, one.other) for one in found.conflicts] == [(f"{run.id}/one", str(mine.path))]


def test_all_that_is_at_work_in_a_repository_is_compared_without_a_name(
    asked: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions of any run, but for what has landed or failed, and worktrees of others."""
    stage, gate = asked, tmp_path / "gate"
    edits = Write("README.md", "# one\n")
    done = stage.run(
        task("done", scripted(edits, Say("done"))),
        task("failed", scripted(Write("README.md", "# no\n"), Fail("no luck"))),
    )
    stage.run(task("landed", writes("landed.txt")), land=LandMode.MERGE)
    wrote = tmp_path / "wrote"
    works = scripted(Write("README.md", "# at work\n"), Shell(f"touch {wrote}"), until(gate))
    live = stage.start(task("live", works))
    eventually(wrote.exists, "it has written")
    mine = Repo(tmp_path / "mine")
    stage.repo.git("worktree", "add", "-q", "--detach", str(mine.path), "main")
    mine.write({"README.md": "# mine\n"})
    monkeypatch.chdir(stage.repo.path)
    found = api.conflicts(all_worktrees=True, places=stage.places)
    gate.touch()
    stage.wait(live.id)
    sides = f"{done.id}/done", f"{live.id}/live", str(mine.path)
    assert found.sides == sides
    pairs = {frozenset((one.one, one.other)) for one in found.conflicts}
    assert pairs == set(map(frozenset, combinations(sides, 2)))


def test_of_a_session_its_own_conflicts_are_told(asked: Stage) -> None:
    def edit(text: str) -> AgentChoice:
        return scripted(Write("README.md", text), Say("done"))

    tasks = [task(name, edit(f"# {name}\n")) for name in ("one", "two", "three")]
    run = asked.run(*tasks, task("new", writes("new.txt")))
    one, new = f"{run.id}/one", f"{run.id}/new"
    told = abreast("conflicts", one)
    assert (told.returncode, told.stderr) == (1, "")
    lines = told.stdout.splitlines()
    assert lines[:3:2] == [f"{one} conflicts with {run.id}/{n}" for n in ("two", "three")]
    assert lines[4].startswith(f"2 conflicts of {one} with 3 other sides and main (")
    told = abreast("conflicts", new)
    assert told.returncode == 0
    assert told.stdout.startswith(f"no conflict of {new} with 3 other sides and main (")
    api.land(new, places=asked.places)
    assert abreast("conflicts", new).stderr == (
        f"{new} is not compared: it has landed, or has no work yet\n"
    )
    assert "there is no session" in abreast("conflicts", f"{run.id}/else").stderr


def test_a_branch_without_a_commit_is_nothing_to_compare_with(
    tmp_path: Path, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "unborn"
    Repo(tmp_path).git("init", "-q", "-b", "main", str(place))
    monkeypatch.chdir(place)
    with pytest.raises(NotFoundError, match="main has no commit yet"):
        api.conflicts(all_worktrees=True, places=find_places())


def _everything(folder: Path) -> dict[str, str]:
    """Every file below a folder, by digest."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
