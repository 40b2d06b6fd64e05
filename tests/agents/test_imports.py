"""Briefings that import: each file once, within the tree, and never without measure."""

import os
from pathlib import Path

import pytest

from abreast.agents.imports import MOST, read_with_imports
from abreast.engine.working.session.prompts import read_briefing
from abreast.process.folders import inside


def test_an_import_is_taken_where_it_is_named_first(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("one\n@docs/a.md\n@docs/b.md\nend\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("a\n@b.md\n")
    (tmp_path / "docs/b.md").write_text("b\n@a.md\n@../AGENTS.md\n@nowhere.md\n")
    found = read_with_imports(tmp_path, tmp_path / "AGENTS.md")
    # `\s*$` of the line takes the empty rest with it.
    lines = [line for line in found.text.split("\n") if line]
    assert lines == [
        *("one", "a", "b", "@a.md", "@../AGENTS.md", "@nowhere.md", "@docs/b.md", "end"),
    ]
    assert [piece.split("\n")[0] for piece in found.pieces] == ["b", "a", "one"]
    assert found.whole


def test_a_file_that_imports_itself_forty_times_is_read_once(tmp_path: Path) -> None:
    text = "rule\n" + "@AGENTS.md\n" * 40
    (tmp_path / "AGENTS.md").write_text(text)
    for name in ("CLAUDE.md", "GEMINI.md"):  # each imports the others as often as it can
        (tmp_path / name).write_text("@AGENTS.md\n@CLAUDE.md\n@GEMINI.md\n" * 20)
    told = read_briefing(tmp_path)
    assert told.startswith("# Project instructions (CLAUDE.md)\n\nrule\n")
    assert 1 <= told.count("rule") <= 3  # at most once in each of the three
    assert len(told) < 20 * len(text)


def test_many_files_that_import_each_other_stay_within_the_measure(tmp_path: Path) -> None:
    names = [f"f{number}.md" for number in range(40)]
    for name in names:
        (tmp_path / name).write_text(f"{name} {'x' * 10_000}\n" + "".join(f"@{n}\n" for n in names))
    (tmp_path / "AGENTS.md").write_text("@f0.md\n")
    found = read_with_imports(tmp_path, tmp_path / "AGENTS.md")
    assert MOST - 1000 < len(found.text) <= MOST  # without the lines that became texts
    assert not found.whole
    assert read_briefing(tmp_path).endswith("[cut here: too long]")


def test_what_is_no_file_of_the_tree_is_not_read(tmp_path: Path) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir()
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (tree / "link.md").symlink_to(outside / "secret.md")
    (tree / "way").symlink_to(outside)
    (tree / "circle.md").symlink_to("circle.md")
    os.mkfifo(tree / "pipe.md")
    lines = [
        *("@link.md", "@way/secret.md", "@../outside/secret.md", f"@{outside}/secret.md"),
        *("@circle.md", "@pipe.md", "@.", f"@{'x' * 5000}.md", "@a\0b.md"),
    ]
    (tree / "AGENTS.md").write_text("\n".join(lines))
    found = read_with_imports(tree, tree / "AGENTS.md")
    assert found.text.split("\n") == lines


def test_a_file_of_any_size_is_read_up_to_the_measure(tmp_path: Path) -> None:
    with (tmp_path / "AGENTS.md").open("wb") as file:
        file.truncate(1 << 40)  # a hole: it takes no room
    found = read_with_imports(tmp_path, tmp_path / "AGENTS.md")
    assert (len(found.text), found.whole) == (MOST, False)


@pytest.mark.parametrize(
    ("named", "leads"),
    [
        ("a/b", "a/b"),
        ("in", "a"),
        ("in/b", "a/b"),
        ("a/../x", "x"),
        (".", "."),
        ("é " * 9, "é " * 9),
    ],
)
def test_a_path_in_the_tree(tmp_path: Path, named: str, leads: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "in").symlink_to("a")
    assert inside(tmp_path, named) == tmp_path / leads


@pytest.mark.parametrize("named", ["..", "/", "out", "out/b", "a/../../x", "circle", "a\0b"])
def test_a_path_that_leads_out_of_it(tmp_path: Path, named: str) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/out").symlink_to("..")
    (tmp_path / "tree/circle").symlink_to("circle")
    assert inside(tmp_path / "tree", named) is None
