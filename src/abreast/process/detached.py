"""Start a program that outlives us."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


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
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
) -> Detached:
    """Start `argv` in a session of its own, no standard input, output appended to `log`.

    Closing our terminal or killing our process group does not reach it. The caller may forget the
    returned handle only when it is about to exit; otherwise it should reap it.
    """
    with log.open("ab") as out:
        return Detached(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
