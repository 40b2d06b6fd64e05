"""What abreast has kept of sessions: by ref or folder, in words, and what is in it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class KeptKind(StrEnum):
    """What was kept; the word stands behind `@` in its name."""

    WORKTREE = "worktree"  # all that its worktree held, committed or not
    COMMITS = "commits"  # those that its agent made, before they were squashed
    EARLIER = "earlier"  # of attempts and repairs that were replaced, and branches that are gone
    SUBMODULE = "submodule"  # commits that were made in a submodule of its worktree
    TESTED = "tested"  # merged and verified, while the target's checkout was in the way
    BRANCH = "branch"  # of a session that no record tells of
    FILES = "files"  # what no commit can hold: large files, repositories made inside

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    KeptKind.WORKTREE: "all that its worktree held",
    KeptKind.COMMITS: "the commits of its agent",
    KeptKind.EARLIER: "what a later attempt replaced",
    KeptKind.SUBMODULE: "commits in a submodule",
    KeptKind.TESTED: "merged and verified, not landed",
    KeptKind.BRANCH: "its branch, without a record",
    KeptKind.FILES: "files that no commit can hold",
}


@dataclass(frozen=True)
class KeptWork:
    """One thing kept of a session. It is either a commit under a ref, or a folder.

    `name` is what to call it by: `RUN/TASK@KIND`. `at` is when it was kept, in Unix seconds.
    `repository` is the shared folder of the repository that holds the ref. `state` is how the
    session ended, "" where no record tells of it; `base` is the commit that it started from, "" if
    that is not known. `submodule` is the path of the submodule whose store holds the ref.
    """

    name: str
    session: str
    kind: KeptKind
    at: float
    repository: Path
    ref: str = ""
    commit: str = ""
    folder: Path | None = None
    state: str = ""
    base: str = ""
    submodule: str = ""

    @property
    def words(self) -> str:
        """What it is, as on a list."""
        return f"{self.kind.words}: {self.submodule}" if self.submodule else self.kind.words


@dataclass(frozen=True)
class KeptState:
    """One commit that a ref holds: its id, when it was made (Unix seconds), its first line."""

    commit: str
    at: float
    subject: str


@dataclass(frozen=True)
class KeptFile:
    """A file in what was kept, with the lines that differ from the base or its size in bytes."""

    path: str
    added: int | None = None
    deleted: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class KeptPage:
    """One thing kept and what is in it: the newest commits, and all files that differ."""

    work: KeptWork
    states: tuple[KeptState, ...]
    files: tuple[KeptFile, ...]


@dataclass(frozen=True)
class KeptList:
    """All that is kept, newest first; `notes` name the repositories that could not be asked."""

    works: tuple[KeptWork, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Restored:
    """Where something kept is now: on a `branch`, or in a `folder`."""

    work: KeptWork
    branch: str = ""
    folder: Path | None = None
