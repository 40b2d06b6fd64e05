"""The agent `command`: any program that reads a prompt and changes files."""

import signal
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from abreast.agents.base import (
    SHELL,
    Agent,
    Capabilities,
    Command,
    Installed,
    Launch,
    Login,
    LoginState,
    Relied,
    StopSignal,
    StreamReader,
    relied,
    which,
)
from abreast.errors import AgentError
from abreast.model.cause import Cause
from abreast.model.events import Event, EventKind, Outcome, Verdict

PROMPT_FILE = "ABREAST_PROMPT_FILE"
_LINES = 20
_CHARACTERS = 2000


class CommandAgent(Agent):
    """Runs `choice.command` by `sh -c` in the worktree.

    The prompt is on its standard input and in the file that `$ABREAST_PROMPT_FILE` names. Exit
    code 0 is success, and the end of what it prints is its final message.
    """

    name = "command"
    title = "Command (any program)"
    capabilities = Capabilities(interactive=True)
    tells_tools = False
    install_hint = "it needs a POSIX shell named sh on PATH"

    def find(self, environ: Mapping[str, str]) -> Installed | None:
        found = which(environ, "sh")
        return Installed(found) if found else None

    def relies_on(self, installed: Installed, environ: Mapping[str, str]) -> tuple[Relied, ...]:  # noqa: ARG002
        return relied(environ, SHELL)

    def login(self, environ: Mapping[str, str]) -> Login:  # noqa: ARG002
        return Login(LoginState.NOT_NEEDED, "whatever the command needs is its own business")

    def headless(self, launch: Launch) -> Command:
        """Raises `AgentError` on `resume`: a command has no session to go back to."""
        if not launch.choice.command:
            raise AgentError(
                "the agent `command` has no command",
                hint='write agent = { command = "…" }',
            )
        if launch.resume:
            raise AgentError(
                f"`{launch.choice.command}` has no session to continue",
                hint="run it again from the start: abreast retry SESSION",
            )
        prompt = launch.directory / "command-prompt.txt"
        return Command(
            argv=(str(launch.installed.path), "-c", launch.choice.command),
            env={**launch.environ, PROMPT_FILE: str(prompt)},
            stdin=launch.prompt,
            files={prompt: launch.prompt},
            stop_signal=StopSignal.TERM,
        )

    def interactive(self, launch: Launch) -> Command:
        """Return the same command; at a terminal, only the file holds the prompt."""
        return replace(self.headless(launch), stdin="")

    def reader(self) -> "CommandReader":
        return CommandReader()


class CommandReader(StreamReader):
    """Keeps the end of the output; any line is fine, so none is ever skipped."""

    def __init__(self) -> None:
        self.skipped = 0
        self._tail: deque[str] = deque(maxlen=_LINES)

    def feed(self, line: bytes) -> Iterable[Event]:
        text = line.decode("utf-8", errors="replace").rstrip()[-_CHARACTERS:]
        self._tail.append(text)
        return (Event(EventKind.TEXT, text),) if text else ()

    def verdict(self, code: int | None, stderr: str) -> Verdict:
        final = "\n".join(self._tail).strip()[-_CHARACTERS:]
        if code == 0:
            return Verdict(Outcome.OK, final_message=final)
        said = (stderr.strip() or final)[-500:]
        reason = f"{_ending(code)}: {said}" if said else _ending(code)
        outcome = Outcome.UNKNOWN if code is None else Outcome.FAILED
        return Verdict(outcome, reason, cause=Cause.OTHER, final_message=final)


def _ending(code: int | None) -> str:
    if code is None:
        return "the command was lost"
    if code > 0:
        return f"the command exited with {code}"
    try:
        return f"the command was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"the command was ended by signal {-code}"


AGENT = CommandAgent()
