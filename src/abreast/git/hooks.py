"""The hooks that `git commit` would run: the user's as they were before agents began, or the files
that a commit has for them. No hook that an agent wrote is among them.

A guard records where they are (`record_hooks`). What lies outside the work tree is copied there;
what lies in it is looked up in the commit that is asked for.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from abreast.errors import GitError
from abreast.git.call import call, git, split
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository
from abreast.process.files import load_as, write_json

HOOKS = ("pre-commit", "commit-msg")
DESCRIBED = (
    ".husky",
    ".lefthook.json",
    ".lefthook.toml",
    ".lefthook.yaml",
    ".lefthook.yml",
    ".overcommit.yml",
    ".pre-commit-config.yaml",
    "lefthook.json",
    "lefthook.toml",
    "lefthook.yaml",
    "lefthook.yml",
)
"""Where the hooks of well-known tools read from the work tree what they are to run."""

_RECORD = "hooks.json"  # in the guard
_OUTSIDE, _INSIDE = "hooks", "hooks-inside"  # copies of a folder, by whether the work tree has it
_HOOK_BYTES = 10_000_000
_MOST_FILES, _MOST_BYTES = 1000, 100_000_000
_LINKS = 5  # that lead to one another
_PROGRAM, _LINK = "100755", "120000"  # git's modes


@dataclass(frozen=True)
class HookRecord:
    """Where the user's hooks were. `folder` is below the top of the work tree, or None; `linked`
    are those that lie elsewhere, but are links to a file there.
    """

    folder: str | None = None
    linked: Mapping[str, str] | None = None


@dataclass(frozen=True)
class CommitHooks:
    """The hooks to run, by name: absolute, or relative to the top of the work tree.

    `defined_in` are the paths there that define them. `given` are files, below the guard, for the
    `folder` in the work tree that no commit has.
    """

    programs: Mapping[str, Path]
    defined_in: tuple[str, ...] = ()
    folder: str = ""
    given: Mapping[str, Path] | None = None


def record_hooks(repo: Repository, guard: Path) -> None:
    """Keep in `guard` the user's hooks as they are now, with what lies beside them."""
    if repo.tree is not None:
        return
    named = call(repo.place, "rev-parse", "--git-path", "hooks").stdout.removesuffix("\n")
    hooks = repo.place / named
    folder = _in_tree(repo, hooks)
    linked = {name: _in_tree(repo, hooks / name) for name in HOOKS if (hooks / name).is_symlink()}
    known = {name: path for name, path in linked.items() if path} if folder is None else {}
    write_json(guard / _RECORD, HookRecord(folder, known), flush=False)
    # A post-checkout hook that lies in the work tree is the repository's, not the user's.
    wanted = HOOKS if folder is not None else (*HOOKS, "post-checkout")
    if folder != "." and any((hooks / name).is_file() for name in wanted):
        _copy(hooks, guard / (_OUTSIDE if folder is None else _INSIDE))


def _in_tree(repo: Repository, path: Path) -> str | None:
    """Return where `path` lies in the work tree, below its top; None: it does not."""
    real = path.resolve()
    if repo.toplevel is None or real.is_relative_to(repo.common_dir.resolve()):
        return None
    top = repo.toplevel.resolve()
    return real.relative_to(top).as_posix() if real.is_relative_to(top) else None


def _copy(source: Path, goal: Path) -> None:
    count = size = 0
    for place, folders, names in os.walk(source):
        folders[:] = [name for name in folders if name != ".git"]
        folder = goal / Path(place).relative_to(source)
        folder.mkdir()
        for name in names:
            file = Path(place, name)
            if file.is_file() and file.suffix != ".sample" and file.stat().st_size < _HOOK_BYTES:
                with contextlib.suppress(OSError):  # git could not read it either
                    shutil.copy2(file, folder / name)
                count, size = count + 1, size + file.stat().st_size
        if count >= _MOST_FILES or size >= _MOST_BYTES:
            return


def hooks_of(repo: Repository, commit: str) -> CommitHooks | None:
    """Return the hooks that `commit` is to be followed by; None when there are none.

    Git is asked only where one may lie in the work tree.
    """
    record = load_as(HookRecord, repo.guard / _RECORD) if repo.guard else None
    if record is None or repo.guard is None:
        return None
    linked = record.linked or {}
    if record.folder is None:
        outside = {name: repo.guard / _OUTSIDE / name for name in HOOKS if name not in linked}
        programs = {name: file for name, file in outside.items() if os.access(file, os.X_OK)}
        found, defined = _tracked(repo, commit, linked)
        programs |= found
        return CommitHooks(programs, (*defined, *DESCRIBED)) if programs else None
    wanted = {name: (PurePosixPath(record.folder) / name).as_posix() for name in HOOKS}
    programs, defined = _tracked(repo, commit, wanted)
    given = _given(repo, commit, record.folder, repo.guard / _INSIDE)
    for name in HOOKS:
        if name in given and os.access(given[name], os.X_OK):
            programs[name] = Path(wanted[name])
    whole = (record.folder,) if record.folder != "." else ()
    defined = (*whole, *defined, *DESCRIBED)
    return CommitHooks(programs, defined, record.folder, given) if programs else None


def _tracked(
    repo: Repository, commit: str, wanted: Mapping[str, str]
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Return those that `commit` has as programs, and all paths that they are made of."""
    found, defined = dict[str, Path](), list[str]()
    for name, path in wanted.items():
        at = path
        for _ in range(_LINKS):
            entry = repo.call("ls-tree", "-z", commit, "--", at).stdout
            defined.append(at)
            if entry.startswith(_PROGRAM):
                found[name] = Path(path)
            if not entry.startswith(_LINK):
                break
            to = repo.call("cat-file", "blob", f"{commit}:{at}").stdout
            at = os.path.normpath(PurePosixPath(at).parent / to)
            if at.startswith(("/", "..")):
                break
    return found, tuple(defined)


def _given(repo: Repository, commit: str, folder: str, copies: Path) -> dict[str, Path]:
    """Return the copied files that `commit` does not have, by their path in the hooks' folder."""
    if not copies.is_dir():
        return {}
    listed = repo.call("ls-tree", "-r", "-z", "--name-only", commit, "--", f"{folder}/").stdout
    has = {PurePosixPath(path) for path in split(listed)}
    files = (file for file in copies.rglob("*") if file.is_file())
    named = {file.relative_to(copies).as_posix(): file for file in files}
    return {name: file for name, file in named.items() if PurePosixPath(folder, name) not in has}


def give_files(hooks: CommitHooks, worktree: Guarded) -> None:
    """Put into a scratch worktree what its commit does not have of the hooks' folder.

    What is there untracked, by whomever, goes first. Raises `GitError` when a link leads outside.
    """
    if not hooks.folder or hooks.folder == ".":
        return
    index = {"GIT_INDEX_FILE": str(worktree.start)}
    git(worktree, "--literal-pathspecs", "clean", "-ffdxq", "--", hooks.folder, env=index)
    top = worktree.path.resolve()
    for name, file in (hooks.given or {}).items():
        goal = worktree.path / hooks.folder / name
        goal.parent.mkdir(parents=True, exist_ok=True)
        if goal.parent.resolve() != top / PurePosixPath(hooks.folder, name).parent:
            argv = ("git", "hook", "run", name)
            raise GitError(argv, None, stderr=f"a link is in the place of {hooks.folder}")
        shutil.copy2(file, goal)


def with_paths_of(repo: Repository, tree: str, donor: str, paths: Iterable[str]) -> str:
    """Return `tree` with `paths` as `donor` has them, or has them not; both are trees or commits.

    What is the same already costs one process. The result is a tree's id.
    """
    shape = ("--literal-pathspecs", "diff-tree", "-r", "-z", "--no-renames", "--full-index")
    fields = split(repo.call(*shape, tree, donor, "--", *paths).stdout)
    gone, there = list[str](), list[str]()
    for info, path in zip(fields[::2], fields[1::2], strict=True):
        _, mode, _, blob, status = info.split()
        entry = f"{'0' if status == 'D' else mode} {blob}\t{path}\0"
        (gone if status == "D" else there).append(entry)
    if not fields:
        return repo.call("rev-parse", "--verify", f"{tree}^{{tree}}").stdout.strip()
    with tempfile.TemporaryDirectory(prefix="abreast-index.") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        repo.call("read-tree", tree, env=env)
        lines = "".join((*gone, *there))
        repo.call("update-index", "-z", "--add", "--index-info", stdin=lines, env=env)
        return repo.call("write-tree", env=env).stdout.strip()


def staged_tree(repo: Repository, worktree: Guarded) -> str:
    """Return the tree of what the index of `worktree` holds, written to the repository's objects.

    Raises `GitError` for an index that no commit can be made of.
    """
    objects = {"GIT_OBJECT_DIRECTORY": str(repo.common_dir / "objects")}
    return git(worktree, "write-tree", env=objects).strip()
