"""All output passes here: text that is not ours loses its escape sequences.

`guarded` puts a `Door` in the place of standard output and standard error, so that whatever is
printed (by click, a traceback, a library) is harmless. Three ways lead around it, all from here:
`console`, whose styles and cursor movements are our own, `styled`, for colours that we have put
into a harmless text, and `send`, for bytes that a pipe must get as they are.
"""

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer
    from rich.console import Console


class Door(io.TextIOBase):
    """A stream that hands harmless text on to `behind`; its `buffer` leads through it as well."""

    def __init__(self, behind: TextIO) -> None:
        self.behind = behind
        self.buffer = _Bytes(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # an attribute there
        return self.behind.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.behind.errors

    def write(self, text: str) -> int:
        if not text.replace("\n", "").isprintable():
            from abreast.model.text import harmless

            self.behind.write(harmless(text))
        else:
            self.behind.write(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        self.behind.flush()

    def isatty(self) -> bool:
        return self.behind.isatty()

    def fileno(self) -> int:
        return self.behind.fileno()


class _Bytes(io.BufferedIOBase):
    """Bytes for a door, such as click's completions: they are UTF-8."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def write(self, content: "Buffer") -> int:
        whole = bytes(content)
        self._door.write(self._decode(whole))
        return len(whole)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        self._door.flush()


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Put a door before standard output and standard error for as long as the block lasts.

    Where standard input was closed there is an empty one.
    """
    read, nothing = sys.stdin, None
    if read is None:
        sys.stdin = nothing = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            # An agent may say what this terminal's encoding cannot.
            stream.reconfigure(errors="replace")
    # A stream that was closed before we began is None.
    sys.stdout, sys.stderr = (cast("TextIO", s and Door(s)) for s in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        if nothing:
            sys.stdin = read
            nothing.close()


def console(*, stderr: bool = False) -> "Console":
    """Return a console on standard output (or error) whose texts are harmless, and never markup."""
    from abreast.cli.console import OurConsole

    return OurConsole(file=_behind(sys.stderr if stderr else sys.stdout), stderr=stderr)


def send(content: bytes) -> None:
    """Print bytes on standard output: as they are, but harmless when a terminal shows them."""
    if sys.stdout.isatty():
        sys.stdout.write(os.fsdecode(content))
    else:
        out = _behind(sys.stdout)
        out.flush()
        out.buffer.write(content)
    sys.stdout.flush()


def styled(text: str) -> None:
    """Print a text that is harmless but for styles that we have put into it."""
    out = _behind(sys.stdout)
    out.write(text)
    out.flush()


def on_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return sys.stdout.isatty()


def _behind(stream: object) -> TextIO:
    return stream.behind if isinstance(stream, Door) else cast("TextIO", stream)
