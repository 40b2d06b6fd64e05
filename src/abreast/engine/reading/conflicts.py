"""The conflicts between the sessions of a run, the target, and worktrees that others have made."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from abreast.engine.common.layout import layout_of, repository_of_run
from abreast.errors import AbreastError, NotFoundError
from abreast.git.changes import quarantine
from abreast.git.collide import ConflictSide, commit_on, find_collisions
from abreast.git.collide_lines import LineEdit, facing, read_edits
from abreast.git.guard import guard_aside, guard_worktree
from abreast.git.repository import Repository, find_repository, read_ref, resolve
from abreast.git.snapshot import build_tree
from abreast.git.worktree import Worktree, list_worktrees
from abreast.model.conflict_matrix import ConflictMatrix, PairConflict
from abreast.model.conflicts import FileConflict, Lines
from abreast.model.session import LandState, Run, Session
from abreast.places import Places
from abreast.store.reader import Reader

_MOST = 200  # sessions; as many as a worker looks at by itself
_OVER = {LandState.LANDED, LandState.UNDONE}
_Env = Mapping[str, str]
_Found = tuple[list[ConflictSide], list[tuple[str, str]]]  # and those that could not be read


def conflicts_of_run(
    run: Run, places: Places, *, session: str = "", all_worktrees: bool = False
) -> ConflictMatrix:
    """Return the conflicts of a run's sessions that have not landed, as their work is now.

    With `session`, only those of that one. With `all_worktrees`, the repository's other worktrees
    are sides too, but for those of ours.
    Nothing is written but to folders that are deleted afterwards. Raises NotFoundError when the
    repository is gone.
    """
    repository = repository_of_run(places, run.id, Path(run.repo))
    at = read_ref(repository, f"refs/heads/{run.target}") if run.target else None
    name, target = (run.target, at) if at else (run.base, run.base_sha)
    with quarantine(repository) as env:
        sides, left_out = _sessions(run.sessions, lambda _: repository, places, env)
        if all_worktrees:
            _add(_worktrees(repository, places, target, env), sides, left_out)
        known = [one.name for one in sides] + [left for left, _ in left_out]
        if session and session not in known:
            left_out.append((session, "it has landed, or has no work yet"))
        return _matrix(repository, (name, target), (sides, left_out), env, session)


def conflicts_of_worktrees(folder: Path, places: Places) -> ConflictMatrix:
    """Return the conflicts of all that is at work in the repository that `folder` lies in.

    That is its linked worktrees, and the sessions of any run that are at work, or done and not
    landed (the newest 200). The target is what the main checkout is on; its own changes are not
    looked at. Raises NotFoundError when that has no commit.
    """
    repository = find_repository(folder, worktrees=places.worktrees)
    main = list_worktrees(repository)[0]
    name = main.branch or "HEAD"
    if main.head is not None and not main.head.strip("0"):
        raise NotFoundError(f"{name} has no commit yet: there is nothing to compare with")
    target = main.head or resolve(repository, "HEAD")
    records = Reader(places.database).at_stake(str(repository.common_dir), _MOST)
    runs = {one.session.id: one.run for one in records}
    ours = [one.session for one in records if not one.session.state.final or one.session.commit]

    def opened(session: Session) -> Repository:
        run = runs[session.id]
        return repository_of_run(places, run.id, Path(run.repo))

    with quarantine(repository) as env:
        sides, left_out = _sessions(ours, opened, places, env)
        _add(_worktrees(repository, places, target, env), sides, left_out)
        return _matrix(repository, (main.branch or target[:12], target), (sides, left_out), env)


def _sessions(
    sessions: Sequence[Session],
    opened: Callable[[Session], Repository],
    places: Places,
    env: _Env,
) -> _Found:
    sides: list[ConflictSide] = []
    left_out: list[tuple[str, str]] = []
    for session in sessions:
        if not session.base_sha or session.landing in _OVER:
            continue
        try:
            tip = session.commit or _work(session, opened(session), places, env)
        except AbreastError as error:
            left_out.append((session.id, error.message))
            continue
        if tip:
            sides.append(ConflictSide(session.id, session.base_sha, tip))
    return sides, left_out


def _work(session: Session, repository: Repository, places: Places, env: _Env) -> str:
    """Return a commit of what is in a session's worktree, else of what was kept, else ""."""
    layout = layout_of(session, places, repository.common_dir)
    if session.worktree and layout.worktree.exists():
        tree = build_tree(guard_worktree(repository, layout.worktree), env=env).tree
        return commit_on(repository, tree, session.base_sha, env)
    return read_ref(repository, layout.ref("snap")) or ""


def _worktrees(
    repository: Repository, places: Places, target: str, env: _Env
) -> Iterator[ConflictSide | tuple[str, str]]:
    for one in list_worktrees(repository)[1:]:
        # Those of ours are sessions, warm ones that nobody works in, and scratch ones.
        if one.path.is_relative_to(places.worktrees.resolve()) or not one.head:
            continue
        try:
            yield _worktree(repository, one, one.head, target, env)
        except AbreastError as error:
            yield str(one.path), error.message


def _worktree(
    repository: Repository, one: Worktree, head: str, target: str, env: _Env
) -> ConflictSide | tuple[str, str]:
    name = str(one.path)
    if not one.path.is_dir():
        return name, "its folder is gone"
    asked = repository.call("merge-base", "--end-of-options", target, head, codes=(0, 1))
    if not (base := asked.stdout.strip()):
        return name, "it has no commit in common with the target"
    with tempfile.TemporaryDirectory(prefix="abreast-guard.") as folder:
        guarded = guard_aside(repository, one.path, Path(folder, "git"))
        tree = build_tree(guarded, env=env).tree
    return ConflictSide(name, base, commit_on(repository, tree, base, env))


def _add(
    found: Iterator[ConflictSide | tuple[str, str]],
    sides: list[ConflictSide],
    left_out: list[tuple[str, str]],
) -> None:
    for one in found:
        if isinstance(one, ConflictSide):
            sides.append(one)
        else:
            left_out.append(one)


def _matrix(
    repository: Repository,
    at: tuple[str, str],
    found_sides: _Found,
    env: _Env,
    session: str = "",
) -> ConflictMatrix:
    (name, target), (sides, left_out) = at, found_sides
    found = find_collisions(repository, sides, target, env=env)
    by_name = {side.name: side for side in sides}
    pairs = [
        (by_name[one.name], ConflictSide(name, by_name[one.name].base, target), one.paths)
        for one in found.target
    ]
    pairs += [(by_name[one.one], by_name[one.other], one.paths) for one in found.pairs]
    if session:
        pairs = [pair for pair in pairs if session in {pair[0].name, pair[1].name}]
    found_files = (files_in_conflict(repository, *pair, env) for pair in pairs)
    conflicts = tuple(
        PairConflict(one.name, other.name, tuple(files))
        for (one, other, _), files in zip(pairs, found_files, strict=True)
    )
    return ConflictMatrix(name, target, tuple(by_name), conflicts, tuple(left_out), session)


def files_in_conflict(
    repository: Repository,
    one: ConflictSide,
    other: ConflictSide,
    paths: Sequence[str],
    env: Mapping[str, str],
) -> Iterator[FileConflict]:
    """Yield for each path in which two sides conflict the lines of each."""
    mine = read_edits(repository, one.base, one.tip, paths, env=env)
    theirs = read_edits(repository, other.base, other.tip, paths, env=env)
    for path in paths:
        ones, others = mine.get(path, ()), theirs.get(path, ())
        # Line numbers of different old files say nothing of each other: all edits are named.
        same = one.base == other.base
        yield FileConflict(
            path, _lines(ones, others if same else ()), _lines(others, ones if same else ())
        )


def _lines(ones: Sequence[LineEdit], others: Sequence[LineEdit]) -> Lines:
    return tuple((span.first, span.last) for span in facing(ones, others))
