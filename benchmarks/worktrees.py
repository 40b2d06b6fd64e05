"""Time to make a session's worktree, compared with git, the disk and two peers."""

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from abreast.errors import AbreastError
from abreast.git.making import ensure_worktree
from abreast.git.pool import Pool, claim, fill, give_back
from abreast.git.repository import Repository, find_repository
from abreast.git.worktree import WorktreeSpec
from benchmarks.ground import git, make_repository, reset_repository
from benchmarks.measure import median, metered, ms
from benchmarks.peers import Made, Peer, clone_for_peers, install_peers
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
The time to make one worktree on a new branch, ready to work in: one at a time, two at once and
sixteen at once. `tar -x` of the same files into an empty folder is the floor: anything that
writes these files takes at least as long. abreast's figure is for the call that the worker makes
(`ensure_worktree`, which survives a kill at any point and runs the user's hook). The pool is
filled beforehand, and only taking a worktree from it is timed. Peers work on a clone whose
origin is on the same machine and fetch from it each time, as they always do; claude-wt is a
command, so it starts Python each time. A failure is a worktree that was asked for and is not
there. The time for each is the total divided by the number asked for."""

RAW, OURS, FLOOR, POOL = "`git worktree add`", "abreast", "`tar -x`, the floor", "abreast's pool"
MANY = 16


class Method(Protocol):
    def make(self, names: list[str], at_once: int) -> Made:
        """Make a worktree for each name."""
        ...

    def clear(self) -> None:
        """Remove all of them."""
        ...


def each(make: Callable[[str], bool], names: list[str], at_once: int) -> Made:
    """Call `make` with each name; it returns whether it worked."""
    with ThreadPoolExecutor(at_once) as pool, metered() as cost:
        good = list(pool.map(make, names))
    return Made(cost(), good.count(False))


@dataclass(frozen=True)
class Raw:
    repo: Path
    folder: Path

    def make(self, names: list[str], at_once: int) -> Made:
        return each(self._one, names, at_once)

    def _one(self, name: str) -> bool:
        argv = ["git", "worktree", "add", "-q", "-b", f"raw/{name}", str(self.folder / name)]
        done = subprocess.run([*argv, "main"], cwd=self.repo, capture_output=True, check=False)
        return done.returncode == 0

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        reset_repository(self.repo)


@dataclass(frozen=True)
class Ours:
    repo: Repository
    base: str
    folder: Path

    def make(self, names: list[str], at_once: int) -> Made:
        return each(self._one, names, at_once)

    def _one(self, name: str) -> bool:
        spec = WorktreeSpec(self.folder / name, f"ours/{name}", self.base, f"bench {name}")
        try:
            ensure_worktree(self.repo, spec, lock=self.folder.with_suffix(".lock"))
        except AbreastError:
            return False
        return (self.folder / name / ".git").exists()

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        reset_repository(self.repo.place)


@dataclass(frozen=True)
class Floor:
    archive: Path
    folder: Path

    def make(self, names: list[str], at_once: int) -> Made:
        return each(self._one, names, at_once)

    def _one(self, name: str) -> bool:
        target = self.folder / name
        target.mkdir(parents=True)
        argv = ["tar", "-x", "-f", str(self.archive), "-C", str(target)]
        return subprocess.run(argv, check=False).returncode == 0

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Warm:
    """The pool on a repository of its own: its worktrees stay from round to round."""

    repo: Repository
    base: str
    folder: Path
    taken: list[tuple[Path, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.pool = Pool(self.repo, self.folder, MANY, self.folder.with_suffix(".lock"))
        fill(self.pool, self.base)

    def make(self, names: list[str], at_once: int) -> Made:
        return each(self._one, names, at_once)

    def _one(self, name: str) -> bool:
        slot = claim(self.pool, name, f"pool/{name}", self.base)
        if slot is None:
            return False
        self.taken.append((slot, name))
        return True

    def clear(self) -> None:
        while self.taken:
            give_back(self.repo, *self.taken.pop())
        refs = git(self.repo.place, "for-each-ref", "--format=delete %(refname)", "refs/heads/pool")
        git(self.repo.place, "update-ref", "--stdin", stdin=f"{refs}\n".encode())


@dataclass(frozen=True)
class Theirs:
    peer: Peer
    clone: Path

    def make(self, names: list[str], at_once: int) -> Made:
        return self.peer.make(self.clone, names, at_once=at_once > 1)

    def clear(self) -> None:
        for folder in (self.clone / ".claude-wt", self.clone.parent / "ao"):
            shutil.rmtree(folder, ignore_errors=True)
        reset_repository(self.clone)


Variant = tuple[str, int]  # a method's name, and how many at once


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Worktrees", TEXT)
    peers, notes = install_peers(ground)
    section.notes += notes
    for files, rounds in ((200, 2),) if quick else ((200, 7), (5000, 3), (25_000, 2)):
        place = ground / f"files-{files}"
        place.mkdir()
        say(f"worktrees: {files} files, {rounds} rounds")
        methods = _methods(place, files, peers)
        found = _rounds(methods, files, rounds)
        section.tables.append(Table(_HEAD, _rows(list(methods), found), f"{files:,} files"))
        section.aims += _aims(found, files)
        shutil.rmtree(place)
    return section


def _methods(place: Path, files: int, peers: list[Peer]) -> dict[str, Method]:
    path = make_repository(place / "repo", files)
    warm = place / "warm"
    git(place, "clone", "-q", "--local", str(path), str(warm))
    git(path, "archive", "--format=tar", "-o", str(place / "tree.tar"), "main")
    base = git(path, "rev-parse", "main")
    clone = clone_for_peers(path, place) if peers else path
    return {
        RAW: Raw(path, place / "raw"),
        OURS: Ours(find_repository(path), base, place / "ours"),
        FLOOR: Floor(place / "tree.tar", place / "floor"),
        POOL: Warm(find_repository(warm), base, place / "pool"),
        **{peer.title: Theirs(peer, clone) for peer in peers},
    }


def _rounds(methods: dict[str, Method], files: int, rounds: int) -> dict[Variant, list[Made]]:
    """Let every method make worktrees in every round, and take them away again."""
    variants = [(name, 1) for name in methods]
    variants += [(RAW, 2), (OURS, 2)]
    variants += [(name, MANY) for name in methods]
    variants += [(RAW, 2 * MANY), (OURS, 2 * MANY)] if files == 200 else []
    found: dict[Variant, list[Made]] = {variant: [] for variant in variants}
    for number in range(rounds):
        for name, at_once in variants:
            count = at_once if at_once > 2 else 6 if files == 200 else 2
            names = [f"r{number}-{at_once}-{at}" for at in range(count)]
            made = methods[name].make(names, at_once)
            methods[name].clear()
            found[name, at_once].append(Made(made.cost / count, made.failed))
    return found


_HEAD = (
    "made by",
    "one at a time, ms",
    "ratio",
    "CPU, ms",
    f"{MANY} at once, ms each",
    "ratio",
    "CPU, ms",
    f"failed at {MANY} at once",
)


def _rows(names: list[str], found: dict[Variant, list[Made]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name in names:
        alone, many = found[name, 1], found[name, MANY]
        failed = sum(made.failed for made in many)
        rows.append(
            (
                name,
                *_cells(alone, found[RAW, 1]),
                *_cells(many, found[RAW, MANY]),
                f"{failed} of {MANY * len(many)}",
            )
        )
    return rows


def _cells(made: list[Made], raw: list[Made]) -> tuple[str, str, str]:
    wall, cpu = median(m.cost.wall for m in made), median(m.cost.cpu for m in made)
    return ms(wall), f"{_ratio(made, raw):.2f}", ms(cpu)


def _ratio(made: list[Made], raw: list[Made]) -> float:
    return median(m.cost.wall / r.cost.wall for m, r in zip(made, raw, strict=True))


def _aims(found: dict[Variant, list[Made]], files: int) -> list[Aim]:
    raw = found[RAW, 1]
    alone, double = _ratio(found[OURS, 1], raw), _ratio(found[OURS, 2], raw)
    at_best = _ratio(found[RAW, 2], raw)
    aims = [
        Aim(
            f"{files:,} files: one at a time at most 1.3 times `git worktree add`",
            f"{alone:.2f}",
            alone <= 1.3,
        ),
        Aim(
            f"{files:,} files: two at once at most 1.0 times `git worktree add` one at a time",
            f"{double:.2f} (two `git worktree add` at once: {at_best:.2f})",
            double <= 1.0,
        ),
    ]
    if (OURS, 2 * MANY) in found:
        many = found[OURS, 2 * MANY]
        failed, theirs = (sum(m.failed for m in found[n, 2 * MANY]) for n in (OURS, RAW))
        total = 2 * MANY * len(many)
        text = f"{files:,} files: no failure at {2 * MANY} at once"
        measured = f"{failed} of {total} (`git worktree add`: {theirs} of {total})"
        aims.append(Aim(text, measured, failed == 0))
    return aims
