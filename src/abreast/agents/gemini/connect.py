"""Gemini CLI: where it keeps MCP servers, skills and hooks, and how it is told of one."""

import json
import re
from collections.abc import Mapping

from abreast.agents.gemini.home import user_folder
from abreast.agents.parts import (
    NAME,
    SECONDS,
    SECONDS_A_CALL,
    EndingHook,
    Layout,
    Registration,
    Wanted,
    variables,
)

WAIT = 480.0  # its default, unless configured, are 600 s, which progress does not extend
SESSION = FOLDER = ""
# It takes from a server's environment whatever it holds for a secret (0.61.0), unless the entry
# names it. One that is not set then arrives empty, so that only those are named for which that is
# the same (an empty name of a file with certificates would mean: no certificates).
_TAKEN = re.compile(r"TOKEN(?!S)|SECRET|PASSWORD|KEY|AUTH|CREDENTIAL|GOOGLE_CLOUD_PROJECT")
_LEFT_OUT = re.compile(r"CERT|CLAUDE_CODE_CLIENT|_TTL_MS|_MECHANISM|_FILE$")
_TRUST = "Gemini CLI starts no server in a folder that you have not trusted"


def registration(wanted: Wanted) -> Registration:
    """Return how `wanted.server` is registered: trusted, because headless nobody can be asked."""
    program, *arguments = wanted.server
    folder = user_folder(wanted.environ) if wanted.top is None else wanted.top / ".gemini"
    references = [part for name in _secrets() for part in ("--env", f"{name}=${name}")]
    options = ("--scope", "user", "--trust", "--timeout", str(SECONDS_A_CALL * 1000))
    settings = {"privacy": {"usageStatisticsEnabled": False}}
    home = wanted.scratch / ".gemini"
    return Registration(
        config=folder / "settings.json",
        layout=Layout.JSON,
        keys=("mcpServers", NAME),
        skills=folder / "skills",
        command=("mcp", "add", NAME, program, *options, *references, "--", *arguments),
        env={"GEMINI_CLI_HOME": str(wanted.scratch), "GEMINI_CLI_NO_RELAUNCH": "true"},
        written=home / "settings.json",
        files={home / "settings.json": json.dumps(settings)},
        notes=(_TRUST,),
    )


def ending_hook(command: str, environ: Mapping[str, str]) -> EndingHook:
    """Return the hook that runs `command` when a session of the user's ends."""
    handler = {"name": "abreast-handoff", "type": "command", "command": command}
    group = {"hooks": [{**handler, "timeout": SECONDS * 1000}]}
    file = user_folder(environ) / "settings.json"
    return EndingHook(file, Layout.JSON, group, off=("hooksConfig", "enabled"), off_value=False)


def _secrets() -> list[str]:
    """Return the variables to name: references, which the CLI fills in; no value is written."""
    return [name for name in variables() if _TAKEN.search(name) and not _LEFT_OUT.search(name)]
