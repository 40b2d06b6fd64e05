"""Start a program that outlives us."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def spawn_detached(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own, no standard input, output appended to `log`.

    Closing our terminal or killing our process group does not reach it. The caller may forget the
    returned handle only when it is about to exit; otherwise it should reap it.
    """
    with log.open("ab") as out:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
