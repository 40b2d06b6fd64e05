"""Which repository, which commit, which names; and whether something has changed."""

import os
import shutil
from pathlib import Path

import pytest

from abreast.errors import AbreastError, GitError, NotFoundError, StateError
from abreast.git.call import git, require_git
from abreast.git.guard import guard_repository
from abreast.git.making import ensure_worktree
from abreast.git.repository import (
    branch_name_ok,
    find_repository,
    is_ancestor,
    resolve,
)
from abreast.git.status import Dirty, checkout_marks, current_branch, dirty_summary
from abreast.git.worktree import WorktreeSpec
from tests.git.conftest import Bench
from tests.support.repos import Repo


def test_a_repository_is_found_from_below_and_from_a_worktree(bench: Bench):
    assert find_repository(bench.repo.path / "src") == bench.found
    assert bench.found.toplevel == bench.repo.path
    tree = bench.worktree("one")
    linked = find_repository(tree.path / "src")
    assert (linked.toplevel, linked.common_dir) == (tree.path, bench.found.common_dir)
    assert linked.git_dir == bench.found.common_dir / "worktrees/one"
    assert linked.lock(Path("/x")) == bench.found.lock(Path("/x"))


def test_a_bare_repository_has_no_toplevel(bench: Bench, tmp_path: Path):
    bench.repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    bare = find_repository(tmp_path / "bare.git")
    assert bare.toplevel is None
    assert resolve(bare, "main") == bench.head


@pytest.mark.parametrize("bare", ["true", "false"])
def test_a_pointer_to_a_bare_repository_is_enough_where_git_asks_for_one(
    bench: Bench, tmp_path: Path, scratch_home: Path, bare: str
):
    hub, place = tmp_path / "bare.git", tmp_path / "place"
    bench.repo.git("clone", "-q", "--bare", ".", str(hub))
    bench.repo.git("--git-dir", str(hub), "config", "core.bare", bare)
    bench.repo.git("config", "--global", "safe.bareRepository", "explicit")
    place.mkdir()
    (place / ".git").write_text("gitdir: ../bare.git\n")
    found = find_repository(place)
    assert (found.common_dir, found.toplevel) == (hub, None if bare == "true" else place)
    assert resolve(found, "HEAD") == bench.head
    again = find_repository(found.place, recorded=True)
    assert again == found
    guarded = guard_repository(again, tmp_path / "guard-of-bare")
    spec = WorktreeSpec(tmp_path / "w", "abreast/x", bench.head, "abreast x")
    assert ensure_worktree(guarded, spec, lock=bench.lock).head == bench.head
    with pytest.raises(GitError, match=r"safe\.bareRepository"):
        find_repository(hub)


def test_a_git_folder_that_was_recorded_has_no_toplevel(bench: Bench):
    inside = find_repository(bench.repo.path / ".git")
    assert (inside.toplevel, inside.place) == (None, bench.found.common_dir)
    assert find_repository(inside.place, recorded=True) == inside


@pytest.mark.parametrize("there", [True, False])
def test_no_repository_is_said_with_a_hint(tmp_path: Path, scratch_home: Path, *, there: bool):
    path = tmp_path / "plain"
    if there:
        path.mkdir()
    with pytest.raises(NotFoundError) as caught:
        find_repository(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_names_of_commits(bench: Bench):
    bench.repo.git("tag", "-am", "x", "v1")
    for name in ("HEAD", "main", "v1", bench.head[:8], "main^{commit}"):
        assert resolve(bench.found, name) == bench.head
    for name in ("nope", "-n", "--all", "a..b", "main@{99}", "", "HEAD:README.md", "x\ny"):
        with pytest.raises(NotFoundError) as caught:
            resolve(bench.found, name)
        assert caught.value.hint


def test_an_unborn_head_is_no_unknown_name(tmp_path: Path, scratch_home: Path):
    (tmp_path / "new").mkdir()
    Repo(tmp_path / "new").git("init", "-q", "-b", "main")
    found = find_repository(tmp_path / "new")
    assert current_branch(tmp_path / "new") == "main"
    for name in ("HEAD", "main"):
        with pytest.raises(StateError, match="has no commit, and"):
            resolve(found, name)
    with pytest.raises(NotFoundError):
        resolve(found, "other")


def test_branch_and_ancestry(bench: Bench):
    new = bench.branch("other", {"a": "b"})
    assert current_branch(bench.repo.path) == "main"
    bench.repo.git("checkout", "-q", "--detach")
    assert current_branch(bench.repo.path) is None
    assert is_ancestor(bench.found, bench.head, new)
    assert is_ancestor(bench.found, new, new)
    assert not is_ancestor(bench.found, new, bench.head)


@pytest.mark.parametrize("name", ["a", "abreast/run/task", "fix-1", "ü", "a.b", "@x"])
def test_good_branch_names(name: str):
    assert branch_name_ok(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "-a", "a b", "a..b", "a.lock", "a/", "/a", "a//b", "a~1", "a^", "a:b", "HEAD"),
        *("a\0b", "a\nb", ".a", "a/.b", "@{-1}", "a@{0}", "a\\b", "a?", "a*", "a["),
    ],
)
def test_bad_branch_names(name: str):
    assert not branch_name_ok(name)


def test_dirty_is_told_whatever_the_user_has_configured(bench: Bench):
    assert dirty_summary(bench.repo.path) == Dirty()
    assert str(Dirty()) == "clean"
    bench.repo.git("config", "status.showUntrackedFiles", "no")
    bench.repo.git("config", "color.ui", "always")
    bench.repo.write({"README.md": "x", "a\nb": "new", "dir/one": "1", "dir/two": "2"})
    bench.repo.git("rm", "-q", "--cached", "src/app.py")
    dirty = dirty_summary(bench.repo.path)
    assert sorted(dirty.tracked) == ["README.md", "src/app.py"]
    assert sorted(dirty.untracked) == ["a\nb", "dir/", "src/"]
    assert str(dirty) == "2 changed, 3 untracked"


def test_a_changed_checkout_has_other_marks(bench: Bench):
    def marks() -> frozenset[tuple[str, str]]:
        return frozenset(checkout_marks(bench.repo.path).items())

    seen = {marks()}
    for path, text in (("README.md", "one"), ("README.md", "another"), ("dir/new", "n")):
        bench.repo.write({path: text})
        seen.add(marks())
    bench.repo.git("add", "dir")
    assert marks() in seen  # the work is the same
    bench.repo.git("checkout", "-qb", "b")
    seen.add(marks())
    assert len(seen) == 5


def test_errors_carry_gits_words_and_a_hint(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(GitError) as caught:
        git(bench.repo.path, "rev-parse", "--verify", "nope")
    assert caught.value.code == 128
    assert "Needed a single revision" in caught.value.stderr
    (bench.repo.path / ".git/index.lock").write_text("")
    with pytest.raises(GitError) as caught:
        git(bench.repo.path, "reset", "--hard")
    assert "lock file" in (caught.value.hint or "")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AbreastError) as missing:
        git(bench.repo.path, "status")
    assert missing.value.hint == "install git 2.38 or newer"


RACES = [
    "fatal: failed to read .git/worktrees/x/commondir: Success",
    "error: could not lock config file .git/config: File exists",
    "fatal: Unable to create '/r/.git/index.lock': File exists.",
    "error: /r did not send all necessary objects",
    "fatal: cannot lock ref 'refs/heads/x': Unable to create '/r/x.lock': File exists.",
]
ANSWERS = [
    "fatal: cannot lock ref 'refs/heads/x': is at 1 but expected 2",
    "fatal: cannot lock ref 'refs/heads/x': reference already exists",
    "fatal: bad object",
]


def put_git_that_fails(tmp_path: Path, words: str, times: int) -> Path:
    """Return a folder with a `git` that fails with `words` so many times, then is the real one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = f"""#!/bin/sh
echo >> {folder}/calls
[ $(wc -l < {folder}/calls) -gt {times} ] && exec {shutil.which("git")} "$@"
cat {folder}/words >&2
exit 128
"""
    (folder / "words").write_text(words)
    (folder / "git").write_text(script)
    (folder / "git").chmod(0o755)
    return folder


@pytest.mark.parametrize("words", RACES)
def test_a_race_with_another_git_is_tried_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
):
    folder = put_git_that_fails(tmp_path, words, 3)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    assert git(bench.repo.path, "rev-parse", "main").strip() == bench.head


@pytest.mark.parametrize("words", ANSWERS)
def test_an_answer_is_no_race(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
):
    folder = put_git_that_fails(tmp_path, words, 1)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    with pytest.raises(GitError, match=words):
        git(bench.repo.path, "rev-parse", "main")


def test_git_is_new_enough_here():
    assert require_git() >= (2, 38)
