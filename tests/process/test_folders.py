"""What goes away while it is listed is passed over, and the rest is listed."""

import os
import shutil
from pathlib import Path

import pytest

from abreast.process import folders


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/one", "a/deep/two", "b/three", "c/four"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("12345")
    (tmp_path / "c" / "link").symlink_to(tmp_path / "a")
    (tmp_path / "c" / "dangling").symlink_to(tmp_path / "nothing")
    return tmp_path


def test_what_is_there_is_listed(tree: Path) -> None:
    assert [path.name for path in folders.entries(tree)] == ["a", "b", "c"]
    assert folders.entries(tree / "a" / "one") == folders.entries(tree / "none") == []
    assert set(folders.matching(tree, "*/*e")) == {tree / "a" / "one", tree / "b" / "three"}
    assert tree / "a" / "deep" / "two" in set(folders.matching(tree, "**/two"))
    assert list(folders.matching(tree / "none", "*")) == []
    names = sorted(path.name for path in folders.files_below(tree))
    assert names == ["dangling", "four", "one", "three", "two"]
    assert folders.size_of(tree) == 20
    assert folders.written(tree / "c" / "dangling") == 0
    assert folders.written(tree / "a" / "one") > 0


def test_what_goes_meanwhile_is_passed_over(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder loses a file and a folder between being listed and being looked into."""
    real = os.scandir

    def scandir(folder: str | Path | int = "."):  # type: ignore[no-untyped-def]
        found = real(folder)
        if isinstance(folder, str | Path) and Path(folder) == tree:
            shutil.rmtree(tree / "a", ignore_errors=True)
        return found

    monkeypatch.setattr(os, "scandir", scandir)
    below = folders.files_below(tree)
    first = next(below)
    first.unlink()
    assert not first.exists()
    assert {path.name for path in below} <= {"three", "four", "dangling", "link"}
    for name in ("three", "four"):
        (tree / ("b" if name == "three" else "c") / name).write_text("12345")
    assert folders.size_of(tree) == 10
    assert set(folders.matching(tree, "*/three")) == {tree / "b" / "three"}
