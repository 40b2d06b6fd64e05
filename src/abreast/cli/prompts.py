"""Tasks on the command line: in words, from a file or standard input, or written in an editor."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from abreast.errors import AbreastError
from abreast.process.files import from_home

_EDITED = "\0"  # what a bare -t stands for; no argument can hold it

option = click.option(
    "--task",
    "-t",
    "tasks",
    metavar="TEXT",
    multiple=True,
    help="A task in words, one -t for each; @FILE reads it from a file, - from standard input, and "
    "-t alone opens your editor",
)


class TaskCommand(click.Command):
    """A verb with `option`, whose value may be left out before another option or at the end.

    Click's own way to leave a value out takes every text that begins with a dash for an option.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {name for one in self.get_params(ctx) for name in one.opts if name.startswith("-")}
        whole: list[str] = []
        for at, one in enumerate(args):
            whole.append(one)
            after = args[at + 1].partition("=")[0] if at + 1 < len(args) else ""
            if one in {"-t", "--task"} and (at + 1 == len(args) or after in known):
                whole.append(_EDITED)
        return super().parse_args(ctx, whole)


def texts_of(given: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks in words; raises UsageError for a file that cannot be read."""
    if list(given).count("-") > 1:
        raise click.UsageError("standard input can be read once: give one -t -")
    return tuple(_text_of(one) for one in given)


@contextlib.contextmanager
def kept(given: Sequence[str], texts: Sequence[str]) -> Iterator[None]:
    """Keep what was written in an editor, and tell where, if the block fails."""
    try:
        yield
    except (AbreastError, click.Abort, KeyboardInterrupt):
        for one, text in zip(given, texts, strict=True):
            if one == _EDITED:
                folder = Path(tempfile.mkdtemp(prefix="abreast."))
                (folder / "task.md").write_text(text, encoding="utf-8")
                click.echo(f"what you wrote is kept: -t @{folder / 'task.md'}", err=True)
        raise


def _text_of(given: str) -> str:
    if given == "-":
        try:
            return sys.stdin.read().removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
        except UnicodeDecodeError as error:
            raise click.UsageError("-t -: standard input is not UTF-8") from error
    if given == _EDITED:
        return _edited()
    if not given.startswith("@"):
        return given
    file = from_home(given[1:])
    try:
        if not file.is_file():  # a pipe or a device may never end
            hint = "a text that begins with @ needs a space before it"
            raise click.UsageError(f"-t {given}: there is no file {file}; {hint}")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.UsageError(f"-t {given}: {file} cannot be read: {said}") from error


def _edited() -> str:
    """Return what a person writes in their editor."""
    if not sys.stdin.isatty():
        raise click.UsageError("-t needs a text: there is no terminal for an editor")
    try:
        text = click.edit("", extension=".md")
    except ValueError as error:  # $EDITOR is a command, with quotes
        raise click.UsageError(f"-t: $EDITOR is no command: {error}") from error
    if text is None or not text.strip():
        raise click.UsageError("-t: nothing was written, so nothing is started")
    return text
