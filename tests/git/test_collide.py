"""Which of several branches would conflict: exactly those that git itself does not merge."""

import subprocess
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abreast.errors import GitError, StateError
from abreast.git.changes import quarantine
from abreast.git.collide import Collisions, ConflictSide, TargetClash, find_collisions
from abreast.git.collide_known import KnownCollisions
from abreast.git.commit import commit_tree, tree_of
from abreast.git.merge import Clash
from abreast.git.repository import Repository, find_repository
from tests.git.conftest import Bench
from tests.support.repos import make_repo

Files = Mapping[str, tuple[str, str]]  # mode and content, by path


def text(name: str) -> str:
    return "".join(f"line {number} of {name}\n" for number in range(12))


BASE: Files = {name: ("100644", text(name)) for name in ("d/a", "d/b", "d/s/c", "e/x", "f")} | {
    "sub": ("160000", "1" * 40)
}
PATHS = ("d/a", "d/b", "d/s/c", "d/new", "d", "e/x", "e/new", "f", "f/g", "h/new", "sub", "new")
FOLDERS = ("d", "d/s", "e", "h", "h/i")

edits = st.tuples(st.just("edit"), st.sampled_from(PATHS), st.sampled_from(["0", "1", "6", "11"]))
renames = st.tuples(st.just("rename"), st.sampled_from(PATHS), st.sampled_from(PATHS))
moves = st.tuples(st.just("move"), st.sampled_from(FOLDERS), st.sampled_from(FOLDERS))
writes = st.tuples(
    st.just("write"), st.sampled_from(PATHS), st.sampled_from(["100644", "100755", "120000"])
)
deletes = st.tuples(st.just("delete"), st.sampled_from(PATHS), st.just(""))
pins = st.tuples(st.just("pin"), st.just("sub"), st.sampled_from("23"))
branches = st.lists(edits | renames | moves | writes | deletes | pins, min_size=1, max_size=3)


def put(files: dict[str, tuple[str, str]], path: str, entry: tuple[str, str]) -> None:
    """Write one file; whatever is in its way goes."""
    for other in [o for o in files if o.startswith(f"{path}/") or path.startswith(f"{o}/")]:
        del files[other]
    files[path] = entry


def changed(files: Files, steps: list[tuple[str, str, str]], name: str) -> Files:
    found = dict(files)
    for step, path, more in steps:
        mode, content = found.get(path, ("100644", ""))
        if step == "edit" and mode == "100644" and content:
            lines = content.splitlines()
            lines[int(more) % len(lines)] = name
            put(found, path, (mode, "\n".join(lines) + "\n"))
        elif step == "rename" and path in found and path != more:
            put(found, more, found.pop(path))
        elif step == "move" and not f"{more}/".startswith(f"{path}/"):
            for one in [o for o in found if o.startswith(f"{path}/")]:
                put(found, more + one.removeprefix(path), found.pop(one))
        elif step == "write":
            put(found, path, (more, f"written by {name}\n"))
        elif step == "delete":
            found.pop(path, None)
        elif step == "pin":
            put(found, path, ("160000", more * 40))
    return found


def imported(states: Mapping[str, tuple[str, Files]]) -> str:
    """Return a script for `git fast-import`: each state, by its branch, with its parent's name."""
    lines: list[str] = []
    for name, (parent, files) in states.items():
        who = "committer t <t@t> 0 +0000"
        start = f"from refs/heads/{parent}\n" if parent else ""
        lines.append(f"commit refs/heads/{name}\n{who}\ndata 0\n{start}deleteall\n")
        for path, (mode, content) in files.items():
            if mode == "160000":
                lines.append(f"M {mode} {content} {path}\n")
            else:
                size = len(content.encode())
                lines.append(f"M {mode} inline {path}\ndata {size}\n{content}\n")
        lines.append("\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repo(tmp_path_factory.mktemp("collide") / "repo").path


def git(folder: Path, *args: str, stdin: str = "") -> tuple[int, str]:
    done = subprocess.run(
        ["git", *args], cwd=folder, input=stdin, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip()


def merges(folder: Path, ours: str, theirs: str) -> tuple[bool, str]:
    """Merge two commits by a call of git of its own: whether it is clean, and the tree."""
    code, found = git(folder, "merge-tree", "--write-tree", "--no-messages", ours, theirs)
    assert code in {0, 1}
    return code == 0, found.split("\n")[0]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(branches, min_size=3, max_size=6),
    st.one_of(st.just([]), branches),
)
def test_no_conflict_is_missed_and_none_made_up(
    folder: Path,
    made: list[list[tuple[str, str, str]]],
    meanwhile: list[tuple[str, str, str]],
):
    states: dict[str, tuple[str, Files]] = {"base": ("", BASE)}
    states["target"] = ("base", changed(BASE, meanwhile, "target"))
    names = [f"side{number}" for number in range(len(made))]
    for name, steps in zip(names, made, strict=True):
        states[name] = ("base", changed(BASE, steps, name))
    states["late"] = ("target", changed(states["target"][1], made[0], "late"))
    code, _ = git(folder, "fast-import", "--quiet", "--force", stdin=imported(states))
    assert code == 0
    ids = {name: git(folder, "rev-parse", f"refs/heads/{name}")[1] for name in states}
    target = ids["target"] if meanwhile else ids["base"]

    sides = [ConflictSide(name, ids["base"], ids[name]) for name in names]
    found = find_collisions(find_repository(folder), sides, target)

    behind, on_target = set(), {}
    for name in names:
        clean, tree = merges(folder, target, ids[name])
        if clean:
            words = ("-c", "user.name=t", "-c", "user.email=t@t", "commit-tree", "-p", target)
            on_target[name] = git(folder, *words, "-m", name, tree)[1]
        else:
            behind.add(name)
    expected = set()
    for one, other in combinations(names, 2):
        carried = one in on_target and other in on_target
        commits = on_target if carried else ids
        if not merges(folder, commits[one], commits[other])[0]:
            expected.add((one, other))
    assert {one.name for one in found.target} == behind
    assert {(pair.one, pair.other) for pair in found.pairs} == expected

    # Nor where some is known already, and where a side has begun at the target.
    repo, known = find_repository(folder), KnownCollisions()
    mixed = [*sides, ConflictSide("late", ids["target"], ids["late"])]
    with quarantine(repo) as env:
        for some, at in (
            (sides[:2], ids["base"]),
            (mixed, ids["base"]),
            (sides, ids["target"]),
            (mixed, ids["target"]),
            (mixed[1:], ids["target"]),
        ):
            assert known.find(repo, some, at, env) == find_collisions(repo, some, at)


def test_a_squashed_predecessor_is_no_conflict(bench: Bench):
    """What one has landed as a single commit, the next one was built on."""
    base = bench.head
    first = bench.branch("first", {"f": "1\n"})
    landed = commit_tree(bench.found, tree_of(bench.found, first), [base], "squashed")
    second = bench.branch("second", {"f": "2\n"}, base=first)
    third = bench.branch("third", {"g": "3\n"})
    sides = [ConflictSide("second", first, second), ConflictSide("third", base, third)]
    assert find_collisions(bench.found, sides, base) == Collisions()
    onto = [ConflictSide("second", landed, second), ConflictSide("third", base, third)]
    assert find_collisions(bench.found, onto, landed) == Collisions()


def test_paths_of_a_pair_and_of_the_target_are_named_and_nothing_is_left(bench: Bench):
    base = bench.repo.commit("more", {"f": "0\n", "g": "0\n", "h": "0\n"})
    one = bench.branch("one", {"f": "1\n", "h": "same\n"})
    two = bench.branch("two", {"f": "2\n", "h": "same\n"})
    three = bench.branch("three", {"g": "3\n"})
    target = bench.branch("moved", {"g": "4\n"})
    before = bench.repo.git("count-objects", "-v")
    sides = [
        ConflictSide("one", base, one),
        ConflictSide("two", base, two),
        ConflictSide("three", base, three),
    ]
    found = find_collisions(bench.found, sides, target)
    assert found == Collisions((Clash("one", "two", ("f",)),), (TargetClash("three", ("g",)),))
    assert bench.repo.git("count-objects", "-v") == before
    assert find_collisions(bench.found, [], target) == Collisions()


def test_what_is_known_already_is_not_asked_again(bench: Bench):
    base = bench.repo.commit("more", {"f": "0\n", "g": "0\n"})
    sides = [
        ConflictSide("one", base, bench.branch("one", {"f": "1\n"})),
        ConflictSide("two", base, bench.branch("two", {"f": "2\n"})),
        ConflictSide("three", base, bench.branch("three", {"g": "3\n"})),
    ]
    target = bench.branch("moved", {"g": "4\n"})
    known = KnownCollisions()
    with quarantine(bench.found) as env:
        found = known.find(bench.found, sides, target, env)
    assert found == Collisions((Clash("one", "two", ("f",)),), (TargetClash("three", ("g",)),))
    nowhere = Repository(bench.state / "gone", bench.state / "gone", None)
    assert known.find(nowhere, sides, target, {}) == found
    assert known.find(nowhere, sides[1:], target, {}) == Collisions((), found.target)


def test_the_repositorys_merge_driver_decides_as_for_a_landing(bench: Bench):
    base = bench.repo.commit("log", {"log": "0\n", ".gitattributes": "log merge=union\n"})
    one, two = bench.branch("one", {"log": "0\n1\n"}), bench.branch("two", {"log": "0\n2\n"})
    sides = [ConflictSide("one", base, one), ConflictSide("two", base, two)]
    assert find_collisions(bench.found, sides, base) == Collisions()


def test_histories_without_a_common_commit_are_not_compared(bench: Bench):
    base = bench.head
    one = bench.branch("one", {"f": "1\n"})
    root = commit_tree(bench.found, tree_of(bench.found, one), [], "root")
    sides = [ConflictSide("one", base, one), ConflictSide("pages", root, root)]
    assert find_collisions(bench.found, sides, base) == Collisions()


def test_a_missing_commit_is_named(bench: Bench):
    gone = "1" * 40
    with pytest.raises(GitError, match=gone):
        find_collisions(bench.found, [ConflictSide("one", bench.head, gone)], bench.head)


def test_two_sides_of_one_name_are_refused(bench: Bench):
    side = ConflictSide("one", bench.head, bench.head)
    with pytest.raises(StateError, match="same name"):
        find_collisions(bench.found, [side, side], bench.head)
