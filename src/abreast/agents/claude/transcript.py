"""Claude Code's own record of a session, as far as its stream needs to be completed."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from abreast.agents.lines import load_line


def written(config: Path, session: str, *kinds: str) -> Iterator[Mapping[str, Any]]:
    """Yield the messages of `session` under the CLI's folder `config`, by default its replies.

    A reply is written once for each of its parts, each time with its final usage.
    """
    wanted = kinds or ("assistant",)
    found = (
        (config / "projects").glob(f"*/{session}.jsonl") if re.match(r"[\w-]+$", session) else ()
    )
    for path in found:
        for record in _records(path):
            message = record.get("message")
            if record.get("type") in wanted and isinstance(message, dict):
                yield message


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    record = load_line(line)
                except ValueError:  # the last line of a process that was killed
                    continue
                if isinstance(record, dict):
                    yield record
    except OSError:
        return
