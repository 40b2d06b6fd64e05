"""The lines of a rollout, plain or compressed, and what its records have in common."""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from abreast.agents.lines import load_line

LONGEST = 64 * 2**20  # bytes of one line
KEPT = 4000  # characters of a text's head, and of its tail
BEGINNING = b'{"timestamp":'  # of a record; inside a text the quotes would be escaped
_HEAD = re.compile(r"Chunk ID|Wall time|Exit code|Process |Script ")
_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)
_PATCHED = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Record:
    """One line. `torn`: something unreadable stood before it on that line.

    `ordinal` is its place in the session's history, -1 in older versions.
    """

    at: float
    kind: str
    payload: Mapping[str, Any]
    ordinal: int = -1
    torn: bool = False


def load_record(line: bytes) -> Record | None:
    """Return the record on a line, or None: torn, or no record. Raises nothing.

    A process that was killed in the middle of a line leaves it open, and the next one of the same
    session goes on behind it.
    """
    value, torn = _load(line), False
    if value is None and (start := line.rfind(BEGINNING)) > 0:
        value, torn = _load(line[start:]), True
    if not isinstance(value, dict):
        return None
    kind, payload = value.get("type"), value.get("payload")
    if not isinstance(kind, str) or not isinstance(payload, dict):
        return None
    ordinal = value.get("ordinal")
    return Record(
        _seconds(value.get("timestamp")),
        kind,
        payload,
        ordinal if type(ordinal) is int else -1,
        torn,
    )


def _load(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        if rb"\ud" not in line.lower():
            return None
    try:  # half a character, which orjson refuses
        return load_line(line)
    except ValueError:
        return None


def load_text(text: Any) -> dict[str, Any]:
    """Return the JSON object in a text, such as a call's arguments; {} when there is none."""
    value = _load(text.encode(errors="replace")) if isinstance(text, str) else None
    return value if isinstance(value, dict) else {}


def _seconds(stamp: Any) -> float:
    if not isinstance(stamp, str):
        return 0.0
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return 0.0
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def open_record(path: Path) -> BinaryIO:
    """Open a rollout for reading, decompressed when its name ends in `.gz` or `.zst`.

    Raises OSError; also where this Python cannot read `.zst`, which 3.14 brings.
    """
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    if path.suffix != ".zst":
        return path.open("rb")
    try:
        zstd = import_module("compression.zstd")
    except ModuleNotFoundError:
        raise OSError(f"{path} is compressed by zstd, which Python 3.14 reads") from None
    return cast("BinaryIO", zstd.open(path, "rb"))


def record_lines(path: Path, warnings: list[str], longest: int = LONGEST) -> Iterator[bytes]:
    """Yield the lines of a rollout; what could not be read is added to `warnings`.

    A line over `longest` bytes is left out, and never in memory as a whole.
    """
    number = 0
    try:
        with open_record(path) as file:
            while line := file.readline(longest):
                number += 1
                if len(line) < longest or line.endswith(b"\n"):
                    yield line
                    continue
                warnings.append(f"line {number} is longer than {longest >> 20} MiB: left out")
                while line and not line.endswith(b"\n"):
                    line = file.readline(longest)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        warnings.append(f"cannot be read beyond line {number}: {error}")


def output_text(output: Any) -> str:
    """Return what a tool returned as text; a list has parts, some of them pictures."""
    if isinstance(output, list):
        return "\n".join(map(output_text, output))
    if isinstance(output, Mapping):
        output = output.get("text", output.get("content"))
        return output_text(output) if isinstance(output, list) else str(output or "")
    return str(output or "")


def exit_code(output: str) -> int | None:
    """Return the exit code that stands above a command's output, if it has ended."""
    if output.startswith('{"output":'):  # before 0.80 or so
        metadata = load_text(output).get("metadata")
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
        return code if isinstance(code, int) else None
    ended = _EXIT.search(output.partition("\nOutput:")[0])
    return int(ended[1]) if ended else None


def printed(output: str) -> str:
    """Return what a command printed, without what Codex writes above it."""
    head, mark, text = output.partition("\nOutput:\n")
    return text if mark and _HEAD.match(head) else output


def patched_files(patch: str) -> tuple[str, ...]:
    """Return the files that a patch names, as it names them."""
    return tuple(dict.fromkeys(_PATCHED.findall(patch)))


def one_line(text: str, most: int = 200) -> str:
    """Return text with its white space folded, cut at `most` characters."""
    folded = " ".join(text[: 4 * most + 1000].split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def cut(text: str) -> str:
    """Return a text without its middle when it is long, and without NUL, which no store takes."""
    if len(text) > 2 * KEPT:
        left_out = len(text) - 2 * KEPT
        text = f"{text[:KEPT]}\n[… {left_out} characters …]\n{text[-KEPT:]}"
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
