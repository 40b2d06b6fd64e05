"""Nothing vanishes in a merge: what a side adds is in the result, as often as it should be."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abreast.git.commit import tree_of
from abreast.git.repository import find_repository
from abreast.git.vanished import MergeLoss, losses, merge_loss
from tests.support.repos import Repo, make_repo

Lines = st.lists(st.sampled_from("abcde}"), max_size=12)
ROUNDS = 30


@given(Lines, Lines)
def test_what_only_one_side_changes_is_as_that_side_has_it(base: list[str], side: list[str]):
    assert not merge_loss(base, side, base, side)
    assert not merge_loss(base, base, side, side)
    assert not merge_loss(base, side, side, side)


@given(Lines, Lines, Lines)
def test_each_added_line_that_is_nowhere_else_is_missed(
    base: list[str], ours: list[str], theirs: list[str]
):
    """A new line of each side, alone of its kind: taking one side loses the other's."""
    mine, yours = [*ours, "mine"], ["yours", *theirs]
    assert "yours" in merge_loss(base, mine, yours, mine).lost
    assert "mine" in merge_loss(base, mine, yours, yours).lost
    assert "yours" not in merge_loss(base, mine, yours, mine, only_ours=True).lost
    both = merge_loss(base, mine, yours, [*mine, *yours, "mine"])
    assert "mine" in both.doubled
    assert {"mine", "yours"}.isdisjoint(both.lost)


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("merged") / "repo")


@settings(max_examples=ROUNDS, deadline=None)
@given(st.lists(st.sampled_from("abcde}"), min_size=4, max_size=12), st.data())
def test_git_itself_neither_loses_nor_doubles(merged: Repo, base: list[str], data: st.DataObject):
    """A clean merge by git is never under suspicion, whatever the two sides did."""
    at = data.draw(st.integers(1, len(base) - 1))
    ours = [*data.draw(Lines), *base[at:]]
    theirs = [*base[:at], *data.draw(Lines)]
    sides = {"ours": ours, "base": base, "theirs": theirs}
    merged.write({name: "".join(f"{line}\n" for line in lines) for name, lines in sides.items()})
    result = merged.git("merge-file", "-p", *sides, check=False)
    if "<<<<<<<" not in result:
        assert not merge_loss(base, ours, theirs, result.split("\n"))


def test_whole_files_and_odd_names(tmp_path: Path):
    repo = make_repo(tmp_path / "repo", {"odd\nname é.txt": "one\n", "gone.txt": "a\n"})
    start = repo.git("rev-parse", "main")
    ours = repo.commit("ours", {"odd\nname é.txt": "one\ntwo\n", "gone.txt": "a\nb\n"})
    repo.git("checkout", "-q", "-b", "other", start)
    theirs = repo.commit("theirs", {"odd\nname é.txt": "zero\none\n"})
    found = find_repository(repo.path)
    names = ["odd\nname é.txt", "gone.txt", "never.txt"]
    trees = start, ours, theirs, tree_of(found, theirs)
    assert losses(found, trees, names) == {
        "odd\nname é.txt": MergeLoss(("two",)),
        "gone.txt": MergeLoss(("b",)),
    }
