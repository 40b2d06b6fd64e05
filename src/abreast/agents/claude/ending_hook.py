"""The hook that Claude Code runs when a session ends."""

from collections.abc import Mapping

from abreast.agents.claude.transcript import config_folder
from abreast.agents.connecting import Layout
from abreast.agents.ending_hooks import SECONDS, EndingHook


def ending_hook(command: str, environ: Mapping[str, str]) -> EndingHook:
    """Return the hook that runs `command` when a session of the user's ends."""
    group = {"hooks": [{"type": "command", "command": command, "timeout": SECONDS}]}
    file = config_folder(environ) / "settings.json"
    return EndingHook(file, Layout.JSON, group, off=("disableAllHooks",), off_value=True)
