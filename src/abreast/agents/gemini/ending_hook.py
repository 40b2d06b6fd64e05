"""The hook that Gemini CLI runs when a session ends."""

from collections.abc import Mapping

from abreast.agents.connecting import Layout
from abreast.agents.ending_hooks import SECONDS, EndingHook
from abreast.agents.gemini.folder import user_folder


def ending_hook(command: str, environ: Mapping[str, str]) -> EndingHook:
    """Return the hook that runs `command` when a session of the user's ends."""
    handler = {"name": "abreast-handoff", "type": "command", "command": command}
    group = {"hooks": [{**handler, "timeout": SECONDS * 1000}]}
    file = user_folder(environ) / "settings.json"
    return EndingHook(file, Layout.JSON, group, off=("hooksConfig", "enabled"), off_value=False)
