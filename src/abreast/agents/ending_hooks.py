"""The hook that each CLI runs when a session of it ends: where it stands, and what it is told.

Tried with Claude Code 2.1.330, Codex 0.169.0 and Gemini CLI 0.61.0: all three run it also when a
quota has stopped the session. None runs it after a kill -9.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents.claude.transcript import config_folder
from abreast.agents.codex.config import codex_home
from abreast.agents.codex.hooks import trust
from abreast.agents.connecting import Layout
from abreast.agents.gemini.folder import user_folder

EVENT = ("hooks", "SessionEnd")
"""Where the groups of its hooks stand in a configuration, in all three."""

_SECONDS = 30
# With this setting at that value a CLI runs no hook at all, and says nothing about it.
_OFF = {
    "claude": (("disableAllHooks",), True),
    "codex": (("features", "hooks"), False),
    "gemini": (("hooksConfig", "enabled"), False),
}


@dataclass(frozen=True)
class EndingHook:
    """A hook in the user's own configuration: `group` belongs into the list at `EVENT`.

    In a TOML file at its end, for Codex trusts a hook by its number.
    """

    config: Path
    layout: Layout
    group: Mapping[str, Any]

    def beside(self, number: int) -> dict[str, Any]:
        """Return what else belongs in the table `hooks.state` when ours is the group `number`.

        Codex skips a hook without a word unless a digest of it stands there.
        """
        if self.layout is not Layout.TOML:
            return {}
        return trust(str(self.config), "session_end", number, self.group["hooks"][0])


def ending_hook(agent: str, command: str, environ: Mapping[str, str]) -> EndingHook:
    """Return the hook that has the CLI of this agent run `command` when a session ends."""
    handler = {"type": "command", "command": command}
    if agent == "claude":
        group = {"hooks": [{**handler, "timeout": _SECONDS}]}
        return EndingHook(config_folder(environ) / "settings.json", Layout.JSON, group)
    if agent == "codex":
        # It takes no more than three seconds, whatever is asked for.
        group = {"hooks": [{**handler, "timeout": 3}]}
        return EndingHook(codex_home(environ) / "config.toml", Layout.TOML, group)
    milliseconds = _SECONDS * 1000
    group = {"hooks": [{"name": "abreast-handoff", **handler, "timeout": milliseconds}]}
    return EndingHook(user_folder(environ) / "settings.json", Layout.JSON, group)


def hooks_off(agent: str, settings: Mapping[str, Any]) -> str:
    """Return the setting by which the user has this CLI run no hooks, "" when there is none."""
    keys, off = _OFF[agent]
    value: Any = settings
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return ".".join(keys) if value is off else ""


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
