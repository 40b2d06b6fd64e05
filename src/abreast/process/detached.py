"""Start a program that outlives us."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


@contextlib.contextmanager
def _holding(text: bytes) -> Iterator[int]:
    """Yield what can be read from the start, however long, and has no name: no pipe fills."""
    if not text:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.seek(0)
        yield file.fileno()


class Detached(subprocess.Popen[bytes]):
    """A process that is meant to outlive us."""

    def __del__(self) -> None:
        """Let go of it without the warning that Popen gives for a child still running.

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
    with log.open("ab") as out, _holding(given) as stdin:
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
