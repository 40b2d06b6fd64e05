"""The hook that Codex runs when a session ends."""

from collections.abc import Mapping

from abreast.agents.codex.config import codex_home
from abreast.agents.codex.hooks import trust
from abreast.agents.connecting import Layout
from abreast.agents.ending_hooks import EndingHook

_SECONDS = 3  # it takes no more, whatever is asked for


def ending_hook(command: str, environ: Mapping[str, str]) -> EndingHook:
    """Return the hook that runs `command` when a session of the user's ends.

    Codex skips a hook without a word unless a digest of it stands in `hooks.state`, by its number.
    """
    file = codex_home(environ) / "config.toml"
    handler = {"type": "command", "command": command, "timeout": _SECONDS}
    return EndingHook(
        file,
        Layout.TOML,
        {"hooks": [handler]},
        off=("features", "hooks"),
        off_value=False,
        beside=lambda number: trust(str(file), "session_end", number, handler),
    )
