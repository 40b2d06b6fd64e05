"""Records of a CLI, read without trust in whoever wrote them: lines, and the values on them."""

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from abreast.agents.lines import load_line
from abreast.model.cause import Cause
from abreast.process import clock

MOST = 2**53
"""Beyond it JavaScript itself cannot count; no session has as many tokens."""


def as_text(value: Any) -> str:
    """Return the text that a value is, "" if it is not one."""
    return value if isinstance(value, str) else ""


def as_dict(value: Any) -> Mapping[str, Any]:
    """Return the object that a value is, {} if it is not one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """Return the list that a value is, [] if it is not one."""
    return value if isinstance(value, list) else []


def at(value: Any, *keys: str) -> Any:
    """Return what stands at `keys`, each in the object before; None when nothing does."""
    for key in keys:
        value = as_dict(value).get(key)
    return value


def count(value: Any) -> int | None:
    """Return the number of something, None if it is not one."""
    return value if type(value) is int and 0 <= value < MOST else None


def amount(value: Any) -> float | None:
    """Return an amount of money, None if it is not one."""
    plain = type(value) in {int, float} and 0 <= value < MOST
    return float(value) if plain and isfinite(value) else None


def stated_reset(cause: Cause, said: str) -> float | None:
    """Return when the limit resets that ended a session, if its CLI `said` so: Unix seconds."""
    if cause is not Cause.SESSION_LIMIT:
        return None
    from abreast.agents.resets import reset_time  # rarely needed, and every runner starts with us

    return reset_time(said, clock.wall())


LONGEST = 64 * 2**20
"""Bytes of the longest line that is read."""

KEPT = 4000
"""Characters that are kept of a long text's head, and of its tail."""

# Not a link, which may lead anywhere, and not a pipe, which may never answer.
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# A crash of the machine leaves NULs where nothing had been written yet.
_BLANK = b"\0 \t\r\n"
_BOM = b"\xef\xbb\xbf"


def open_record(path: Path, buffer: int = io.DEFAULT_BUFFER_SIZE) -> BinaryIO:
    """Open a regular file for reading, decompressed when its name ends in `.gz` or `.zst`.

    One whose name ends in `.json` holds one document, on as many lines as it likes: here on one. Of
    a plain file at most `buffer` bytes are read at once. Raises OSError; also for a link, a pipe or
    a folder.
    """
    try:
        descriptor = os.open(path, _PLAIN)
    except ValueError as odd:  # a NUL in the name
        raise OSError(str(odd)) from odd
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise OSError("it is not a regular file")
    fitting = min(buffer, max(found.st_size + 1, io.DEFAULT_BUFFER_SIZE))  # most files are small
    file = os.fdopen(descriptor, "rb", fitting)
    if path.suffix == ".json":
        return _Document(file)
    return _decompressed(file, path) if path.suffix in {".gz", ".zst"} else file


def is_link(path: Path) -> bool:
    """Return whether this is a symbolic link; what may not be looked at is none. Never raises."""
    return os.path.islink(path)  # noqa: PTH114 (that of Path raises PermissionError)


def _decompressed(file: BinaryIO, path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        unpacked = _Unpacked(file, gzip.GzipFile(fileobj=file), zlib.error)
        return cast("BinaryIO", io.BufferedReader(unpacked))
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return cast("BinaryIO", io.BufferedReader(_Unpacked(file, zstd.open(file), zstd.ZstdError)))


class _Document(io.BytesIO):
    """The JSON document in a file, on one line. OSError when there is none, or it is too long."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        content = file.read(LONGEST + 1).strip(_BLANK)
        if content and (len(content) > LONGEST or load_json(content) is None):
            file.close()
            raise OSError("it is not a JSON document, or too long")
        # In a text they would be escaped.
        line = content.replace(b"\r", b" ").replace(b"\n", b" ")
        super().__init__(line + b"\n" if line else b"")

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        super().close()
        self._file.close()


class _Unpacked(io.RawIOBase):
    """What a compressed file holds. Damage is an OSError, whatever the format calls it."""

    def __init__(self, file: BinaryIO, contents: Any, damage: type[Exception]) -> None:
        self._file, self._contents = file, contents
        self._damage = damage, EOFError  # the latter of a file that is torn

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._contents.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        try:
            found = self._contents.read(len(buffer))
        except self._damage as error:
            raise OSError(str(error)) from error
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        super().close()
        self._contents.close()
        self._file.close()  # neither format closes what it did not open


def record_lines(path: Path, warnings: list[str], longest: int = LONGEST) -> Iterator[bytes]:
    """Yield the lines of the file at `path`; what could not be read is added to `warnings`.

    A line over `longest` bytes is left out, and never in memory as a whole.
    """
    number = 0
    try:
        with open_record(path) as file:
            for line in split(file, longest):
                number += 1
                if line is None:
                    warnings.append(f"line {number} is longer than {longest} bytes: left out")
                else:
                    yield line
    except OSError as error:
        warnings.append(f"cannot be read beyond line {number}: {error}")


def split(file: BinaryIO, longest: int = LONGEST) -> Iterator[bytes | None]:
    """Yield each line; None stands for one that is longer than `longest` bytes."""
    while line := file.readline(longest + 1):
        if len(line) <= longest:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(longest)
        yield None


def load_record(line: bytes, again: bytes = b"") -> tuple[dict[str, Any] | None, bool]:
    """Return the JSON object on a line, None when there is none, and whether the line is whole.

    A process that is killed in the middle of a line leaves it open, and the next one of the same
    session goes on behind it: with `again`, how a record begins, the last one is returned.
    """
    value = load_json(line)
    if value is None and again and (start := line.rfind(again)) > 0:
        value = load_json(line[start:])
        return (value if isinstance(value, dict) else None), False
    return (value if isinstance(value, dict) else None), value is not None


def load_json(line: bytes) -> Any:
    """Return the JSON on a line, or None when there is none. Raises nothing."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        if line.startswith(_BOM):  # a script has written it anew
            return load_json(line[len(_BOM) :])
        if not line.startswith(b"\0") and rb"\ud" not in line and rb"\uD" not in line:
            return None
    try:  # half a character, which JavaScript writes and orjson refuses
        return load_line(line.strip(_BLANK))
    except ValueError:
        return None


def seconds(stamp: Any) -> float:
    """Return an ISO time as Unix seconds; 0.0 if it is not one."""
    if not isinstance(stamp, str):
        return 0.0
    try:
        at = datetime.fromisoformat(stamp)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def cut(text: str) -> str:
    """Return a text without its middle when it is long, and without NUL, which no store takes."""
    if len(text) > 2 * KEPT:
        left_out = len(text) - 2 * KEPT
        text = f"{text[:KEPT]}\n[… {left_out} characters …]\n{text[-KEPT:]}"
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
