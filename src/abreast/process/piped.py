"""A helper of our own that answers a line with a line for as long as we live."""

import subprocess
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Self, cast

from abreast.errors import CommandError


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
