"""`.worktreeinclude`: ignored files that a new worktree gets copies of."""

from pathlib import Path

from abreast.git.aside import Included, copy_included
from tests.git.conftest import Bench

IGNORE = ".env*\nlocal/\n*.key\nlink*\ndata/\n"


def test_matching_and_ignored_files_are_copied(bench: Bench):
    bench.repo.commit(
        "ignore", {".gitignore": IGNORE, ".worktreeinclude": ".env*\n!.env.prod\nlocal/\nplain\n"}
    )
    tree = bench.worktree("one")
    bench.repo.write(
        {
            ".env": "A=1",
            ".env.prod": "excluded by the negation",
            "local/deep/x.json": "{}",
            "local/new\nline": "odd",
            "other.key": "ignored, but not named",
            "plain": "named, but not ignored",
        }
    )
    (bench.repo.path / ".env").chmod(0o600)
    done = copy_included(bench.found, tree.path)
    assert sorted(done.copied) == [".env", "local/deep/x.json", "local/new\nline"]
    assert done.skipped == ()
    assert (tree.path / ".env").read_text() == "A=1"
    assert (tree.path / ".env").stat().st_mode & 0o777 == 0o600
    assert not (tree.path / ".env.prod").exists()
    assert not (tree.path / "plain").exists()
    assert tree.git("status", "--porcelain") == ""


def test_nothing_there_is_replaced_so_it_can_be_repeated(bench: Bench):
    bench.repo.commit("ignore", {".gitignore": IGNORE, ".worktreeinclude": ".env\n"})
    tree = bench.worktree("one")
    bench.repo.write({".env": "A=1"})
    copy_included(bench.found, tree.path)
    tree.write({".env": "the agent's own"})
    done = copy_included(bench.found, tree.path)
    assert done == Included((), ((".env", "already there"),))
    assert (tree.path / ".env").read_text() == "the agent's own"


def test_a_file_that_is_tracked_in_the_worktree_stays(bench: Bench):
    bench.repo.commit("ignore", {".gitignore": IGNORE, ".worktreeinclude": ".env\n"})
    bench.repo.write({".env": "tracked"})
    bench.repo.git("add", "-f", ".env")
    bench.repo.git("commit", "-qm", "tracked")
    tree = bench.worktree("one")
    bench.repo.git("rm", "-q", "--cached", ".env")
    bench.repo.write({".env": "mine"})
    assert copy_included(bench.found, tree.path).copied == ()
    assert (tree.path / ".env").read_text() == "tracked"


def test_links_are_never_followed(bench: Bench, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_text("secret")
    bench.repo.commit("ignore", {".gitignore": IGNORE, ".worktreeinclude": "link*\ndata/\n"})
    (bench.repo.path / "data").symlink_to(outside)
    bench.repo.git("add", "-f", "data")
    bench.repo.git("commit", "-qm", "data is a link to somewhere else")
    tree = bench.worktree("one")
    (bench.repo.path / "data").unlink()
    bench.repo.git("rm", "-q", "--cached", "data")
    bench.repo.write({"data/passwd": "would be written outside"})
    (bench.repo.path / "link").symlink_to(outside / "passwd")
    (bench.repo.path / "link-dir").symlink_to(outside)
    done = copy_included(bench.found, tree.path)
    assert done.copied == ()
    assert dict(done.skipped)["data/passwd"] == "a symbolic link is on its way"
    assert dict(done.skipped)["link"] == "not a regular file"
    assert (outside / "passwd").read_text() == "secret"
    assert sorted(f.name for f in outside.iterdir()) == ["passwd"]


def test_without_the_file_nothing_is_copied(bench: Bench):
    tree = bench.worktree("one")
    bench.repo.write({".env": "A=1"})
    assert copy_included(bench.found, tree.path) == Included()
