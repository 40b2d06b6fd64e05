"""Codex CLI: where it keeps MCP servers, skills and hooks, and how it is told of one."""

from collections.abc import Mapping

from abreast.agents.codex.config import codex_home, load_settings
from abreast.agents.codex.hooks import trust
from abreast.agents.connecting import (
    NAME,
    SECONDS_A_CALL,
    SECONDS_TO_START,
    Layout,
    Registration,
    Wanted,
    variables,
)
from abreast.agents.ending_hooks import EndingHook

WAIT = 240.0  # its default, unless configured, are 300 s
SESSION = FOLDER = ""
_SECONDS_AT_THE_END = 3  # it takes no more, whatever is asked for
_TRUST = "Codex reads a project's .codex/config.toml only once you trust the project"


def registration(wanted: Wanted) -> Registration:
    """Return how `wanted.server` is registered.

    A server of Codex inherits HOME, PATH and a few more, so that what our children need to log in
    is named; and every call would be refused where nobody can be asked, so that ours are approved.
    """
    folder = codex_home(wanted.environ) if wanted.top is None else wanted.top / ".codex"
    provider = load_settings(wanted.environ).provider.key
    # In a file that others share, the name of this user's own provider's key has no place.
    also = {provider} if provider and wanted.top is None else set()
    return Registration(
        config=folder / "config.toml",
        layout=Layout.TOML,
        keys=("mcp_servers", NAME),
        skills=folder / "skills",
        command=("mcp", "add", NAME, "--", *wanted.server),
        env={"CODEX_HOME": str(wanted.scratch)},
        written=wanted.scratch / "config.toml",
        extras={
            "startup_timeout_sec": SECONDS_TO_START,
            "tool_timeout_sec": SECONDS_A_CALL,
            "default_tools_approval_mode": "approve",
            "env_vars": sorted({*variables(), *also}),
        },
        notes=() if wanted.top is None else (_TRUST,),
    )


def ending_hook(command: str, environ: Mapping[str, str]) -> EndingHook:
    """Return the hook that runs `command` when a session of the user's ends.

    Codex skips a hook without a word unless a digest of it stands in `hooks.state`, by its number.
    """
    file = codex_home(environ) / "config.toml"
    handler = {"type": "command", "command": command, "timeout": _SECONDS_AT_THE_END}
    return EndingHook(
        file,
        Layout.TOML,
        {"hooks": [handler]},
        off=("features", "hooks"),
        off_value=False,
        beside=lambda number: trust(str(file), "session_end", number, handler),
    )
