"""Codex's hooks as the way to a running session: they look into its mailbox (tried with 0.169.0).

Codex runs a hook that a person has trusted, and skips any other without a word. Trust is a digest
of the hook's definition that stands in the settings, so ours is given beside the hooks, for one
process and for no other hook: `--dangerously-bypass-hook-trust` would trust everybody's.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from abreast.agents import mailbox
from abreast.agents.base import Letter

_SECONDS = 5
_EVENTS = {mailbox.TOOL: ("PostToolUse", "post_tool_use"), mailbox.TURN: ("Stop", "stop")}
_SOURCE = "/<session-flags>/config.toml"  # what Codex calls options on the command line


def mail_hooks(script: Path, folder: Path) -> dict[str, Any]:
    """Return the settings that have Codex look into the mailbox `folder` by running `script`."""
    values: dict[str, Any] = {}
    trusted: dict[str, Any] = {}
    for point, (event, name) in _EVENTS.items():
        handler = _handler(mailbox.command(script, folder, point), point)
        values[f"hooks.{event}"] = [{"hooks": [handler]}]
        trusted |= trust(_SOURCE, name, 0, handler)
    return {**values, "hooks.state": trusted}


def letter(text: str) -> Letter:
    """Return `text` as Codex's hooks have to print it.

    After a tool call it becomes a developer message in the next request; at the end of a turn a
    user message, for which Codex asks the model once more.
    """
    context = {"hookEventName": "PostToolUse", "additionalContext": text}
    told = {"decision": "block", "reason": text}
    return Letter(json.dumps({"hookSpecificOutput": context}), json.dumps(told))


def trust(source: str, event: str, group: int, handler: dict[str, Any]) -> dict[str, Any]:
    """Return what belongs into `hooks.state` so that Codex runs the first hook of that group.

    `source` is the file in which it stands, `event` its name in small letters.
    """
    return {f"{source}:{event}:{group}:0": {"trusted_hash": _digest(event, handler)}}


def _handler(command: str, point: str) -> dict[str, Any]:
    handler: dict[str, Any] = {"type": "command", "command": command, "timeout": _SECONDS}
    if point == mailbox.TOOL:
        # Without, Codex cuts the middle out of a letter of more than 2,500 tokens. A hook at the
        # end of a turn may not say so: with it, it is not run.
        handler["additionalContextLimit"] = 0
    return handler


def _digest(event: str, handler: dict[str, Any]) -> str:
    """Return Codex's digest of a hook, as `hooks/list` of its app server tells it."""
    group = {"event_name": event, "hooks": [{**handler, "async": False}]}
    text = json.dumps(group, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
