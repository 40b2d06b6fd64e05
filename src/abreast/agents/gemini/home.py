"""The private home that a Gemini CLI session runs with: its settings, policy, briefing and links.

`GEMINI_CLI_HOME` moves everything the CLI keeps (settings, sessions, credentials) away from the
user's `~/.gemini`, while HOME stays theirs for git, ssh and package managers. Of the user's own
folder we read three settings and the global GEMINI.md; credentials are linked, never copied.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from abreast.agents.base import Launch
from abreast.agents.gemini.profile import (
    CHANGING,
    briefing_text,
    default_model,
    extension_files,
    only_reads,
    read_text,
    tools,
    unread,
)
from abreast.agents.parts import Retention
from abreast.agents.recorded import as_dict, as_text, at
from abreast.model.finding import Defect
from abreast.process.files import load_json


def user_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's own `.gemini`."""
    return Path(environ.get("GEMINI_CLI_HOME") or environ.get("HOME") or "/") / ".gemini"


PRIVATE_HOME = "gemini-home"
REFUSED = (
    "google_web_search",
    "web_fetch",
    "invoke_agent",
    "ask_user",
    "activate_skill",
    "enter_plan_mode",
    "exit_plan_mode",
)
"""Tools of the CLI that every session goes without; a call of one of these is a denial."""

CREDENTIALS = ("oauth_creds.json", "google_accounts.json", "gemini-credentials.json", ".env")
DEFAULT_ATTEMPTS = 4  # the CLI's own 10 keep silent for four minutes on a steady 503

# One pattern each: the CLI drops a rule whose pattern has a quantifier within a repeated group.
_PUSHES = (r"git\s+push", r"git\s+-[cC]\s+\S+\s+push", r"git\s+--?\S+\s+push")
_RULE = """\
[[rule]]
toolName = "run_shell_command"
commandRegex = '.*{pattern}'
decision = "deny"
priority = 999
denyMessage = "abreast lands the work; sessions do not push"
"""
_REFUSAL = """\
[[rule]]
toolName = {names}
decision = "deny"
priority = 999
"""

_ASSIGNED = re.compile(r"^[^\S\n]*(?:export\s+)?([\w.-]+)(?=\s*[=:])", re.MULTILINE)
_STRING_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\])*(?:"|\Z))|//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)')


def private_home(launch: Launch) -> Path:
    """Return the `GEMINI_CLI_HOME` of a session; it stays, so that the session can be resumed."""
    return launch.directory / PRIVATE_HOME


def scratch(launch: Launch) -> Path:
    """Return the session's TMPDIR: on an API error the CLI leaves a copy of the prompt there."""
    return launch.directory / "tmp"


def policy(launch: Launch) -> Path:
    return launch.directory / "gemini-policy.toml"


def user_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the user's settings, which may have comments; {} when there are none to be read."""
    path = user_folder(environ) / "settings.json"
    try:
        found = json.loads(_STRING_OR_COMMENT.sub(lambda m: m[1] or "", read_text(path)))
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def setting(settings: Mapping[str, Any], *keys: str) -> str:
    """Return the string at `keys`, or "" when there is none."""
    return as_text(at(settings, *keys))


def auth_type(environ: Mapping[str, str]) -> str:
    """Return the CLI's name for the login to use, or "" when it must find out by itself.

    A key in the environment wins over the choice in the user's settings. It has to be named: with
    a base URL in the environment the CLI takes `gateway`, which it then refuses headless (0.61.0).
    """
    return (
        _auth_by_environ(environ)
        or setting(user_settings(environ), "security", "auth", "selectedType")
        or _auth_by_files(environ)
    )


def _auth_by_environ(environ: Mapping[str, str]) -> str:
    if environ.get("GOOGLE_GENAI_USE_GCA") == "true":
        return "oauth-personal"
    if environ.get("GOOGLE_GENAI_USE_VERTEXAI") == "true":
        return "vertex-ai"
    return "gemini-api-key" if environ.get("GEMINI_API_KEY") else ""


def _auth_by_files(environ: Mapping[str, str]) -> str:
    if environ.get("GOOGLE_API_KEY"):
        return "vertex-ai"  # the only use that the CLI has for this key
    folder = user_folder(environ)
    if (folder / ".env").is_file():
        return ""  # it may set a key or a project; the CLI reads it
    return "oauth-personal" if (folder / "oauth_creds.json").is_file() else ""


def headless_settings(launch: Launch) -> dict[str, Any]:
    """Return the settings of a headless session: nothing that is not needed for its work."""
    settings = _common(launch)
    model: dict[str, Any] = {}
    own = setting(user_settings(launch.environ), "model", "name")
    if name := own or default_model(launch):
        model["name"] = name
    if launch.limits.turns:
        model["maxSessionTurns"] = launch.limits.turns
    settings["model"] = model
    tries = attempts(launch.environ)
    settings["general"] |= {
        "maxAttempts": tries,
        # The CLI's router asks five times whatever `maxAttempts` says; this it heeds.
        "retryFetchErrors": tries > 1,
        "topicUpdateNarration": False,
        "plan": {"enabled": False},
    }
    settings["security"] |= {"environmentVariableRedaction": {"enabled": True}}
    settings["context"] |= {
        "includeDirectoryTree": False,
        "fileFiltering": {"enableRecursiveFileSearch": False},
    }
    settings |= {
        "tools": {"core": list(tools(launch))},
        "experimental": {"enableAgents": False, "autoMemory": False},
        "skills": {"enabled": False},
        "hooksConfig": {"enabled": launch.mailbox is not None},
    }
    return settings


def interactive_settings(launch: Launch) -> dict[str, Any]:
    """Return the settings of a person's session: the user's own look and model, safe sessions."""
    own = user_settings(launch.environ)
    settings = _common(launch)
    for key in ("ui", "general", "model"):
        if isinstance(own.get(key), dict):
            settings[key] = own[key] | settings.get(key, {})
    settings["hooksConfig"] = {"enabled": False}  # none of ours are there
    return settings


def _common(launch: Launch) -> dict[str, Any]:
    chosen = auth_type(launch.environ)
    return {
        "security": {
            "auth": {"selectedType": chosen} if chosen else {},
            "folderTrust": {"enabled": not unread(launch)},
        },
        # With retention on, the second resume of a session deletes it (gemini-cli#27368).
        "general": {
            "sessionRetention": {"enabled": False},
            "enableAutoUpdate": False,
            "enableAutoUpdateNotification": False,
        },
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "advanced": {"ignoreLocalEnv": True, "autoConfigureMemory": False},
        "context": {"fileName": [_briefing_name(launch)]},
    }


def attempts(environ: Mapping[str, str]) -> int:
    """Return how often the CLI asks its provider before it gives up."""
    wanted = environ.get("ABREAST_RETRIES", "")
    return max(1, int(wanted)) if wanted.isdecimal() else DEFAULT_ATTEMPTS


def home_files(launch: Launch, settings: Mapping[str, Any]) -> dict[Path, str]:
    """Return the files of the private home."""
    folder = private_home(launch) / ".gemini"
    files = {
        **extension_files(launch, private_home(launch)),
        folder / "settings.json": json.dumps(settings, indent=1),
        scratch(launch) / ".keep": "",
    }
    if text := briefing_text(launch, user_folder(launch.environ)):
        files[folder / _briefing_name(launch)] = text
    return files


def policy_text(launch: Launch) -> str:
    """Return the rules that beat whatever else would allow a call."""
    refused = (*REFUSED, *CHANGING) if only_reads(launch) else REFUSED
    pushes = [_RULE.format(pattern=pattern) for pattern in _PUSHES]
    return "\n".join([*pushes, _REFUSAL.format(names=json.dumps(refused))])


def home_links(launch: Launch) -> dict[Path, Path]:
    """Return links to those credential files of the user's that exist.

    The CLI writes a refreshed token through the link, as it would in its own home.
    """
    folder = private_home(launch) / ".gemini"
    own = user_folder(launch.environ)
    links = {folder / name: own / name for name in CREDENTIALS}
    return {name: target for name, target in links.items() if target.is_file()}


def disarmed(launch: Launch) -> dict[str, str]:
    """Return the variables that the worktree's `.gemini/.env` would set, as they are without it.

    `--skip-trust` ignores the repository's settings, but not this file (0.61.0): it could point
    the CLI, key and all, at another server. What is set already, even to nothing, it leaves alone.
    """
    environ = launch.environ
    own = user_folder(environ)
    for folder in (launch.worktree, *launch.worktree.parents):
        path = folder / ".gemini" / ".env"
        if path.is_file():
            text = "" if path.parent == own else read_text(path)
            return {name: environ.get(name, "") for name in _ASSIGNED.findall(text)}
    return {}


def _briefing_name(launch: Launch) -> str:
    """Return a name that no project has: the CLI reads every file of that name it comes upon."""
    return f"briefing-{launch.cli_session[:8] or 'session'}.md"


def installed_version(path: Path) -> str:
    """Return the version in the package that `path` belongs to, or "" when it is in none."""
    for folder in path.resolve().parents[:3]:
        package = load_json(folder / "package.json")
        if isinstance(package, dict) and package.get("name") == "@google/gemini-cli":
            return str(package.get("version", ""))
    return ""


_AGE = re.compile(r"(\d{1,6})([hdwm])")
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0}
_DEFAULT = "30d"


def retention(environ: Mapping[str, str]) -> Retention | None:
    """Return the days by the user's settings or its default; None when it deletes nothing."""
    change = f'"general": {{"sessionRetention": {{"enabled": false}}}} in {user_folder(environ)}'
    stated = as_dict(at(user_settings(environ), "general", "sessionRetention"))
    if stated.get("enabled") is False:
        return None
    age = _AGE.fullmatch(str(stated.get("maxAge", _DEFAULT)))
    if age is None:  # as the CLI does with what it does not understand
        return None
    return Retention(int(age[1]) * _DAYS[age[2]], f"{change}/settings.json")


def _deletes_nothing(environ: Mapping[str, str], _checkouts: Sequence[Path]) -> bool:
    try:
        return retention(environ) is None
    except OSError:  # settings that may not be read are in a folder that may not be read either
        return True


DEFECTS = (
    Defect(
        since="0.61.0",
        until="0.61.1",
        what="a session that was resumed is deleted by the next start in that folder, by its own "
        "retention; set general.sessionRetention.enabled to false",
        source="tested with 0.61.0 on 2026-11-22; google-gemini/gemini-cli#27368",
        unless="retention off",
        harmless=_deletes_nothing,
    ),
)
