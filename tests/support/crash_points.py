"""Runs in a worker before its first line: kills it at the next point where it never died before.
Or holds it there, until something else has been done to it (see `ABREAST_TEST_HOLD`).

A point is a place in the code at which a worker is about to change something outside itself: a
process that it starts, a file that it writes, renames or removes, a database transaction that it
commits. What was changed before is done, what comes after is not. A point is called by the
functions that led to it, so each is met once in a series of workers, whatever runs again; points
that a later version of the code brings are met without a word here.

With `ABREAST_TEST_HOLD`, a regular expression, the worker lives: at each new point whose name it
finds, the thread that comes there writes the name to a file `NUMBER.here` in the folder of points,
and waits for the file `NUMBER.go`; once there is a file `free`, nobody waits.

`ABREAST_TEST_EVERY` also makes points of files and folders that are only written: mostly they get
their name, or what refers to them, later.
"""

import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from abreast.runner.successor import Successor

_EVENTS = {
    "subprocess.Popen": "start",
    "os.posix_spawn": "start",
    "os.rename": "rename",
    "os.remove": "remove",
    "os.rmdir": "remove",
    "os.link": "link",
    "os.symlink": "link",
    "os.truncate": "truncate",
    "os.kill": "kill",
}
_WRITES = os.O_WRONLY | os.O_RDWR
_READS = frozenset(  # commands of git that change nothing
    {"cat-file", "config", "diff-files", "diff-tree", "for-each-ref", "log", "ls-files", "ls-tree"}
    | {"merge-base", "rev-list", "rev-parse", "status", "symbolic-ref", "var"}
)
_OURS = re.compile(r"/abreast/(.+)\.py$")
_PASSED_OVER = ("process/", "store/", "codec")  # doors: what matters is who goes through them
_WORK = re.compile(r"engine/working/(?!worker|lease_thread|conflicts|durable)")


def _install(folder: Path, *, every: bool, hold: str) -> None:
    seen_file = folder / "points"
    seen = set(seen_file.read_text().splitlines()) if seen_file.exists() else set()
    lock = threading.RLock()
    busy = threading.local()
    wanted = re.compile(hold) if hold else None

    def meet(what: str) -> None:
        if not what or getattr(busy, "now", False):
            return
        busy.now = True
        try:
            name = _name(what)
            if name is None:
                return
            with lock:
                if name in seen or (wanted and not wanted.search(name)):
                    return
                seen.add(name)
                with seen_file.open("a") as file:
                    file.write(f"{name}\n")
                if wanted is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                number = len(seen)
            _stand_still(folder, number, name)
        finally:
            busy.now = False

    def heard(name: str, arguments: tuple) -> None:
        if name in _EVENTS:
            meet(_described(_EVENTS[name], arguments))
        elif every and name == "open" and (arguments[2] or 0) & _WRITES:
            meet("" if arguments[0] == os.devnull else "write")

    sys.addaudithook(heard)
    event.listen(Engine, "commit", lambda _connection: meet("commit"))
    # What a runner starts when its agent has ended would not die.
    Successor.to_bytes = lambda self: b""


def _stand_still(folder: Path, number: int, name: str) -> None:
    here, go, free = folder / f"{number}.here", folder / f"{number}.go", folder / "free"
    scratch = folder / f"{number}.scratch"
    scratch.write_text(name)
    scratch.rename(here)
    while not (go.exists() or free.exists()):
        time.sleep(0.005)


def _described(what: str, arguments: tuple) -> str:
    if what != "start":
        return what
    argv = [os.fsdecode(one) for one in arguments[1]]
    program = Path(argv[0]).name
    if program != "git":
        return f"start {program}"
    words = iter(argv[1:])
    for word in words:
        if word == "-c":
            next(words)
        elif not word.startswith("-"):
            return "" if word in _READS else f"git {word}"
    return ""


def _name(what: str) -> str | None:
    """Return the name of the point where we are; None outside of the steps of the work."""
    frame, path, dbos = sys._getframe(2), [], []
    working = False
    while frame is not None:
        code = frame.f_code
        file = code.co_filename
        if ours := _OURS.search(file):
            module = ours[1]
            working = working or bool(_WORK.search(module))
            if not module.startswith(_PASSED_OVER) and code.co_name.isidentifier():
                path.append(f"{module.rpartition('/')[2]}.{code.co_name}")
        elif "/dbos/" in file and code.co_name.isidentifier():
            dbos.append(code.co_name)
        frame = frame.f_back
    if working:
        return " < ".join([what, *path])
    return _checkpoint(what, dbos)


def _checkpoint(what: str, functions: list[str]) -> str | None:
    """Return the name of the point where the engine keeps what a step has come to.

    A transaction in which it only looks something up is none.
    """
    from dbos._context import get_local_dbos_context

    context = get_local_dbos_context()
    if context is None or not context.workflow_id or not functions:
        return None
    if functions[0].startswith(("check_", "_read_")):
        return None
    kind = context.workflow_id.partition("/")[0]
    outer = next((name for name in reversed(functions) if not name.startswith("_")), "")
    return f"{what} < {functions[0]} < {outer} < {kind} {context.function_id}"


_install(
    Path(os.environ.pop("ABREAST_TEST_POINTS")),
    every=bool(os.environ.pop("ABREAST_TEST_EVERY", "")),
    hold=os.environ.pop("ABREAST_TEST_HOLD", ""),
)
