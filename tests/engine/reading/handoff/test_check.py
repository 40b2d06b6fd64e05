"""Whether a handoff is stale, asked of real repositories."""

import os
import time

import pytest

from abreast import api
from abreast.engine.reading.handoff.git import NAME
from abreast.engine.reading.handoff.writing import by_hand, check, write
from abreast.errors import GitError, NotFoundError, StateError
from abreast.handoff.page import read_header
from abreast.model.transcript import Transcript
from abreast.places import Places
from tests.support.handoffs import agent, user


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "state", f"sqlite:///{tmp_path}/none.db")


def made(repo, **more):
    """A session in this repository, as long as it lasted."""
    given = {"events": (user("Do it."), agent("Done.")), "cwd": str(repo.path), **more}
    return Transcript("claude", "/t.jsonl", "5e55", begun=time.time() - 1, **given)


@pytest.fixture
def file(repo):
    repo.write({"src/app.py": "def greet():\n    return 'hi'\n"})
    return write(by_hand(made(repo), {}), repo.path)


def judged(repo, places, file=None):
    return check(file, repo.path, places)


def test_a_fresh_one(repo, file, places):
    assert file == repo.path / NAME
    found = judged(repo, places)
    assert not found.stale
    assert (found.behind, found.files) == (0, ())
    assert found.head == repo.git("rev-parse", "HEAD")
    assert read_header(file.read_text()).branch == "main"


def test_commits_that_came_since(repo, file, places):
    repo.commit("one", {"one.py": "1\n"})
    repo.commit("two", {"two.py": "2\n"})
    found = judged(repo, places)
    assert found.behind == 2
    head, old = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD~2")
    assert (
        found.reasons[0]
        == f"2 commits behind HEAD: HEAD is {head[:12]}, it was written at {old[:12]}"
    )
    assert {"one.py", "two.py", "src/app.py"} <= set(found.files)
    assert "files changed since: " in found.reasons[1]


def test_another_branch(repo, file, places):
    repo.git("switch", "-qc", "topic")
    found = judged(repo, places)
    assert found.reasons == ("written on `main`, this is `topic`",)
    assert found.behind == 0


def test_a_branch_that_went_another_way(repo, file, places):
    repo.git("add", "-A")
    repo.git("commit", "-qm", "mine")
    other = write(by_hand(made(repo), {}), repo.path / "other.md")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.commit("theirs", {"theirs.py": "1\n"})
    found = judged(repo, places, other)
    assert found.reasons[0].startswith("1 commit behind HEAD, and 1 of its own are not in HEAD: ")


def test_work_that_changed_and_was_not_committed(repo, file, places):
    path = repo.path / "src/app.py"
    path.write_text("def greet():\n    return 'hey'\n")
    os.utime(path, (time.time() + 5,) * 2)
    found = judged(repo, places)
    assert found.reasons == (
        "the uncommitted changes have changed since",
        "files changed since: src/app.py",
    )


def test_when_a_file_was_written_makes_nothing_stale(repo, file, places):
    repo.write({"new.py": "1\n"})
    file = write(by_hand(made(repo), {}), repo.path / "later.md")
    for name in ("src/app.py", "new.py"):
        os.utime(repo.path / name, (time.time() + 5,) * 2)
    assert not judged(repo, places, file).stale
    repo.git("add", "-A", "src", "new.py")
    assert not judged(repo, places, file).stale
    repo.git("stash", "-q")
    assert judged(repo, places, file).stale
    repo.git("stash", "pop", "-q")
    assert not judged(repo, places, file).stale


def test_other_words_of_the_same_length_and_time_make_it_stale(repo, file, places):
    path = repo.path / "src/app.py"
    before = path.stat()
    path.write_text("def greet():\n    return 'ha'\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert judged(repo, places).reasons == ("the uncommitted changes have changed since",)


def test_work_that_was_taken_back(repo, file, places):
    repo.git("checkout", "-q", "--", "src/app.py")
    assert judged(repo, places).reasons == ("the uncommitted changes have changed since",)


def test_a_commit_that_is_gone(repo, file, places):
    text = file.read_text().replace(f"commit={repo.git('rev-parse', 'HEAD')[:12]}", "commit=beef00")
    file.write_text(text)
    found = judged(repo, places)
    assert found.reasons == ("its commit beef00 is not in this repository",)
    assert found.behind is None


def test_head_went_back(repo, file, places):
    repo.git("stash", "-q")
    repo.commit("one", {"one.py": "1\n"})
    later = write(by_hand(made(repo), {}), repo.path / "later.md")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert judged(repo, places, later).reasons[0].startswith("HEAD has gone back by 1 commit: HEAD")


def test_where_nothing_can_be_told_nothing_is(repo, file, places, tmp_path):
    (tmp_path / "plain").mkdir()
    moved = file.rename(tmp_path / "plain" / NAME)
    with pytest.raises(StateError, match="is not in a git repository"):
        check(None, moved.parent, places)
    repo.git("init", "-q", "-b", "main", str(moved.parent))
    [reason, *_] = check(None, moved.parent, places).reasons
    assert reason.endswith(", and this repository has no commits")


def test_another_handoff_makes_none_stale(repo, file, places):
    write(by_hand(made(repo), {}), repo.path / "notes" / "another.md")
    (repo.path / "redirected.md").touch()
    assert not judged(repo, places).stale


def test_a_file_of_somebody_else_is_left_alone(repo):
    path = repo.path / NAME
    path.write_text("# my notes\n")
    found = by_hand(made(repo), {})
    with pytest.raises(StateError) as refused:
        write(found, path)
    assert "--force" in refused.value.hint
    assert path.read_text() == "# my notes\n"
    assert write(found, path, force=True).read_text() == found.text
    assert write(found, path).read_text() == found.text  # ours by now
    with pytest.raises(StateError, match="CURRENT_WORK\\.md is not a folder"):
        write(found, path / "x.md")


def test_there_may_be_none(repo, places):
    with pytest.raises(NotFoundError):
        judged(repo, places)
    (repo.path / NAME).write_text("mine\n")
    with pytest.raises(StateError):
        judged(repo, places)


def test_the_base_is_where_head_was_when_the_session_began(repo):
    began = repo.git("rev-parse", "HEAD")
    transcript = made(repo)
    os.environ["GIT_COMMITTER_DATE"] = f"@{int(time.time()) + 5} +0000"
    try:
        commit = repo.commit("greet", {"src/app.py": "x = 1\n"})
    finally:
        del os.environ["GIT_COMMITTER_DATE"]
    repo.write({"new.py": "1\n"})
    found = by_hand(Transcript(**{**vars_of(transcript), "begun": time.time()}), {})
    assert f"began at `{began[:12]}`" in found.text
    assert f"- Commit `{commit[:12]}` greet" in found.text
    assert f"Changed since `{began[:12]}`: `src/app.py` +1 -2, `new.py`" in found.text
    assert "1 untracked" in found.right_now


def vars_of(transcript):
    return {name: getattr(transcript, name) for name in transcript.__dataclass_fields__}


def test_a_folder_without_git(tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    found = by_hand(Transcript("claude", "/t", "5e55", (user("Do."),), cwd=str(folder)), {})
    assert found.header.commit == ""
    assert f"Folder: `{folder}`, in no git repository" in found.context


def test_another_checkout_is_never_taken_for_that_of_the_session(repo):
    gone = Transcript("claude", "/t", "5e55", (user("Do."),), cwd="/nowhere/at/all")
    found = by_hand(gone, {}, folder=repo.path)
    assert found.header.commit == ""
    assert "Folder: `/nowhere/at/all`, which is gone" in found.context


def test_a_repository_without_a_commit(tmp_path, scratch_home):
    import subprocess

    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path / "new"], check=True)
    found = by_hand(
        Transcript("claude", "/t", "5e55", (user("Do."),), cwd=str(tmp_path / "new")), {}
    )
    assert (found.header.commit, found.header.branch) == ("", "main")


def test_the_library_has_the_same_calls(repo, file, places):
    assert not api.check_handoff(folder=repo.path, places=places).stale
    assert not api.check_handoff(file, places=places).stale


def test_a_repository_that_git_does_not_read(repo, file, places):
    (repo.path / ".git" / "config").write_text("[core\n")
    with pytest.raises(GitError, match="bad config"):
        judged(repo, places)
    assert "which git does not read: " in by_hand(made(repo), {}).text
