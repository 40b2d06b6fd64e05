"""Claude Code: where it keeps MCP servers, skills and hooks, and how it is told of one."""

import json
from collections.abc import Mapping
from pathlib import Path

from abreast.agents.claude.records_usage import config_folder
from abreast.agents.parts import NAME, SECONDS, EndingHook, Layout, Registration, Wanted

WAIT = 1800.0  # its default, unless configured, are 28 hours
SESSION = "CLAUDE_CODE_SESSION_ID"
FOLDER = "CLAUDE_PROJECT_DIR"
_SECONDS_A_CALL = 3600
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
_ASKS = (
    "Claude Code asks before it calls a tool of a server for the first time; headless it refuses "
    f"unless `--allowedTools mcp__{NAME}` is given"
)
_APPROVAL = "at a terminal Claude Code asks once whether to use the servers of this project"


def registration(wanted: Wanted) -> Registration:
    """Return how `wanted.server` is registered.

    `alwaysLoad` keeps the tools in the first request, instead of behind a search, and makes the
    session wait until the server is ready (2.1.330: else it starts after two seconds without it).
    """
    entry = {
        "type": "stdio",
        "command": wanted.server[0],
        "args": list(wanted.server[1:]),
        "timeout": _SECONDS_A_CALL * 1000,
        "alwaysLoad": True,
    }
    return Registration(
        config=_user_file(wanted) if wanted.top is None else wanted.top / ".mcp.json",
        layout=Layout.JSON,
        keys=("mcpServers", NAME),
        skills=(config_folder(wanted.environ) if wanted.top is None else wanted.top / ".claude")
        / "skills",
        command=("mcp", "add-json", "--scope", "user", NAME, json.dumps(entry)),
        env={**_QUIET, "CLAUDE_CONFIG_DIR": str(wanted.scratch)},
        written=wanted.scratch / ".claude.json",
        notes=(_ASKS,) if wanted.top is None else (_ASKS, _APPROVAL),
    )


def ending_hook(command: str, environ: Mapping[str, str]) -> EndingHook:
    """Return the hook that runs `command` when a session of the user's ends."""
    group = {"hooks": [{"type": "command", "command": command, "timeout": SECONDS}]}
    file = config_folder(environ) / "settings.json"
    return EndingHook(file, Layout.JSON, group, off=("disableAllHooks",), off_value=True)


def _user_file(wanted: Wanted) -> Path:
    """Return the file with the user's servers: where an older one is left, that is the one."""
    older = config_folder(wanted.environ) / ".config.json"
    if older.exists():
        return older
    named = wanted.environ.get("CLAUDE_CONFIG_DIR")
    return Path(named or wanted.environ["HOME"], ".claude.json")
