"""How letters reach a Claude Code session that is at work: hooks in settings of its own."""

import json
from collections.abc import Mapping
from pathlib import Path

from abreast.agents import mailbox
from abreast.agents.base import Launch, Letter
from abreast.agents.claude.profile import takes

STRUCTURED = "StructuredOutput"  # the tool that a session under a schema answers by
_OTHERS = f"^(?!{STRUCTURED}$)"


def letter(text: str) -> Letter:
    """Return `text` as a hook after a tool call and one at the end of a turn have to print it."""
    context = {"hookEventName": "PostToolUse", "additionalContext": text}
    return Letter(
        tool=json.dumps({"hookSpecificOutput": context}),
        turn=json.dumps({"decision": "block", "reason": text}),
    )


def options(launch: Launch, files: dict[Path, str]) -> list[str]:
    """Return the options that make a session look into its mailbox, if it has one.

    Adds what they need to `files`.
    """
    if launch.mailbox is None:
        return []
    script, settings = launch.directory / "mailbox.sh", launch.directory / "claude-settings.json"
    files[script] = mailbox.script()
    tool = mailbox.command(script, launch.mailbox, mailbox.TOOL)
    turn = mailbox.command(script, launch.mailbox, mailbox.TURN)
    # After a call that failed another hook runs, for which the letter after a call is none.
    failed = mailbox.command(script, launch.mailbox, mailbox.TOOL, mailbox.TURN)
    hooks = {"PostToolUse": [_hook(tool)], "Stop": [_hook(turn)]}
    if launch.child is not None and takes(launch.child.schema):
        # The answer ends the session, whatever hooks say after it: a letter taken there is lost.
        # So it is refused before, with the letter as the reason, and comes again after that.
        hooks = {
            "PostToolUse": [_hook(tool, _OTHERS)],
            "PreToolUse": [_hook(turn, STRUCTURED)],
        }
    hooks["PostToolUseFailure"] = [_hook(failed, _OTHERS)]
    files[settings] = json.dumps({"hooks": hooks})
    return ["--settings", str(settings)]


def _hook(command: str, matcher: str = "") -> Mapping[str, object]:
    hook = {"hooks": [{"type": "command", "command": command}]}
    return {"matcher": matcher, **hook} if matcher else hook
