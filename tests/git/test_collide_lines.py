"""Which lines of each side stand against each other."""

from abreast.git.collide_lines import LineSpan, facing, read_edits
from tests.git.conftest import Bench

TEN = "".join(f"{number}\n" for number in range(1, 11))


def lines(**changes: str) -> str:
    """Ten numbered lines, some of them replaced: `l3="x\\ny"`."""
    return "".join(f"{changes.get(f'l{n}', str(n))}\n" for n in range(1, 11))


def test_only_what_overlaps_or_adjoins_is_named(bench: Bench):
    base = bench.repo.commit("ten", {"f": TEN})
    one = bench.branch("one", {"f": lines(l1="new\nlines", l5="five", l9="nine")})
    two = bench.branch("two", {"f": lines(l6="six", l10="ten\neleven")})
    mine = read_edits(bench.found, base, one, ["f"])["f"]
    theirs = read_edits(bench.found, base, two, ["f"])["f"]
    assert facing(mine, theirs) == (LineSpan(6, 6), LineSpan(10, 10))
    assert facing(theirs, mine) == (LineSpan(6, 6), LineSpan(10, 11))
    assert [str(span) for span in facing(theirs, mine)] == ["6", "10-11"]


def test_a_deletion_stands_against_an_edit(bench: Bench):
    base = bench.repo.commit("ten", {"f": TEN})
    one = bench.branch("one", {"f": TEN.replace("4\n5\n", "")})
    two = bench.branch("two", {"f": lines(l5="five")})
    mine = read_edits(bench.found, base, one, ["f"])["f"]
    theirs = read_edits(bench.found, base, two, ["f"])["f"]
    assert facing(mine, theirs) == (LineSpan(3, 3),)
    assert facing(theirs, mine) == (LineSpan(5, 5),)


def test_where_nothing_overlaps_all_edits_are_named(bench: Bench):
    base = bench.repo.commit("ten", {"f": TEN})
    one = bench.branch("one", {"f": lines(l1="one", l5="five")})
    mine = read_edits(bench.found, base, one, ["f"])["f"]
    assert facing(mine, ()) == (LineSpan(1, 1), LineSpan(5, 5))


def test_files_keep_their_own_edits_whatever_they_are_called(bench: Bench):
    names = ["a b", 'quo"te', "new\nline", "*", "bin", "link", "z"]
    base = bench.repo.commit("many", dict.fromkeys(names, TEN))
    bench.repo.git("checkout", "-qb", "one")
    for at, name in enumerate(names):
        bench.repo.write({name: lines(**{f"l{at + 1}": f"diff --git {name}"})})
    (bench.repo.path / "bin").write_bytes(b"\0\1\2")
    (bench.repo.path / "link").unlink()
    (bench.repo.path / "link").symlink_to("z")
    one = bench.repo.commit("one", {})
    found = read_edits(bench.found, base, one, names)
    spans = {name: [edit.lines.first for edit in edits] for name, edits in found.items()}
    assert spans["bin"] == []
    assert "link" not in spans
    assert [spans[name][:1] for name in ("a b", "z")] == [[1], [7]]
    assert (spans['quo"te'][0], spans["*"]) == (2, [4])
    assert list(read_edits(bench.found, base, one, ["*"])) == ["*"]
    assert read_edits(bench.found, base, one, []) == {}
    assert read_edits(bench.found, base, one, ["not there"]) == {}, "a conflict of renames"
