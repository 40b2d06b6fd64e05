"""The state of a session's checkout, as git has it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file that differs from the base. Lines are None where git cannot count them."""

    path: str
    added: int | None = None
    deleted: int | None = None


@dataclass(frozen=True)
class CheckoutState:
    """A checkout as it stands. Paths are relative to its top; `top` is "" where there is no git.

    `base` is the commit that the session began at, "" when that is not known. `changed` is what
    differs from it (from HEAD when it is not known), uncommitted files included. `commits` are
    those on the way from it to HEAD, newest first, as `<id> <subject>`. `dirty` counts what is not
    committed, in words ("" for nothing), `work` is a digest of it. `kept` is a ref that holds work
    that is not on a branch. `shared`: it is another session's checkout, so that its changes say
    nothing about this one.
    """

    top: str = ""
    head: str = ""
    branch: str = ""
    base: str = ""
    changed: tuple[File, ...] = ()
    commits: tuple[str, ...] = ()
    dirty: str = ""
    uncommitted: tuple[str, ...] = ()
    work: str = ""
    kept: str = ""
    gone: bool = False  # there is no longer a checkout: this is what was kept
    shared: bool = False
    operation: str = ""  # what git is in the middle of, such as `rebase`
    unread: str = ""  # why git does not read it
