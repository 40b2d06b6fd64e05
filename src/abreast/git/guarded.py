"""A worktree that an agent can write to, looked at through a git directory of our own.

An agent can change whatever git reads in its worktree: the `.git` file, the index, a repository in
the place of a submodule; one that no sandbox confines can change the shared configuration and the
hooks as well. Git runs programs that these name. So no call of ours on such a tree reads them: it
gets a git directory whose configuration was written before the agent began, with an index and an
object folder of its own. What the agent's git says (its HEAD, its index) is copied there as data.

Files are also compared without git, by marks of what they hold.
"""

import contextlib
import hashlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import GitError
from abreast.process.scratch import scratch_of

# Marks of file contents: two states are equal when their marks are equal.
#
# Read without git, so that no filter, hook or configuration of the checkout has a part in it.

LARGEST = 64 * 2**20
"""Bytes of the largest file that is read; a larger one is known by its size and times.

Marks are made before and after a child reads a tree, and a data set that nobody has told git to
ignore may have gigabytes. Reading this much takes about 0.1 s.
"""
_SHORT = 4096  # bytes; HEAD, a ref and the file `.git` have one line
# Not a link, and not a pipe that has taken the file's place and may never answer.
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def content_mark(file: Path) -> str:
    """Return the mark of what is at `file` now; of a link, where it leads. Raises nothing.

    That it may be executed counts, as it does for git; when it was written does not. A folder that
    git names as one is another repository, and known by the commit that it is on.
    """
    try:
        mode = file.lstat().st_mode
        if stat.S_ISREG(mode):
            return _of_file(file)
        if stat.S_ISLNK(mode):
            return f"link {_digest(os.fsencode(file.readlink()))}"
        if stat.S_ISDIR(mode):
            return f"folder {_commit_in(file)}".strip()
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    except OSError as error:
        return f"unread {error.errno}"
    return f"special {stat.S_IFMT(mode):o}"


def _of_file(file: Path) -> str:
    with os.fdopen(os.open(file, _PLAIN), "rb") as opened:
        found = os.fstat(opened.fileno())
        kind = "program" if found.st_mode & stat.S_IXUSR else "file"
        if found.st_size > LARGEST:
            return f"{kind} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
        return f"{kind} {hashlib.file_digest(opened, 'sha256').hexdigest()}"


def _commit_in(folder: Path) -> str:
    """Return what tells one commit from another on which the repository `folder` is, or ""."""
    own = folder / ".git"
    if own.is_file():
        own = folder / _line(own).removeprefix("gitdir: ")
    head = _line(own / "HEAD")
    ref = head.removeprefix("ref: ")
    if ref == head:  # an id, or no repository
        return head
    common = own / (_line(own / "commondir") or ".")
    # With the reftable format HEAD is `ref: refs/heads/.invalid`, and the tables have it.
    tables = (where / "reftable" / "tables.list" for where in (common, own))
    packed = (common / "packed-refs", *tables)
    return _line(common / ref) or _digest("".join(map(_whole, packed)).encode())


def _line(file: Path) -> str:
    return _whole(file, _SHORT).removesuffix("\n")


def _whole(file: Path, most: int = LARGEST) -> str:
    return os.fsdecode(read_plain(file, most))


def read_plain(file: Path, most: int) -> bytes:
    """Return at most `most` bytes of what a file holds; b"" if it cannot be read.

    A link is none, nor is a pipe, which may never answer. Raises nothing.
    """
    try:
        with os.fdopen(os.open(file, _PLAIN), "rb") as opened:
            regular = stat.S_ISREG(os.fstat(opened.fileno()).st_mode)
            return opened.read(most) if regular else b""
    except (OSError, ValueError):  # a folder, a pipe, a NUL in the name
        return b""


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


# What HEAD may hold: the name of a ref, or a commit (SHA-1 or SHA-256).
_HEAD = re.compile(rb"ref: refs/[^\0\n]+\n|[0-9a-f]{40}(?:[0-9a-f]{24})?\n")
_HEAD_BYTES = 5000
_NOWHERE = b"ref: refs/abreast/nowhere\n"  # HEAD of a tree whose own HEAD says nothing


@dataclass(frozen=True)
class Guarded:
    """A worktree at `path`. `git_dir` is ours; `admin` is git's own folder for the worktree.

    `git_dir` holds `index` (the agent's, copied), `start` (the index as it was before the agent
    began, with what git knew of each file then) and `objects`, where our calls write.
    """

    path: Path
    git_dir: Path
    admin: Path

    @property
    def objects(self) -> dict[str, str]:
        """The variables under which git writes objects to our folder, and reads all there are."""
        return {"GIT_OBJECT_DIRECTORY": str(self.git_dir / "objects")}

    @property
    def start(self) -> Path:
        return self.git_dir / "start"

    @property
    def apart(self) -> Path:
        """What an agent in a sandbox writes in the place of git's folders: see `git.apart`."""
        return self.git_dir / "apart"

    def give_index(self) -> None:
        """Make `start`, which our git has brought up to date, the worktree's own index."""
        copy_index(self.start, self.admin / "index")

    @property
    def shared(self) -> Path:
        """The folder of the repository that the worktree belongs to."""
        return self.admin.parent.parent

    @property
    def in_tables(self) -> bool:
        """Whether refs are kept in tables (reftable), which only git reads."""
        return (self.shared / "reftable").is_dir()

    def copy_tables(self, head: str, refs: str) -> None:
        """Take HEAD and all refs as git has told them: a file HEAD, and lines `<id> <name>`."""
        lines = sorted(refs.splitlines(), key=lambda line: line.partition(" ")[2])
        packed = "# pack-refs with: sorted\n" + "".join(f"{line}\n" for line in lines)
        _put(self.git_dir / "packed-refs", os.fsencode(packed))
        _put(self.git_dir / "HEAD", os.fsencode(head))

    def copy_state(self) -> None:
        """Update our copies of HEAD and the index from the worktree.

        Raises `GitError` when git's folder for the worktree is gone.
        """
        if not self.admin.is_dir():
            raise GitError(
                ("git", "rev-parse", "--git-dir"),
                None,
                stderr=f"{self.path} no longer has a git folder: {self.admin}",
                hint="it is no longer a worktree; its work may be under refs/abreast/",
            )
        self.require_real()
        head = read_plain(self.admin / "HEAD", _HEAD_BYTES) or _NOWHERE
        wanted = head if _HEAD.fullmatch(head) else _NOWHERE
        if not self.in_tables and read_plain(self.git_dir / "HEAD", _HEAD_BYTES) != wanted:
            _put(self.git_dir / "HEAD", wanted)
        for part in self.admin.glob("sharedindex.*"):  # an index may be split over two files
            with contextlib.suppress(FileExistsError):
                (self.git_dir / part.name).symlink_to(part)
        copy_index(self.admin / "index", self.git_dir / "index")

    def require_real(self) -> None:
        """Raise `GitError` when a link has taken the worktree's place: it may lead to the user's
        checkout, which we would empty.
        """
        if self.path.is_symlink():
            raise GitError(
                ("git", "rev-parse", "--show-toplevel"),
                None,
                stderr=f"{self.path} is a link to {self.path.readlink()}, not a worktree",
                hint="nothing there was changed; inspect the link, then delete it",
            )

    def index_untouched(self) -> bool:
        """Return whether the agent's index is, byte for byte, the one from before it began."""
        return _stamp(self.admin / "index") == _stamp(self.start)


def copy_index(source: Path, goal: Path) -> None:
    """Make `goal` a copy of the index `source`, if it is none yet; without one there is none.

    The copy keeps the time stamp, because git tells from it which entries it must read again.
    """
    if source.is_symlink() or not source.is_file():
        goal.unlink(missing_ok=True)
    elif _stamp(source) != _stamp(goal):
        scratch = scratch_of(goal)
        shutil.copy2(source, scratch, follow_symlinks=False)
        scratch.replace(goal)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _put(file: Path, content: bytes) -> None:
    scratch = scratch_of(file)
    scratch.write_bytes(content)
    scratch.replace(file)


Where = Path | Guarded  # a checkout: the user's own, or one that an agent can write


def path_of(where: Where) -> Path:
    """Return the folder of a checkout."""
    return where.path if isinstance(where, Guarded) else where


def known_guard(path: Path) -> Guarded | None:
    """Return the worktree at `path` as it is guarded already, or None; git is asked nothing."""
    folder = guard_folder(path)
    try:
        named = (folder / "admin").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    return Guarded(path, folder, Path(named))


def guard_around(folder: Path, root: Path) -> Guarded | None:
    """Return the guarded worktree, somewhere below `root`, that `folder` lies in, or None."""
    real, top = folder.resolve(), root.resolve()
    if not real.is_relative_to(top):
        return None
    # From the top: below a worktree, anything may be called like a guard.
    between = [parent for parent in (real, *real.parents) if parent.is_relative_to(top)]
    return next((found for path in reversed(between) if (found := known_guard(path))), None)


def guard_folder(path: Path) -> Path:
    """Return where the guard of the worktree at `path` lies: no task is called like that."""
    return path.with_name(f"{path.name}+git")
