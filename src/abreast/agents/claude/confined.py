"""What Claude Code has of the user's files inside a sandbox: a folder of its own, and their login.

The user's folder (`~/.claude`) also holds what later sessions obey: settings with hooks, skills,
instructions. So a session gets a folder of its own in its place, in which these can be read. Only
the login and the transcripts of its worktree are the user's own, live. `~/.claude.json` lies beside
it and is replaced by renaming, which no single file can be opened for. CLAUDE_CONFIG_DIR, set to
the same folder, moves it there: as a copy, of which nothing comes back. Claude Code writes counts
and caches there; what it needs for its login it only reads.

The login is written in place where it cannot be renamed over (2.1.330). Its locks lie beside it:
CLAUDE_SECURESTORAGE_CONFIG_DIR names a folder that all confined sessions share.
"""

import json
import os
from pathlib import Path

from abreast.agents.base import Launch, StateFiles
from abreast.agents.claude.hosts import given_to, uses
from abreast.agents.claude.records_usage import config_folder
from abreast.process.files import load_json

_LOGIN = ".credentials.json"
_CONFIG = ".claude.json"
_LEFT_OUT = ("projects", "mcpServers")  # of other places, and keys of servers that are not started
# What Claude Code keeps for itself there, and its sessions of other places.
_OWN = frozenset(
    {
        *(_CONFIG, f"{_CONFIG}.backup", _LOGIN, "projects", "sessions", "todos", "tasks", "teams"),
        *(
            "shell-snapshots",
            "session-env",
            "statsig",
            "telemetry",
            "file-history",
            "history.jsonl",
        ),
        *(
            "backups",
            "cache",
            "logs",
            "debug",
            "traces",
            "plans",
            "ide",
            "jobs",
            "daemon",
            "shares",
        ),
        *("usage-data", "stats-cache.json", "paste-cache", "image-cache", "uploads", "feedback"),
        *("startup-perf", "dump-prompts", ".oauth_refresh.lock", "policy-limits.json"),
    }
)


def state_files(launch: Launch, shared: Path, transcripts: Path) -> StateFiles:
    """Return them; `transcripts` is the folder of those of the session's worktree."""
    folder = config_folder(launch.environ)
    own, login = launch.directory / "claude-config", shared / _LOGIN
    lent = [entry for entry in _entries(folder) if entry.name not in _OWN]
    files = {own / _CONFIG: text} if (text := _config(launch)) else {}
    environment = {"CLAUDE_CONFIG_DIR": str(folder)}
    mounted = {folder: own}
    if (folder / _LOGIN).is_file():
        environment["CLAUDE_SECURESTORAGE_CONFIG_DIR"] = str(shared)
        mounted[login] = folder / _LOGIN
    return StateFiles(
        # Its locks lie beside the folder too; mounted by itself, no session can put another there.
        writable=(transcripts, folder / _LOGIN, shared.parent, shared),
        readable=(*lent, *_cloud(launch)),
        mounted=mounted,
        files=files,
        environment=environment,
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder))
    except OSError:
        return []


def _cloud(launch: Launch) -> list[Path]:
    """Return the login of the cloud at which the user asks for the model."""
    given = given_to(launch.environ)
    home = Path(given.get("HOME", "/"))
    found = [home / ".aws"] if uses(given, "BEDROCK") else []
    if uses(given, "VERTEX"):
        found.append(Path(given.get("CLOUDSDK_CONFIG") or home / ".config" / "gcloud"))
    if uses(given, "FOUNDRY"):
        found.append(home / ".azure")
    named = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "GOOGLE_APPLICATION_CREDENTIALS")
    return [*found, *(Path(given[name]) for name in named if given.get(name))]


def _config(launch: Launch) -> str:
    """Return the user's `.claude.json` without what is about other places; "" for none."""
    named = launch.environ.get("CLAUDE_CONFIG_DIR") or launch.environ.get("HOME", "/")
    found = load_json(Path(named) / _CONFIG)
    if not isinstance(found, dict):
        return ""
    return json.dumps({key: value for key, value in found.items() if key not in _LEFT_OUT})
