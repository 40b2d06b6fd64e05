"""Globs on a tree, and globs against globs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.gate.globs import can_meet, covers, matching
from abreast.gate.planned import BaseTree, declare

FILES = [
    "README.md",
    "docs/README.md",
    "src/a.py",
    "src/b.py",
    "src/c.py",
    "src/d.py",
    "src/http/client.py",
    "src/http/x/y.py",
    "tests/test_a.py",
]
TREE = BaseTree.of(FILES, ["vendor/lib"])


@pytest.mark.parametrize(
    ("path", "exact", "new", "globs"),
    [
        ("README.md", {"README.md"}, set(), ()),  # from the top, where .gitignore means any folder
        ("./src/a.py", {"src/a.py"}, set(), ()),
        ("/src/a.py", {"src/a.py"}, set(), ()),
        ("src/new.py", set(), {"src/new.py"}, ()),
        ("src/http", set(), set(), ("src/http/**",)),
        ("src/new/", set(), set(), ("src/new/**",)),
        (".", set(), set(), ("**",)),
        ("*.md", {"README.md", "docs/README.md"}, set(), ("*.md",)),
        ("src/*.py", set(), set(), ("src/*.py",)),
        ("vendor/lib/x.c", {"vendor/lib"}, set(), ()),
        ("", set(), set(), ()),
    ],
)
def test_what_a_declared_path_means(path, exact, new, globs):
    found = declare([path], TREE)
    assert (found.exact, found.new, found.globs) == (exact, new, globs)


def test_a_glob_matches_below_folders_and_takes_files_out():
    assert len(declare(["src/**"], TREE).matched) == 6
    assert len(declare(["src/*"], TREE).matched) == 6  # as in .gitignore: a folder and all below
    assert len(declare(["src/**", "!src/http/**"], TREE).matched) == 4
    assert declare(["#odd"], BaseTree.of(["#odd"])).exact == {"#odd"}
    assert declare(["#od?"], BaseTree.of(["#odd"])).exact == {"#odd"}


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("src/**", "tests/**", False),
        ("src/**", "src/http/*.py", True),
        ("**/test_*.py", "tests/**", True),
        ("*.md", "docs/x/**", True),
        ("a/*.py", "a/*.js", False),
        ("a/[a-c]x", "a/[!b]x", True),
        ("a/bx", "a/[!b]x", False),
        ("a/b*d", "a/bc*", True),
        ("a/b*d", "a/c*", False),
        ("a/*/c", "a/b/d", False),
        ("new/m*", "new/??", True),
        ("new/???", "new/ab", False),
        ("docs", "docs/a.md", True),
        ("src/http", "src/https/**", False),
        ("a/**/z.py", "a/z.py", True),
        (r"a/\*", "a/b", False),
        (r"a/\*", "a/*", True),
    ],
)
def test_globs_that_can_meet(one, other, meet):
    assert can_meet(one, other) is meet
    assert can_meet(other, one) is meet


_NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name.strip("."))
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_PARTS = st.sampled_from(["a", "b", "*", "a*", "?b", "[ab]", "[!a]", "**", "*.b", "a?*"])
_GLOBS = st.lists(_PARTS, min_size=1, max_size=4).map("/".join)


@given(_GLOBS, _GLOBS, _PATHS)
def test_globs_that_match_one_path_can_meet(one, other, path):
    if covers([one], path) and covers([other], path):
        assert can_meet(one, other)


@given(_GLOBS, st.lists(_PATHS, max_size=12))
def test_looking_only_where_a_glob_leads_finds_all_that_it_matches(glob, paths):
    files = sorted(set(paths))
    assert matching(files, [glob]) == {path for path in files if covers([glob], path)}


@pytest.mark.parametrize("glob", ["\\", "!", "[z-a]", "a\\", "[" * 50, " "])
def test_what_is_no_glob_matches_nothing_and_says_nothing(
    glob: str, recwarn: pytest.WarningsRecorder
):
    assert matching(["a/b.py", "src/x.py"], ["src/**", glob]) == {"src/x.py"}
    assert matching(["a/b.py"], [glob]) == frozenset()
    assert not recwarn.list
