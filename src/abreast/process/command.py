"""Run a program to its end."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    timeout: float | None = None,
    check: bool = True,
    error: type[CommandError] = CommandError,
) -> Completed:
    """Run `argv` to its end and return what it printed.

    The program never sees our standard input. Raises `error` (a `CommandError`) when it cannot be
    started, exceeds `timeout` seconds, or, with `check`, exits with a code other than 0.
    """
    place = str(cwd) if cwd is not None else None
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=env,
            input=os.fsencode(stdin),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise error(
            argv, None, stderr=f"did not end within {timeout} s: {late.stderr or b''!r}", cwd=place
        ) from late
    except OSError as failure:
        raise error(argv, None, stderr=str(failure), cwd=place) from failure
    result = Completed(
        tuple(argv), done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)
    )
    if check and result.code != 0:
        raise error(argv, result.code, result.stdout, result.stderr, cwd=place)
    return result
