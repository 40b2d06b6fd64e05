"""Programs run to their end, started to outlive us, asked line by line, or given our terminal."""

import contextlib
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self, cast

from abreast.errors import CommandError


@dataclass(frozen=True)
class Completed:
    """How a program ended. Output is text, undecodable bytes replaced by surrogates."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    source: Path | None = None,
    sink: Path | None = None,
    timeout: float | None = None,
    check: bool = True,
    error: type[CommandError] = CommandError,
) -> Completed:
    """Run `argv` to its end and return what it printed.

    The program never sees our standard input. What may be too much for memory is read from the file
    `source` instead of `stdin`, and its output written to the file `sink`. Raises `error` (a
    `CommandError`) when it cannot be started, exceeds `timeout` seconds, or, with `check`, exits
    with a code other than 0.
    """
    place = str(cwd) if cwd is not None else None
    try:
        with contextlib.ExitStack() as files:
            given: dict[str, Any] = {"input": os.fsencode(stdin)}
            if source is not None:
                given = {"stdin": files.enter_context(source.open("rb"))}
            done = subprocess.run(
                argv,
                cwd=cwd,
                env=env,
                stdout=subprocess.PIPE if sink is None else files.enter_context(sink.open("wb")),
                stderr=subprocess.PIPE,
                timeout=timeout,
                check=False,
                **given,
            )
    except subprocess.TimeoutExpired as late:
        raise error(
            argv, None, stderr=f"did not end within {timeout} s: {late.stderr or b''!r}", cwd=place
        ) from late
    except OSError as failure:
        raise error(argv, None, stderr=str(failure), cwd=place) from failure
    result = Completed(
        tuple(argv), done.returncode, os.fsdecode(done.stdout or b""), os.fsdecode(done.stderr)
    )
    if check and result.code != 0:
        raise error(argv, result.code, result.stdout, result.stderr, cwd=place)
    return result


@contextlib.contextmanager
def _holding(text: bytes) -> Iterator[int]:
    """Yield what can be read from the start, however long, and has no name: no pipe fills."""
    if not text:
        yield subprocess.DEVNULL
        return
    import tempfile  # a supervisor imports this module, and mostly starts nobody

    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.seek(0)
        yield file.fileno()


class Detached(subprocess.Popen[bytes]):
    """A process that is meant to outlive us."""

    def __del__(self) -> None:
        """Drop the handle without the warning that Popen gives for a child still running.

        Popen's own clean-up stays: it reaps the child later if we live on.
        """
        super().__del__(_warn=_silent)  # type: ignore[call-arg]  # typeshed leaves it out


def _silent(*_: object, **__: object) -> None:
    pass


def spawn_detached(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path, given: bytes = b""
) -> Detached:
    """Start `argv` in a session of its own, output appended to `log`.

    What is `given` is its standard input: unlike its environment, nobody else sees it.

    Closing our terminal or killing our process group does not reach it. The caller may forget the
    returned handle only when it is about to exit; otherwise it should reap it.
    """
    with open(log, "ab", opener=_private) as out, _holding(given) as stdin:
        return Detached(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def spawn_waiting(argv: Sequence[str], env: Mapping[str, str], stdin: int) -> Detached:
    """Start `argv` in a session of its own, to be told by `stdin` what to do.

    What it prints is nobody's.
    """
    return Detached(
        argv,
        cwd="/",
        env=dict(env),
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        close_fds=True,
    )


class Piped:
    """A process that is asked by lines; it ends when its input does, at the latest with us."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start it. Raises CommandError when it cannot be started."""
        self._argv = argv
        try:
            self._process = subprocess.Popen(
                argv,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us: the end of its input ends it
            )
        except OSError as failure:
            raise CommandError(argv, None, stderr=str(failure)) from failure
        self._asked = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    def ask(self, line: bytes) -> bytes:
        """Return the line that answers this one. Raises CommandError when it has ended instead."""
        answer = b""
        process = self._process
        try:
            self._asked.write(line + b"\n")
            self._asked.flush()
            answer = self._answers.readline()
        except OSError as failure:
            raise CommandError(self._argv, process.poll(), stderr=str(failure)) from failure
        if not answer.endswith(b"\n"):
            raise CommandError(self._argv, process.poll(), stderr="it ended without an answer")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:  # it may be in the middle of a long answer
            self._process.kill()
        # Popen would flush and close both ends, and wait.
        self._process.communicate()


def run_foreground(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], given: bytes | None = None
) -> int:
    """Run `argv` with our terminal and wait for it; return its exit code (negative: the signal).

    What is `given` is its standard input; without it, that is ours.

    Keys such as Ctrl-C and a closed terminal are the program's business: we outlive them. SIGTERM
    is passed on. The terminal's settings are restored afterwards. Main thread only.

    Raises `CommandError` when the program cannot be started.
    """
    with _kept_terminal(), _kept_signals() as pass_on, _holding(given or b"") as held:
        try:
            child = subprocess.Popen(
                argv, cwd=cwd, env=dict(env), stdin=None if given is None else held
            )
        except OSError as failure:
            raise CommandError(argv, None, stderr=str(failure), cwd=str(cwd)) from failure
        pass_on.append(child)
        return child.wait()


@contextlib.contextmanager
def _kept_signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    children: list[subprocess.Popen[bytes]] = []

    def wait_on(_number: int, _frame: FrameType | None) -> None:
        """Do nothing. A handler, not SIG_IGN: the child would inherit that."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(number)

    handlers = {
        signal.SIGINT: wait_on,
        signal.SIGQUIT: wait_on,
        signal.SIGHUP: wait_on,
        signal.SIGTERM: pass_on,
    }
    before: dict[signal.Signals, Any] = {n: signal.signal(n, h) for n, h in handlers.items()}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _kept_terminal() -> Iterator[None]:
    """Put the terminal back as it was: a CLI that crashes leaves it raw and without echo."""
    try:
        settings = termios.tcgetattr(sys.stdin)
    except (termios.error, ValueError, OSError):  # no terminal, or no standard input at all
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # it has been closed meanwhile
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
