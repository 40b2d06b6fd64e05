"""How the files of a session are called, whichever agent has named them."""

from pathlib import Path

from abreast.engine.working.session.agent import change_of, seen_from
from abreast.runner.job import JobProgress


def test_files_are_called_as_seen_from_the_worktree(tmp_path: Path):
    tree, link = tmp_path / "tree", tmp_path / "link"
    tree.mkdir()
    link.symlink_to(tree)
    named = [f"{tree}/a.txt", "b.txt", "./sub/../b.txt", f"{tree}/sub/c.txt", f"{tree}x/d", "../e"]
    outside = (f"{tree}x/d", f"{tmp_path}/e")
    expected = ("a.txt", "b.txt", "sub/c.txt", *outside)
    assert seen_from(tree, named) == expected
    assert seen_from(link, [f"{tree}/a.txt", f"{link}/b.txt"]) == ("a.txt", "b.txt")
    assert change_of(JobProgress(files=tuple(named)), tree).files == expected
