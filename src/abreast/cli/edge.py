"""The outer edge: here, and only here, an exception becomes a message and an exit code."""

import contextlib
import gc
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from abreast.cli.door import guarded
from abreast.errors import AbreastError, OutputError, PlanError

INTERRUPTED = 130
OUR_BUG = 3
_ALLOCATIONS = 50_000  # between two searches for cycles, of which commands leave few


def guard(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; whatever happens ends in an exit code, and errors in words on stderr."""
    # With the default of 700, one that reads much spends a quarter of its time on them.
    gc.set_threshold(_ALLOCATIONS)
    as_json = _as_json(arguments)
    with guarded():
        try:
            code = _call(arguments)
            if sys.stdout is not None:  # it was closed before we began
                sys.stdout.flush()
        except AbreastError as error:
            code = _explain(error, as_json=as_json)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except BrokenPipeError:  # whoever read us has gone (`abreast logs … | head`)
            _let_go_of_output()
            code = 1
        except OSError as error:
            code = _refused(error, as_json=as_json)
        except Exception as error:  # noqa: BLE001 (the process ends here: record it, whatever it is)
            code = _report(error, as_json=as_json)
    return code


def _let_go_of_output() -> None:
    """Throw away what is still to be printed: Python flushes once more on exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused(error: OSError, *, as_json: bool) -> int:
    """Tell of a disk, or of standard output, that takes nothing more; all else is a bug of ours."""
    from abreast.places import find_places
    from abreast.process.room import refused

    if _is_of_output(error):
        _let_go_of_output()
        told: AbreastError | None = OutputError(
            f"standard output cannot be written: {error.strerror}",
            hint="what the command does may be done: `abreast status` tells",
        )
    else:
        told = refused(error, find_places().state, Path.cwd())
    return _report(error, as_json=as_json) if told is None else _explain(told, as_json=as_json)


def _is_of_output(error: OSError) -> bool:
    """Return whether it was raised by a write to one of our streams: that names no file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__")) if trace else ""
    return error.filename is None and module.startswith(("abreast.cli.", "rich.", "click."))


def _as_json(arguments: Sequence[str] | None) -> bool:
    """Return whether a command line, which may be wrong, asks for JSON."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return "--json" in given[: given.index("--") if "--" in given else None]


def _call(arguments: Sequence[str] | None) -> int:
    import click

    from abreast.cli.app import abreast

    try:
        code = abreast.main(arguments, prog_name="abreast", standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        if _as_json(arguments):
            _print_error("usage", wrong.format_message())
        return wrong.exit_code
    except click.Abort:  # that is how click passes Ctrl-C on
        return INTERRUPTED
    return int(code or 0)


def _print_error(kind: str, message: str, hint: str | None = None, **more: object) -> None:
    """Print an error as a document on standard output, where the answer would have been."""
    from abreast.cli.as_json import emit

    error = {"kind": kind, "message": message, "hint": hint, **more}
    try:
        emit({"error": error}, lines=True)  # it may come after others, each on a line of its own
        sys.stdout.flush()
    except OSError:  # the words on standard error have told it
        _let_go_of_output()


def _kind_of(error: AbreastError) -> str:
    """Return an error's kind as a document has it: `NotFoundError` is `not-found`."""
    words = re.findall("[A-Z][a-z]*", type(error).__name__.removesuffix("Error"))
    return "-".join(words).lower()


def _explain(error: AbreastError, *, as_json: bool) -> int:
    _say(explained(error))
    if as_json:
        found = {"problems": list(error.problems)} if isinstance(error, PlanError) else {}
        _print_error(_kind_of(error), error.message, error.hint, **found)
    return error.exit_code


def explained(error: AbreastError) -> str:
    """Return what a person reads of an error: what is wrong, and what to do next."""
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return f"abreast: {error.message}{hint}"


def _report(error: Exception, *, as_json: bool) -> int:
    import traceback

    trace = "".join(traceback.format_exception(error))
    _say(f"abreast: this is a bug: {type(error).__name__}: {error}")
    try:
        _say(f"hint: please report it with {_write_report(trace)}")
    except OSError as failure:
        _say(f"{trace}(no report file could be written: {failure})")
    if as_json:
        _print_error("bug", f"{type(error).__name__}: {error}")
    return OUR_BUG


def _write_report(trace: str) -> Path:
    import platform
    import time

    import abreast
    from abreast.places import find_places
    from abreast.process.files import private_folder, write_atomic

    folder = private_folder(find_places().logs)
    path = folder / f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    facts = [
        f"abreast {abreast.__version__}",
        f"python {platform.python_version()} on {platform.platform()}",
        # The verb alone: the rest of a command line may hold a prompt.
        f"verb {' '.join(sys.argv[1:2])}",
    ]
    write_atomic(path, "\n".join([*facts, "", trace]))
    return path


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # its disk is full, or it was closed: nobody can be told
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
