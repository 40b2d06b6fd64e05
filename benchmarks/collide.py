"""Time to find all conflicts among many branches, against git's own merges of every pair."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

from abreast.git.changes import quarantine
from abreast.git.collide import ConflictSide, find_collisions
from abreast.git.merge import merge_pairs, merge_trees
from abreast.git.repository import Repository, find_repository
from benchmarks.ground import git, make_repository
from benchmarks.measure import Cost, median, metered, ms
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
Each branch edits five files and adds one; 15 % of the edits are in ten files that many branches
touch. All pairs are merged: by a call of `git merge-tree` for each, by one call of
`git merge-tree --stdin` for all, and by abreast, which merges only pairs that can conflict, in up
to four processes, and must name exactly the same pairs. The loop is not run for the larger number.
Times are in milliseconds."""

FILES, HOT, SHARE, EDITS = 1500, 10, 0.15, 5
MOST = 1.0  # seconds for 200 branches
Pairs = set[tuple[str, str]]


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Conflicts", TEXT)
    folder = make_repository(ground / "repository", FILES)
    repo = find_repository(folder)
    base = git(folder, "rev-parse", "main")
    names = [f"branch{number}" for number in range(200)]
    git(folder, "fast-import", "--quiet", stdin=_branches(folder, names))
    tips = git(folder, "rev-parse", *names).split()
    sides = [ConflictSide(name, base, tip) for name, tip in zip(names, tips, strict=True)]
    rows: list[tuple[str, ...]] = []
    exact, wall = True, 0.0
    for number in (50, 200):
        some = sides[:number]
        methods: dict[str, Callable[[], Pairs]] = {
            "`git merge-tree --stdin`": partial(_batch, repo, some),
            "abreast": partial(_ours, repo, some, base),
        }
        if number == 50:
            methods = {"a loop over `git merge-tree`": partial(_loop, repo, some)} | methods
        costs: dict[str, list[Cost]] = {name: [] for name in methods}
        found: list[Pairs] = []
        for _ in range(1 if quick else 3):
            for name, method in methods.items():
                with metered() as cost:
                    found.append(method())
                costs[name].append(cost())
        exact = exact and all(one == found[0] for one in found)
        for name, each in costs.items():
            wall = median(cost.wall for cost in each)
            cpu = median(cost.cpu for cost in each)
            pairs = f"{number * (number - 1) // 2:,}"
            rows.append((name, str(number), pairs, f"{len(found[0]):,}", ms(wall), ms(cpu)))
        say(f"conflicts: {number} branches")
    head = ("all pairs", "branches", "pairs", "conflicts", "wall", "CPU")
    section.tables.append(Table(head, rows))
    section.aims.append(Aim(f"19,900 pairs in at most {MOST:.0f} s", f"{wall:.2f} s", wall <= MOST))
    section.aims.append(Aim("the pairs that git names, all", "yes" if exact else "no", exact))
    return section


def _ours(repo: Repository, sides: Sequence[ConflictSide], base: str) -> Pairs:
    return {(one.one, one.other) for one in find_collisions(repo, sides, base).pairs}


def _batch(repo: Repository, sides: Sequence[ConflictSide]) -> Pairs:
    pairs = list(combinations(sides, 2))
    with quarantine(repo) as env:
        merged = merge_pairs(repo, [(one.tip, other.tip) for one, other in pairs], env)
    outcomes = zip(pairs, merged, strict=True)
    return {(one.name, other.name) for (one, other), result in outcomes if not result.clean}


def _loop(repo: Repository, sides: Sequence[ConflictSide]) -> Pairs:
    with quarantine(repo) as env:
        return {
            (one.name, other.name)
            for one, other in combinations(sides, 2)
            if not merge_trees(repo, one.tip, other.tip, env=env).clean
        }


def _branches(folder: Path, names: Sequence[str]) -> bytes:
    chance = random.Random(1)
    listed = git(folder, "ls-files", "src").split("\n")
    hot = chance.sample(listed, HOT)
    parts: list[bytes] = []
    for name in names:
        parts.append(f"commit refs/heads/{name}\n".encode())
        parts.append(
            b"committer Ada <ada@example.com> 1700000000 +0000\ndata 0\nfrom refs/heads/main\n"
        )
        edited = {chance.choice(hot if chance.random() < SHARE else listed) for _ in range(EDITS)}
        for path in sorted(edited):
            lines = (folder / path).read_bytes().split(b"\n")
            lines[chance.randrange(len(lines))] = name.encode()
            parts.append(_file(path, b"\n".join(lines)))
        parts.append(_file(f"src/new/{name}.txt", name.encode()))
        parts.append(b"\n")
    return b"".join(parts)


def _file(path: str, content: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
