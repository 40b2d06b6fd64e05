"""Commits of a worktree whose repository its agent can only read.

Within a sandbox the repository's shared folder is read-only. Two folders in the worktree's guard
stand in the place of what git writes. Objects go to `objects`; those of the repository are `shared`
in that, and git finds them there as an alternate. Git's own folder for the worktree is a copy,
`admin`, with a detached HEAD, so that a commit moves no branch. To the user's git the worktree is
all the while as it was: it never meets a commit that it does not have.

All of it is on disk at any moment: a kill loses nothing. `rejoin` brings the objects into the
repository, the branch to where HEAD is, and the index and the reflog back. What an agent could have
written is taken as data: git computes the id of each object anew.
"""

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from abreast.errors import GitError
from abreast.git.call import call
from abreast.git.guard import quoted
from abreast.git.guarded import Guarded, read_plain
from abreast.git.repository import Repository, read_ref, swap_ref
from abreast.git.status import OPERATIONS, head_commit, set_head
from abreast.process.files import write_atomic
from abreast.process.scratch import scratch_folder, scratch_of

SHARED = "shared"
INFO = "info"  # names further object folders: an agent can only read it
_TIP = "tip"  # where the branch was when HEAD left it
_AT_ONCE = 100  # objects that are written one by one; more become a pack, as `git fetch` does it
_LARGEST = 2**30  # bytes of a pack's index: some thirty million objects
_BRANCH = b"ref: refs/heads/"
_POINTER = 8192  # bytes of HEAD at most
_LONGEST = 200  # bytes of a file's name: a scratch file beside it has a longer one
# What says where the repository is and what else executes; submodules' repositories stay in place.
_STAYS = {"HEAD", "commondir", "gitdir", "locked", "config.worktree", "modules", "hooks"}


def apart_folder(tree: Guarded) -> Path:
    """Return where a confined agent's objects of the worktree are written."""
    return tree.apart / "objects"


def apart_admin(tree: Guarded) -> Path:
    """Return what stands in the place of git's own folder for the worktree."""
    return tree.apart / "admin"


def set_apart(tree: Guarded, *, rejoins: bool) -> None:
    """Make both folders. With `rejoins`, `rejoin` will be called; else what is made there goes.

    Safe to repeat, also while a process is at work in them.
    """
    objects = apart_folder(tree)
    for name in (INFO, "pack", SHARED):
        _make_real(objects / name)
    (tree.admin / "modules").mkdir(exist_ok=True)
    # Relative: in the sandbox this folder stands in the place of the repository's own.
    write_atomic(objects / INFO / "alternates", _alternates(tree))
    _read_also(tree, objects)
    note, own = tree.apart / _TIP, apart_admin(tree)
    head = head_commit(tree)
    if head is None or note.exists():
        return
    known = os.fsdecode(read_plain(own / "HEAD", _POINTER)).strip()
    if rejoins or known != head:
        with scratch_folder(own) as scratch:
            made = scratch / "admin"
            shutil.copytree(tree.admin, made, symlinks=True, ignore=_not_copied)
            (made / "modules").mkdir()
            (made / "HEAD").write_text(f"{head}\n", encoding="ascii")
            _remove(own)
            made.rename(own)
    if rejoins:
        write_atomic(note, f"{head} {_branch_of(tree) or ''}\n")


def _make_real(folder: Path) -> None:
    """Make a folder. A link in its place, which may lead anywhere, goes; so does a file."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        folder.mkdir(parents=True)


def _not_copied(_folder: object, names: list[str]) -> list[str]:
    return [name for name in names if name == "modules" or name.endswith(".lock")]


def rejoin(repo: Repository, tree: Guarded) -> None:
    """Bring what was committed apart into the repository, and the worktree to where it is.

    No process may be at work in the worktree. Safe to repeat; does nothing where nothing is apart.
    A branch that others have moved meanwhile stays; the commits are in the repository all the same,
    and in the worktree's reflog.
    """
    note, own = tree.apart / _TIP, apart_admin(tree)
    noted = os.fsdecode(read_plain(note, _POINTER))
    if not noted or not tree.admin.is_dir():
        return
    take_in(repo, tree)
    tip, _, branch = noted.strip().partition(" ")
    head = os.fsdecode(read_plain(own / "HEAD", _POINTER)).strip()
    if _ID.fullmatch(head) and _is_commit(repo, head):
        ref = f"refs/heads/{branch}"
        if branch and head != tip and read_ref(repo, ref) == tip:
            swap_ref(repo, ref, head, tip, reason="commit: apart, in a sandbox")
        if not branch:
            set_head(tree, head)
    _bring_back(own, tree.admin)
    note.unlink(missing_ok=True)


_ID = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")


def _is_commit(repo: Repository, name: str) -> bool:
    asked = repo.call("cat-file", "--batch-check=%(objecttype)", stdin=f"{name}\n")
    return asked.stdout.strip() == "commit"


def _bring_back(own: Path, admin: Path) -> None:
    """Copy the index, the reflog and what is under way to git's folder of the worktree."""
    for name in OPERATIONS:
        if not (own / name).exists():
            _remove(admin / name)
    left = _LARGEST
    for folder, folders, names in os.walk(own):
        below = Path(folder).relative_to(own)
        top = not below.parts
        folders[:] = [
            name
            for name in folders
            if not (top and name in _STAYS) and _is_free(admin / below / name, stat.S_ISDIR)
        ]
        for name in names:
            source, goal = Path(folder, name), admin / below / name
            if name.endswith(".lock") or (top and name in _STAYS) or not _is_plain(source):
                continue
            if len(os.fsencode(name)) > _LONGEST or not _is_free(goal, stat.S_ISREG):
                continue
            if _stamp(source) != _stamp(goal):
                left -= source.lstat().st_size  # of a file with holes, a copy has none
                if left < 0:
                    return
                goal.parent.mkdir(parents=True, exist_ok=True)
                scratch = scratch_of(goal)
                with contextlib.suppress(PermissionError):  # the agent's own doing
                    shutil.copy2(source, scratch, follow_symlinks=False)
                    scratch.replace(goal)


def _is_free(path: Path, kind: Callable[[int], bool]) -> bool:
    """Return whether there is nothing at `path`, or what is of this kind."""
    try:
        return kind(path.lstat().st_mode)
    except FileNotFoundError:
        return True


def _is_plain(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o700)  # an agent may have taken the right to write there
        for top, folders, _ in os.walk(path):
            for inner in (Path(top, name) for name in folders):
                if not inner.is_symlink():
                    inner.chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def head_apart(repo: Repository, tree: Guarded) -> str:
    """Return the commit that a session at work apart is on, brought into the repository; or ""."""
    if not (tree.apart / _TIP).exists():
        return ""
    take_in(repo, tree)
    head = os.fsdecode(read_plain(apart_admin(tree) / "HEAD", _POINTER)).strip()
    return head if _ID.fullmatch(head) and _is_commit(repo, head) else ""


def take_in(repo: Repository, tree: Guarded) -> None:
    """Copy the objects that were written apart into the repository, those that it lacks."""
    objects = apart_folder(tree)
    names = sorted(_objects_in(objects))
    if not names:
        return
    asked = "".join(f"{name}\n" for name in names)
    listed = repo.call("cat-file", "--batch-check=%(objectname)", stdin=asked).stdout
    lacking = [line.partition(" ")[0] for line in listed.splitlines() if line.endswith(" missing")]
    if not lacking:
        return
    # By way of a file: an agent may have committed more than there is memory.
    with scratch_folder(tree.apart / "pack") as scratch:
        _take(repo, tree, lacking, scratch / "pack", _Failures())


class _Failures:
    """Counts objects that git could not read: an agent can write many."""

    most = 64
    count = 0


def _take(
    repo: Repository, tree: Guarded, names: list[str], pack: Path, failures: _Failures
) -> None:
    """Copy these objects, by way of the file `pack`.

    Those that git cannot read are left out, unless they are many.
    """
    options = ("-q", "--stdout", "--window=0", "--threads=1")
    try:
        listed = "".join(f"{one}\n" for one in names)
        call(tree, "pack-objects", *options, stdin=listed, sink=pack)
    except GitError:
        failures.count += 1
        if failures.count > failures.most:
            raise
        if names[1:]:
            middle = len(names) // 2
            _take(repo, tree, names[:middle], pack, failures)
            _take(repo, tree, names[middle:], pack, failures)
        return
    few = len(names) <= _AT_ONCE
    command = ("unpack-objects", "-q") if few else ("index-pack", "--stdin", "--fix-thin")
    repo.call(*command, source=pack)


def _objects_in(objects: Path) -> Iterator[str]:
    """Yield the ids that the files of an object folder name, loose or packed.

    Behind a link are objects of others, and a pipe in the place of a file may never answer.
    """
    for folder in sorted(_names(objects, folders=True)):
        if len(folder) == 2:
            yield from (
                name for file in _names(objects / folder) if _ID.fullmatch(name := folder + file)
            )
    if "pack" in _names(objects, folders=True):
        for name in _names(objects / "pack"):
            if name.endswith(".idx"):
                file = objects / "pack" / name
                yield from _indexed(file, file.lstat().st_mtime_ns)


@lru_cache(maxsize=64)
def _indexed(file: Path, _changed: int) -> tuple[str, ...]:
    """Return the ids in a pack's index; none of one that git cannot read."""
    try:
        index = os.fsdecode(read_plain(file, _LARGEST))
        done = call(file.parent, "show-index", stdin=index, climb=True, codes=range(256))
    except GitError:
        return ()
    return tuple(line.split()[1] for line in done.stdout.splitlines()) if done.code == 0 else ()


def _names(folder: Path, *, folders: bool = False) -> list[str]:
    """Return the names of the files in a folder, or of the folders: of no link, and no pipe."""
    try:
        with os.scandir(folder) as entries:
            if folders:
                return [one.name for one in entries if one.is_dir(follow_symlinks=False)]
            return [one.name for one in entries if one.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _alternates(tree: Guarded) -> str:
    """Return the object folders that git is to read besides those written apart."""
    store = tree.shared / "objects"
    try:
        further = (store / "info" / "alternates").read_text(encoding="utf-8").splitlines()
    except OSError:
        further = []
    named = (line for line in further if line and not line.startswith("#"))
    whole = [SHARED, *(os.path.normpath(store / line) for line in named)]
    return "".join(f"{line}\n" for line in whole)


def _read_also(tree: Guarded, objects: Path) -> None:
    """Let our own calls on the worktree find what was written apart."""
    file = tree.git_dir / "objects/info/alternates"
    known = file.read_text(encoding="utf-8", errors="surrogateescape")
    line = f"{quoted(str(objects))}\n"
    if line not in known:
        write_atomic(file, known + line)


def _branch_of(tree: Guarded) -> str | None:
    """Return the branch that HEAD is on; None where it is detached."""
    head = read_plain(tree.admin / "HEAD", _POINTER)
    return os.fsdecode(head.removeprefix(_BRANCH)).strip() if head.startswith(_BRANCH) else None
