"""Which of several lines of work would conflict, with each other and with the branch they are for.

A side counts with its own change: what its tip has over the commit it began at. As a landing
would, that is put onto the target first; then the sides are merged two by two, with the target as
it is now as their base. A side that conflicts with the target, or builds on work that the target
does not have yet, is compared by its tip, with the merge base that git finds.

The repository's own merge drivers and attributes count, as they do for a landing. All objects are
written to a folder that is deleted afterwards; no ref, index or file changes.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from abreast.errors import StateError
from abreast.git.changes import quarantine
from abreast.git.footprint import Footprint, footprints
from abreast.git.merge import Clash, Merged, merge_pairs
from abreast.git.repository import Repository

_PART = 100  # merges that are worth a process of their own
_AT_ONCE = 4  # processes; two already halve the time of 20,000 pairs


@dataclass(frozen=True)
class ConflictSide:
    """Work called `name`: the commit `tip`, begun at the commit `base`, both as full ids."""

    name: str
    base: str
    tip: str


@dataclass(frozen=True)
class TargetClash:
    """A side that does not merge into the target, and the paths that stand in the way."""

    name: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Collisions:
    """The pairs that conflict with each other, and the sides that conflict with the target."""

    pairs: tuple[Clash, ...] = ()
    target: tuple[TargetClash, ...] = ()


@dataclass(frozen=True)
class _Placed:
    """A side's own change as a single commit on `ground`."""

    side: ConflictSide
    ground: str
    commit: str


def find_collisions(
    repo: Repository,
    sides: Sequence[ConflictSide],
    target: str,
    *,
    env: Mapping[str, str] | None = None,
    pairs: Collection[tuple[str, str]] | None = None,
) -> Collisions:
    """Return what conflicts among `sides`, in their order, and with the commit `target` (an id).

    Pairs whose changes touch no common path or folder are not merged: they cannot conflict. Two
    histories without a common commit are not compared. `env` names the object folder
    (`abreast.git.changes.quarantine`) that sides were made in. With `pairs`, only these are
    compared, by name and in the order of `sides`. Raises `GitError` when a commit is
    missing, `StateError` when a name is there twice.
    """
    if len({side.name for side in sides}) < len(sides):
        raise StateError("two sides have the same name", hint="give each a name of its own")
    if env is None:
        with quarantine(repo) as ours:
            return _find(repo, sides, target, ours, pairs)
    return _find(repo, sides, target, env, pairs)


def _find(
    repo: Repository,
    sides: Sequence[ConflictSide],
    target: str,
    env: Mapping[str, str],
    wanted: Collection[tuple[str, str]] | None,
) -> Collisions:
    placed, behind = _place(repo, sides, target, env)
    prints = footprints(repo, {one.commit: one.ground for one in placed}, env)
    pairs = [
        (a, b)
        for a, b in combinations(placed, 2)
        if (wanted is None or (a.side.name, b.side.name) in wanted) and _could_clash(a, b, prints)
    ]
    apart = _unrelated(repo, pairs, env)
    pairs = [pair for pair in pairs if frozenset(_bases(*pair)) not in apart]
    merged = _merge_all(repo, [_commits(a, b) for a, b in pairs], env)
    clashes = (
        Clash(a.side.name, b.side.name, result.conflicts)
        for (a, b), result in zip(pairs, merged, strict=True)
        if not result.clean
    )
    return Collisions(tuple(clashes), behind)


def commit_on(repo: Repository, tree: str, base: str, env: Mapping[str, str]) -> str:
    """Make a commit of `tree` on `base` in the object folder that `env` names; return its id."""
    return _make_commits(repo, [(tree, base)], env)[0]


def _place(
    repo: Repository, sides: Sequence[ConflictSide], target: str, env: Mapping[str, str]
) -> tuple[list[_Placed], tuple[TargetClash, ...]]:
    """Put each side's own change onto the target where that goes; and say where it does not."""
    trees = _trees(repo, [side.tip for side in sides], env)
    own = _make_commits(repo, [(t, s.base) for t, s in zip(trees, sides, strict=True)], env)
    placed = [_Placed(*one) for one in zip(sides, (s.base for s in sides), own, strict=True)]
    grown = contained(repo, {side.base for side in sides} - {target}, target, env)
    moved = [at for at, side in enumerate(sides) if side.base in grown]
    merged = _merge_all(repo, [(target, own[at]) for at in moved], env)
    outcomes = list(zip(moved, merged, strict=True))
    clean = [(at, result.tree) for at, result in outcomes if result.clean]
    commits = _make_commits(repo, [(tree, target) for _, tree in clean], env)
    for (at, _), commit in zip(clean, commits, strict=True):
        placed[at] = _Placed(sides[at], target, commit)
    behind = (TargetClash(sides[at].name, one.conflicts) for at, one in outcomes if not one.clean)
    return placed, tuple(behind)


def _could_clash(a: _Placed, b: _Placed, prints: Mapping[str, Footprint]) -> bool:
    if a.ground != b.ground:
        return a.side.tip != b.side.tip
    return prints[a.commit].meets(prints[b.commit])


def _commits(a: _Placed, b: _Placed) -> tuple[str, str]:
    return (a.commit, b.commit) if a.ground == b.ground else (a.side.tip, b.side.tip)


def _bases(a: _Placed, b: _Placed) -> tuple[str, str]:
    return (a.ground, b.ground) if a.ground == b.ground else (a.side.tip, b.side.tip)


def _unrelated(
    repo: Repository, pairs: Sequence[tuple[_Placed, _Placed]], env: Mapping[str, str]
) -> set[frozenset[str]]:
    """Return which pairs of commits have no common ancestor; git would refuse the whole batch."""
    asked = {frozenset(_bases(a, b)) for a, b in pairs if a.ground != b.ground}
    query = ("merge-base", "--end-of-options")
    return {one for one in asked if repo.call(*query, *one, env=env, codes=(0, 1)).code}


def _merge_all(
    repo: Repository, pairs: Sequence[tuple[str, str]], env: Mapping[str, str]
) -> list[Merged]:
    """Merge in as many processes as there are processors for, each with a part of the pairs."""
    at_once = min(_AT_ONCE, os.cpu_count() or 1, max(1, len(pairs) // _PART))
    size = -(-len(pairs) // at_once)
    parts = [pairs[at : at + size] for at in range(0, len(pairs), size or 1)]
    if len(parts) < 2:
        return merge_pairs(repo, pairs, env)
    with ThreadPoolExecutor(at_once) as pool:
        done = pool.map(lambda part: merge_pairs(repo, part, env), parts)
        return [merged for part in done for merged in part]


def contained(
    repo: Repository, commits: set[str], target: str, env: Mapping[str, str]
) -> frozenset[str]:
    """Return those of `commits` that `target` contains."""
    if not commits:
        return frozenset()
    query = ("merge-base", "--is-ancestor", "--end-of-options")
    return frozenset(
        one for one in commits if repo.call(*query, one, target, env=env, codes=(0, 1)).code == 0
    )


def _trees(repo: Repository, commits: Sequence[str], env: Mapping[str, str]) -> list[str]:
    asked = "".join(f"{one}^{{tree}}\n" for one in commits)
    done = repo.call("cat-file", "--batch-check=%(objectname)", stdin=asked, env=env)
    found = done.stdout.splitlines()
    for commit, line in zip(commits, found, strict=True):
        if line.endswith(" missing"):
            repo.call("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}", env=env)
    return found


_NOBODY = "abreast <abreast@localhost> 0 +0000"


def _make_commits(
    repo: Repository, wanted: Sequence[tuple[str, str]], env: Mapping[str, str]
) -> list[str]:
    """Make a commit of each tree and its parent, always the same one, in one call of git."""
    if not wanted:
        return []
    folder = Path(env["GIT_OBJECT_DIRECTORY"])
    names = dict.fromkeys(wanted)
    for at, (tree, parent) in enumerate(names):
        who = f"author {_NOBODY}\ncommitter {_NOBODY}\n"
        text = f"tree {tree}\nparent {parent}\n{who}\nown change\n"
        (folder / f"commit.{at}").write_text(text, encoding="ascii")
    files = "".join(f"{folder / f'commit.{at}'}\n" for at in range(len(names)))
    words = ("hash-object", "-t", "commit", "-w", "--no-filters", "--stdin-paths")
    made = repo.call(*words, stdin=files, env=env).stdout.splitlines()
    ids = dict(zip(names, made, strict=True))
    return [ids[one] for one in wanted]
