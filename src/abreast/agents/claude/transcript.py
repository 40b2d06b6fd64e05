"""Claude Code's own record of a session: where it lies, and the words that it has for things."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from abreast.agents.recorded import load_record, record_lines

# The CLI's own messages (API errors, "no response requested") carry this model.
SYNTHETIC = "<synthetic>"
WRITERS = {"Write": "write", "Edit": "edit", "MultiEdit": "edit", "NotebookEdit": "edit"}
READERS = {"Read": "read", "Glob": "glob", "Grep": "grep"}

_RECORD = b'{"parentUuid":'


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the CLI's own folder."""
    return Path(environ.get("CLAUDE_CONFIG_DIR") or Path(environ.get("HOME", "/")) / ".claude")


def written(config: Path, session: str, *kinds: str) -> Iterator[Mapping[str, Any]]:
    """Yield the messages of `session` under the CLI's folder `config`, by default its replies.

    A reply is written once for each of its parts, each time with its final usage.
    """
    wanted = kinds or ("assistant",)
    found = (
        (config / "projects").glob(f"*/{session}.jsonl") if re.match(r"[\w-]+$", session) else ()
    )
    for path in found:
        for line in record_lines(path, []):
            record = load(line)[0] or {}
            message = record.get("message")
            if record.get("type") in wanted and isinstance(message, dict):
                yield message


def load(line: bytes) -> tuple[dict[str, Any] | None, bool]:
    """Return the record on a line, None when there is none, and whether the line is whole."""
    return load_record(line, _RECORD)


def paths_of(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths among the arguments of one of the CLI's own tools."""
    for key in ("file_path", "notebook_path", "path"):
        if isinstance(arguments.get(key), str):
            yield arguments[key]


def prompt_tokens(usage: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the whole prompt's tokens, those read from the cache, and those written to it."""
    read = tokens(usage.get("cache_read_input_tokens"))
    stored = tokens(usage.get("cache_creation_input_tokens"))
    return tokens(usage.get("input_tokens")) + read + stored, read, stored


def tokens(value: Any) -> int:
    """Return a count as the CLI states it; what is no count is 0."""
    return value if type(value) is int and value > 0 else 0


def model_name(name: str) -> str:
    """Return the model's name without the mark of its context window: `claude-opus-4-8[1m]`."""
    return re.sub(r"\[\w+\]$", "", name)


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""
