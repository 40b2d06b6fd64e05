"""What tells two states of a file apart: what it holds, whatever it is."""

import os
from pathlib import Path

import pytest

from abreast.git import guarded
from abreast.git.guarded import content_mark
from tests.support.repos import Repo


def test_what_a_file_holds_decides_and_not_when(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("one")
    first, then = content_mark(file), file.stat()
    os.utime(file, (1, 1))
    assert content_mark(file) == first
    file.write_text("two")
    os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert content_mark(file) != first
    file.write_text("one")
    assert content_mark(file) == first
    file.chmod(0o755)
    assert content_mark(file) != first
    file.unlink()
    assert content_mark(file) == content_mark(file / "below") == "gone"


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path):
    link, pipe, folder = tmp_path / "link", tmp_path / "pipe", tmp_path / "folder"
    link.symlink_to("/dev/zero")
    first = content_mark(link)
    link.unlink()
    link.symlink_to("elsewhere")
    assert content_mark(link) != first
    os.mkfifo(pipe)
    folder.mkdir()
    os.mkfifo(folder / ".git")
    assert len({content_mark(pipe), content_mark(folder), content_mark(link)}) == 3


def test_of_a_large_file_size_and_time_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guarded, "LARGEST", 10)
    file = tmp_path / "file"
    file.write_text("01234567890")
    first = content_mark(file)
    assert content_mark(file) == first
    os.utime(file, (1, 1))
    assert content_mark(file) != first


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("linked", [False, True])
def test_a_repository_inside_is_known_by_its_commit(repo: Repo, *, linked: bool, packed: bool):
    inside = repo.path / "inside"
    if linked:
        repo.git("worktree", "add", "-q", "-b", "other", str(inside))
    else:
        repo.git("init", "-q", "-b", "main", str(inside))
    own, seen = Repo(inside), []
    for number in range(2):
        own.commit(f"commit {number}", {"a": str(number)})
        if packed:
            own.git("pack-refs", "--all")
        seen.append(content_mark(inside))
        (inside / "untracked").write_text(str(number))
        assert content_mark(inside) == seen[-1]
    own.git("checkout", "-q", "--detach")
    seen.append(content_mark(inside))
    assert seen[0] != seen[1]
    assert seen[2] == f"folder {own.git('rev-parse', 'HEAD')}"
