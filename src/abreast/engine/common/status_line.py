"""The line of `abreast status --line`, kept in a file so that a prompt can show it at once.

Whoever counts writes it, with what the database looked like; `abreast.cli.line` prints it as long
as that is so, or when a worker, which looks each second, has written it just now. It imports next
to nothing, because it is run for each prompt.
"""

import os

from abreast.process import clock

FILE = "line"
FRESH = 2.0
"""Seconds for which a line counts that a living worker has written, whatever has changed since."""

_WANTED = 3_600.0  # seconds after the last prompt in which a worker keeps the line
_STARTED = 19  # behind the name in /proc/PID/stat
_SETTLED = 0.05  # seconds after which a further write certainly gets another time


def mark(database: str) -> str:
    """Return what a SQLite file looks like: another one after each write; "" when unknown.

    `database` is a SQLAlchemy URL. Of one that was written just now it is unknown: two writes may
    share a time.
    """
    kind, _, path = database.partition(":///")
    if kind != "sqlite":
        return ""
    parts, newest = [], 0.0
    for name in (path, f"{path}-wal"):
        try:
            found = os.stat(name)  # noqa: PTH116 (pathlib takes longer than all the rest)
        except OSError:
            parts.append("none")
            continue
        parts.append(f"{found.st_ino} {found.st_size} {found.st_mtime_ns}")
        newest = max(newest, found.st_mtime)
    settled = clock.wall() - newest > _SETTLED
    return " ".join(parts) if settled else ""


def read(state: str, database: str) -> str | None:
    """Return the line of a state folder if it still counts, else None. The next prompt wants it."""
    path = os.path.join(state, FILE)  # noqa: PTH118
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            before, worker, text = file.read(4_096).split("\n", 2)
            at = os.fstat(file.fileno()).st_mtime
        _touch(f"{path}-wanted")
        unchanged = before and before == mark(database)
        fresh = worker and 0 <= clock.wall() - at <= FRESH
        if (unchanged or fresh) and (not worker or _lives(worker)):
            return text
    except (OSError, ValueError):
        pass
    return None


def content(before: str, worker: int | None, text: str) -> str:
    """Return what to write into the file: the database was as in `before` when it was counted.

    `worker` is the process that was at work then.
    """
    return f"{before}\n{'' if worker is None else process_mark(worker)}\n{text}"


def still(state: str) -> None:
    """Note that the line, which a living worker has written, is right at this moment."""
    os.utime(os.path.join(state, FILE))  # noqa: PTH118


def wanted(state: str) -> bool:
    """Return whether a prompt has asked for the line of late."""
    try:
        at = os.stat(os.path.join(state, f"{FILE}-wanted")).st_mtime  # noqa: PTH116, PTH118
    except OSError:
        return False
    return clock.wall() - at < _WANTED


def _touch(path: str) -> None:
    try:
        if clock.wall() - os.stat(path).st_mtime > _WANTED / 60:  # noqa: PTH116
            os.utime(path)
    except OSError:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.utime(path)


def process_mark(pid: int) -> str:
    """Return what names a living process: its id, and its start where /proc tells it; else ""."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            told = file.read().rpartition(")")[2].split()
    except OSError:
        if os.path.isdir("/proc/self"):  # noqa: PTH112
            return ""
        try:
            os.kill(pid, 0)
        except OSError:
            return ""
        return str(pid)
    return "" if told[0] in "ZX" else f"{pid} {told[_STARTED]}"


def _lives(worker: str) -> bool:
    return worker == process_mark(int(worker.partition(" ")[0]))
