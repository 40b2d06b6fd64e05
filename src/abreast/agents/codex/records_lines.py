"""The records of a rollout: what they have in common, and what their texts hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abreast.agents import recorded
from abreast.agents.recorded import load_json, seconds

ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
"""How the name of a rollout ends; newer versions compress those that are done with."""

BEGINNING = b'{"timestamp":'  # of a record; inside a text the quotes would be escaped
_HEAD = re.compile(r"Chunk ID|Wall time|Exit code|Process |Script ")
_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)
_PATCHED = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """One line. `torn`: something unreadable stood before it on that line.

    `ordinal` is its place in the session's history, -1 in older versions.
    """

    at: float
    kind: str
    payload: Mapping[str, Any]
    ordinal: int = -1
    torn: bool = False


def load_record(line: bytes) -> RolloutLine | None:
    """Return the record on a line, or None: torn, or no record. Raises nothing.

    A process that was killed in the middle of a line leaves it open, and the next one of the same
    session goes on behind it.
    """
    value, whole = recorded.load_record(line, BEGINNING)
    if value is None:
        return None
    kind, payload = value.get("type"), value.get("payload")
    if not isinstance(kind, str) or not isinstance(payload, dict):
        return None
    ordinal = value.get("ordinal")
    return RolloutLine(
        seconds(value.get("timestamp")),
        kind,
        payload,
        ordinal if type(ordinal) is int else -1,
        not whole,
    )


def load_text(text: Any) -> dict[str, Any]:
    """Return the JSON object in a text, such as a call's arguments; {} when there is none."""
    value = load_json(text.encode(errors="replace")) if isinstance(text, str) else None
    return value if isinstance(value, dict) else {}


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
