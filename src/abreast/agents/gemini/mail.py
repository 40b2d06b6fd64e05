"""How a running Gemini CLI session hears a letter: by hooks in an extension of its private home.

Hooks in the settings would do for most sessions, but the CLI takes these for the repository's own
and does not run them in a folder that is not trusted, as that of a child that only reads (0.61.0).
"""

import json
from pathlib import Path

from abreast.agents import mailbox
from abreast.agents.base import Launch, Letter

EXTENSION = "abreast-mail"
HEARD = "abreast: a message has come"
"""What the CLI shows for a letter at the end of a turn, instead of all its text."""

_POINTS = {"AfterTool": mailbox.TOOL, "AfterAgent": mailbox.TURN}


def letter(text: str) -> Letter:
    """Return `text` as the hooks print it: added to a tool's result, or as another turn."""
    added = {"hookEventName": "AfterTool", "additionalContext": text}
    turn = {"decision": "deny", "reason": text, "systemMessage": HEARD}
    return Letter(json.dumps({"hookSpecificOutput": added}), json.dumps(turn))


def extension_files(launch: Launch, home: Path) -> dict[Path, str]:
    """Return the extension's files in the `GEMINI_CLI_HOME` `home`; none without a mailbox."""
    if launch.mailbox is None:
        return {}
    folder = home / ".gemini" / "extensions" / EXTENSION
    script = folder / "mail.sh"
    hooks = {
        event: [
            {"hooks": [{"type": "command", "command": mailbox.command(script, launch.mailbox, at)}]}
        ]
        for event, at in _POINTS.items()
    }
    return {
        folder / "gemini-extension.json": json.dumps({"name": EXTENSION, "version": "1.0.0"}),
        folder / "hooks" / "hooks.json": json.dumps({"hooks": hooks}, indent=1),
        script: mailbox.script(),
    }


def extensions(launch: Launch) -> str:
    """Return the name for `--extensions`."""
    return "none" if launch.mailbox is None else EXTENSION
