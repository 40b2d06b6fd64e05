"""What no commit can hold is moved aside whole, and comes back to where it was."""

from pathlib import Path

from abreast.git.aside import give_back, move_aside
from tests.support.repos import Repo


def test_it_goes_and_comes_back(tmp_path: Path):
    top, folder = tmp_path / "tree", tmp_path / "aside"
    top.mkdir()
    tree = Repo(top)
    tree.write({"big.bin": "b", "deep/down/big.bin": "d", "inner/f": "f", "stays": "s"})
    Repo(top / "inner").git("init", "-q", ".")
    (top / "link").symlink_to("nowhere")
    paths = ["big.bin", "deep/down/big.bin", "inner/", "link", "never-was"]
    assert move_aside(top, paths, folder) == paths[:-1]
    assert {path.name for path in top.iterdir()} == {"stays", "deep"}
    tree.write({"big.bin": "a newer one"})
    assert move_aside(top, ["big.bin"], folder) == ["big.bin"]
    assert (folder / "big.bin.2").read_text() == "a newer one"
    (top / "inner").mkdir()  # in the way
    assert give_back(folder, top) == ["big.bin", "big.bin.2", "deep/down/big.bin", "link"]
    assert (top / "deep/down/big.bin").read_text() == "d"
    assert (folder / "inner/.git").is_dir()
    (top / "inner").rmdir()
    assert give_back(folder, top) == ["inner"]
    assert (top / "inner/.git").is_dir()
    assert not folder.exists()


def test_nothing_comes_back_through_a_link(tmp_path: Path):
    top, folder, outside = tmp_path / "tree", tmp_path / "aside", tmp_path / "outside"
    outside.mkdir()
    (top / "deep").mkdir(parents=True)
    (top / "deep/big.bin").write_text("b")
    move_aside(top, ["deep/big.bin"], folder)
    (top / "deep").rmdir()
    (top / "deep").symlink_to(outside)
    assert give_back(folder, top) == []
    assert (folder / "deep/big.bin").read_text() == "b"
    assert list(outside.iterdir()) == []
