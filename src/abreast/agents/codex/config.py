"""Codex's settings: what the user's own mean, how to override them, where hooks and servers go.

Codex merges `-c` overrides into config.toml table by table, so nothing can be switched off without
knowing its name: that is why the file is read at all. It is never written.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents import mailbox
from abreast.agents.base import Letter
from abreast.agents.parts import (
    NAME,
    SECONDS_A_CALL,
    SECONDS_TO_START,
    EndingHook,
    Layout,
    Registration,
    Wanted,
    variables,
)
from abreast.agents.recorded import as_dict

SYSTEM = Path("/etc/codex/config.toml")


OBEYED = (
    *("config.toml", "managed_config.toml", "requirements.toml", ".env", "hooks.json"),
    *(
        "AGENTS.md",
        "AGENTS.override.md",
        "agents",
        "hooks",
        "plugins",
        "prompts",
        "rules",
        "skills",
    ),
)
"""What Codex and its later sessions obey, in its home."""


def codex_home(environ: Mapping[str, str]) -> Path:
    """Return the folder of Codex's settings, login and sessions."""
    named = environ.get("CODEX_HOME")
    return Path(named) if named else Path(environ.get("HOME", "~")).expanduser() / ".codex"


@dataclass(frozen=True)
class Provider:
    """The model provider that Codex will ask. `table` is None for one that is built in."""

    name: str
    table: Mapping[str, Any] | None

    @property
    def key(self) -> str:
        """The variable that holds its API key; empty when OpenAI's login counts or none is."""
        table = self.table or {}
        return "" if table.get("requires_openai_auth") else str(table.get("env_key", ""))


@dataclass(frozen=True)
class Settings:
    """The user's config.toml and the machine's, as far as they concern us."""

    own: Mapping[str, Any]
    system: Mapping[str, Any]

    @property
    def provider(self) -> Provider:
        both = {**self.system, **self.own}
        name = str(both.get("model_provider", "openai"))
        tables = {
            **as_dict(self.system.get("model_providers")),
            **as_dict(self.own.get("model_providers")),
        }
        table = tables.get(name)
        return Provider(name, table if isinstance(table, dict) else None)

    @property
    def servers(self) -> list[str]:
        """The names of all MCP servers that Codex would start."""
        both = {**as_dict(self.system.get("mcp_servers")), **as_dict(self.own.get("mcp_servers"))}
        return list(both)

    @property
    def credentials_store(self) -> str:
        return str({**self.system, **self.own}.get("cli_auth_credentials_store", "file"))


def load_settings(environ: Mapping[str, str], system: Path = SYSTEM) -> Settings:
    """Read the settings; a file that is missing or no TOML counts as empty (Codex tells more)."""
    return Settings(_load(codex_home(environ) / "config.toml"), _load(system))


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def toml(value: Any) -> str:
    """Render a value as TOML on one line; keys are quoted, so any name will do.

    In the path before the `=` of an override Codex splits at every dot, quotes or not; names that
    are not ours therefore go into an inline table.
    """
    match value:
        case bool() | int():
            return str(value).lower()
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")
        case Mapping():
            return "{" + ",".join(f"{toml(k)}={toml(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(toml(v) for v in value) + "]"
        case _:
            raise TypeError(f"no TOML for {value!r}")


def overrides(values: Mapping[str, Any]) -> list[str]:
    """Return the options that set each dotted key to its value for one process."""
    return [part for key, value in values.items() for part in ("-c", f"{key}={toml(value)}")]


# Codex's hooks as the way to a running session: they look into its mailbox (tried with 0.169.0).
#
# Codex runs a hook that a person has trusted, and skips any other without a word. Trust is a
# digest of the hook's definition that stands in the settings, so ours is given beside the hooks,
# for one process and for no other hook: `--dangerously-bypass-hook-trust` would trust
# everybody's.

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
