"""What is left over, damaged, or about to be lost: repositories, worktrees, transcripts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from shlex import quote

from abreast.doctor.examined import count
from abreast.doctor.thresholds import EXPIRING_DAYS, LOCK_MINUTES, SECONDS_PER_DAY, STALE_DAYS
from abreast.model.finding import Evidence
from abreast.model.session import Session
from abreast.model.text import counted


@dataclass(frozen=True)
class Tree:
    """A linked worktree that git lists. `locked` holds the reason; None: it is not.

    One with `submodules` git refuses to move.
    """

    path: str
    exists: bool
    locked: str | None = None
    submodules: bool = False


@dataclass(frozen=True)
class State:
    """A repository as it stands. `bare` and `worktree` are what its shared configuration says.

    `checkout` is the folder of its main checkout, "" when it has none: it is bare by intent, or a
    submodule. `worktree` is "" where it is that folder. `locks` are the lock files that no git at
    work may hold, with the Unix time of each. `failed` tells why something could not be read.
    """

    common_dir: str
    checkout: str = ""
    bare: bool = False
    worktree: str = ""
    trees: tuple[Tree, ...] = ()
    locks: tuple[tuple[str, float], ...] = ()
    failed: str = ""


@dataclass(frozen=True)
class TranscriptRetention:
    """An agent's transcripts, when each was last written (Unix seconds), and for how many days it
    keeps them. `setting` is what to change.
    """

    agent: str
    days: float
    setting: str
    written: tuple[float, ...]


def gone_worktrees(states: Iterable[State]) -> Iterator[Evidence]:
    """A worktree that git lists and whose folder is gone."""
    for state in states:
        for tree in state.trees:
            if tree.exists:
                continue
            git = f"git --git-dir={quote(state.common_dir)} worktree"
            unlock = f"{git} unlock {quote(tree.path)} && " if tree.locked is not None else ""
            locked = ""
            if (
                tree.locked is not None
            ):  # as git advises for what lies on a disk that comes and goes
                reason = f" ({tree.locked})" if tree.locked else ""
                locked = f"; it is locked{reason}: leave it if its disk is only away"
            yield Evidence(
                f"{tree.path} is gone, and {state.common_dir} still lists it{locked}",
                path=tree.path,
                command=f"{unlock}{git} prune",
            )


def left_worktrees(sessions: Iterable[Session], now: float) -> Iterator[Evidence]:
    """A worktree of abreast's whose session ended more than `STALE_DAYS` ago."""
    for session in sessions:
        days = (now - (session.ended or now)) / SECONDS_PER_DAY
        if session.state.final and days > STALE_DAYS:
            yield Evidence(
                f"{session.id} ended as {session.state} {count(days)} days ago and its worktree is "
                "still there",
                agent=session.agent,
                session=session.id,
                at=session.ended or 0.0,
                path=session.worktree,
                command=f"abreast clean --remove {session.id}",
                numbers={"days": round(days, 1)},
            )


def stale_locks(states: Iterable[State], now: float) -> Iterator[Evidence]:
    """A lock file in a repository that is older than `LOCK_MINUTES`."""
    for state in states:
        for path, at in state.locks:
            minutes = (now - at) / 60
            if minutes > LOCK_MINUTES:
                yield Evidence(
                    f"{path} is {count(minutes)} minutes old",
                    at=at,
                    path=path,
                    command=f"rm {quote(path)}",
                    numbers={"minutes": round(minutes)},
                )


def nested_worktrees(
    states: Iterable[State], taken: Callable[[str], bool] = lambda _: False
) -> Iterator[Evidence]:
    """A worktree inside the main checkout, or inside another worktree.

    `taken` tells whether there is something at a path: git would move the worktree into it.
    """
    given: set[str] = set()
    for state in states:
        tops = [state.checkout, *(tree.path for tree in state.trees)]
        for tree in state.trees:
            inside = [top for top in tops if top and PurePath(top) in PurePath(tree.path).parents]
            if not inside or not tree.exists:
                continue
            target = _aside(inside[0], tree.path, lambda path: path in given or taken(path))
            given.add(target)
            stuck = "; git moves none with submodules" if tree.submodules else ""
            locked = f", locked ({tree.locked})" if tree.locked else ""
            yield Evidence(
                f"{tree.path} lies inside of {inside[0]}{locked}{stuck}",
                path=tree.path,
                command="" if tree.submodules else _move(state, tree, target),
            )


def _aside(top: str, path: str, taken: Callable[[str], bool]) -> str:
    """Return a free path beside a checkout for a worktree that lies in it."""
    wanted = str(PurePath(top).with_name(f"{PurePath(top).name}-{PurePath(path).name}"))
    names = (wanted, *(f"{wanted}-{number}" for number in range(2, 1000)))
    return next((name for name in names if not taken(name)), wanted)


def _move(state: State, tree: Tree, target: str) -> str:
    git, path = f"git --git-dir={quote(state.common_dir)} worktree", quote(tree.path)
    unlock = f"{git} unlock {path} && " if tree.locked is not None else ""
    return f"{unlock}{git} move {path} {quote(target)}"


def damaged_config(states: Iterable[State]) -> Iterator[Evidence]:
    """`core.bare = true` or another `core.worktree` in the configuration of a checkout."""
    for state in states:
        config = f"git config --file {quote(state.common_dir + '/config')}"
        if state.bare and state.checkout:
            yield Evidence(
                f"core.bare is true in {state.common_dir}/config; {state.checkout} is a checkout",
                path=f"{state.common_dir}/config",
                command=f"{config} --replace-all core.bare false",
            )
        if state.worktree and state.checkout:
            yield Evidence(
                f"core.worktree is {state.worktree} in {state.common_dir}/config: git in "
                f"{state.checkout} looks at that folder instead",
                path=f"{state.common_dir}/config",
                command=f"{config} --unset-all core.worktree",
            )


def expiring(kept: Iterable[TranscriptRetention], now: float) -> Iterator[Evidence]:
    """Transcripts that their CLI deletes within `EXPIRING_DAYS`."""
    for one in kept:
        soon = [at for at in one.written if (now - at) / SECONDS_PER_DAY > one.days - EXPIRING_DAYS]
        if soon:
            yield Evidence(
                f"{counted(len(soon), 'transcript')} of {one.agent} "
                f"{'is' if len(soon) == 1 else 'are'} deleted within {EXPIRING_DAYS} days: it "
                f"keeps them for {one.days:g} days; to keep them longer: {one.setting}",
                agent=one.agent,
                at=min(soon),
                numbers={"transcripts": len(soon), "days": one.days},
            )
