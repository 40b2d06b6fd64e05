"""The hook that each CLI runs when a session of it ends: where it stands, and what it is told.

Tried with Claude Code 2.1.330, Codex 0.169.0 and Gemini CLI 0.61.0: all three run it also when a
quota has stopped the session. None runs it after a kill -9.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents.connecting import Layout
from abreast.agents.values import at

EVENT = ("hooks", "SessionEnd")
"""Where the groups of its hooks stand in a configuration, in all three."""

SECONDS = 30
"""The time that a hook is given, where the CLI lets us say it."""


@dataclass(frozen=True)
class EndingHook:
    """A hook in the user's own configuration: `group` belongs into the list at `EVENT`.

    In a TOML file at its end; `beside`, given its number there, returns what else belongs in the
    table `hooks.state`. With the setting `off` at `off_value` the CLI runs no hook at all, and
    says nothing about it.
    """

    config: Path
    layout: Layout
    group: Mapping[str, Any]
    off: tuple[str, ...] = ()
    off_value: bool = False
    beside: Callable[[int], dict[str, Any]] = lambda _: {}

    def hooks_off(self, settings: Mapping[str, Any]) -> str:
        """Return the setting by which the user has the CLI run no hooks, "" when there is none."""
        return ".".join(self.off) if at(settings, *self.off) is self.off_value else ""


def told(payload: str) -> tuple[Path | None, Path | None]:
    """Return the transcript and the folder of the session that a hook is told of on its input."""
    try:
        found = json.loads(payload)
    except ValueError:
        return None, None
    if not isinstance(found, dict):
        return None, None
    values = (found.get(key) for key in ("transcript_path", "cwd"))
    transcript, folder = (Path(v) if isinstance(v, str) and v else None for v in values)
    return transcript, folder
