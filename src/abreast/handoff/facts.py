"""All facts that are known of a session, and their wording."""

import posixpath
from dataclasses import dataclass, field

from abreast.handoff.commands import own_code
from abreast.handoff.page import Pen
from abreast.handoff.transcript import End, Ran, TranscriptFacts
from abreast.model.session import SessionState
from abreast.model.session_page import CheckedCommand
from abreast.model.transcript import Called, ToolKind


@dataclass(frozen=True)
class Origin:
    """What abreast knows of a session of its own: the task, and how it ended.

    `child`: it answers under a contract. `by_hand`: a person's own at a terminal, without a prompt.
    `lost`: it has not ended, and nobody works on it any more.
    """

    id: str
    run: str
    state: SessionState
    reason: str = ""
    hint: str = ""
    produces: str = ""
    prompt: str = ""
    commit: str = ""
    branch: str = ""
    landed: str = ""
    target: str = ""
    attempt: int = 1
    final_message: str = ""
    last_action: str = ""
    checks: tuple[CheckedCommand, ...] = ()
    child: bool = False
    by_hand: bool = False
    lost: bool = False


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


@dataclass(frozen=True)
class SessionFacts:
    """One session: the facts of its transcript, its checkout, and abreast's own record.

    `cwd` is where it began, as it called it: paths in its transcript may be relative to that.
    `within` is the same as a path from the top of the checkout, "" for the top itself.
    `gone`: that folder no longer exists.
    """

    transcript: TranscriptFacts = field(default_factory=TranscriptFacts)
    checkout: CheckoutState = field(default_factory=CheckoutState)
    origin: Origin | None = None
    cwd: str = ""
    within: str = ""
    gone: bool = False
    pen: Pen = field(default_factory=Pen)

    @property
    def done(self) -> bool:
        return self.origin is not None and self.origin.state is SessionState.DONE

    @property
    def cut_off(self) -> bool:
        """Whether the transcript ends in the middle: the session was killed, or still runs."""
        return self.transcript.end in {End.CUT_OFF, End.BETWEEN, End.UNANSWERED}

    def path(self, name: str) -> str:
        """Return a path relative to the top of the checkout; absolute when it lies outside."""
        whole = posixpath.normpath(posixpath.join(self.cwd or self.checkout.top, name))
        # The top by the name that the session has for it; there may be a link on the way.
        own = self.cwd.removesuffix(self.within).rstrip("/") if self.checkout.top else self.cwd
        for root in (own, self.checkout.top):
            if root and whole.startswith(f"{root.rstrip('/')}/"):
                return whole[len(root.rstrip("/")) + 1 :]
        return whole

    def outcome(self, ran: Ran) -> str:
        """Return how a command ended, as far as its exit code shows it."""
        if ran.code is None:
            return "was not run to its end"
        if ran.failed and ran.code == 0:
            return "failed"
        return f"exit {ran.code}" + ("" if own_code(ran.command) else " of its last part")

    def command(self, ran: Ran, *, said: bool = True) -> str:
        """Return a command with how it ended, and what it said last when it failed."""
        words = self.pen.words(ran.said, 140) if said and not ran.passed else ""
        if self.broken_off(ran):
            words = ""  # the CLI's own words to its model
        said_last = f": {words}" if words else ""
        return f"{self.pen.code(ran.command)} ({self.outcome(ran)}){said_last}"

    def broken_off(self, ran: Ran) -> bool:
        """Return whether the end of the session broke off this command."""
        if self.transcript.end is not End.BROKEN or ran.code is not None:
            return False
        last, call = self.transcript.ran[-1:], self.transcript.last_call
        ended_it = bool(last) and last[0] is ran
        return ended_it and call is not None and call.subject == ran.command

    def call(self, call: Called) -> str:
        """Return what a call does."""
        if call.kind is ToolKind.SHELL:
            return self.pen.code(call.subject)
        if call.kind is ToolKind.WRITE:
            return f"writing {self.pen.code(self.path(call.subject))}"
        if call.kind is ToolKind.READ:
            return f"reading {self.pen.code(self.path(call.subject))}"
        if call.kind is ToolKind.DELEGATE:
            return f'asking a subagent "{self.pen.words(call.subject, 100)}"'
        return f"the tool {self.pen.code(call.name, 40)}"
