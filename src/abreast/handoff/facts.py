"""All facts that are known of a session, and their wording."""

import posixpath
from dataclasses import dataclass, field

from abreast.handoff.checkout import CheckoutState
from abreast.handoff.commands import own_code
from abreast.handoff.line import Pen
from abreast.handoff.origin import Origin
from abreast.handoff.transcript import End, Ran, TranscriptFacts
from abreast.model.session import SessionState
from abreast.model.transcript import Called, ToolKind


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
