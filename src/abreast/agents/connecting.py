"""How a CLI is told of an MCP server and a skill: where it keeps them, and by which command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from abreast.agents import AGENTS
from abreast.process.environment import DEPTH, ORDINARY, SESSION

NAME = "abreast"
"""The server's name in every configuration."""

SECONDS_TO_START = 30
SECONDS_A_CALL = 600
"""No call of ours takes as long (Claude Code, which waits best, has a figure of its own)."""


class Layout(StrEnum):
    """How a configuration file is written."""

    JSON = "json"
    TOML = "toml"


@dataclass(frozen=True)
class Wanted:
    """What to register, and where.

    `server` is the command line of the MCP server. `top` is the top of the repository; None for
    the user's own configuration. `scratch` is an empty folder for the CLI's command to work in.
    """

    server: tuple[str, ...]
    environ: Mapping[str, str]
    scratch: Path
    top: Path | None = None


@dataclass(frozen=True)
class Registration:
    """What one CLI needs to offer our tools.

    `command` (after the program's name), run with `env` and `files` in the scratch folder, makes
    the CLI write the entry by itself, at `keys` in `written`. The entry and `extras`, which that
    command cannot set, belong at `keys` in `config`. `notes` say what the user should know.
    """

    config: Path
    layout: Layout
    keys: tuple[str, ...]
    skills: Path
    command: tuple[str, ...]
    env: Mapping[str, str]
    written: Path
    files: Mapping[Path, str] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Connector(Protocol):
    """A module `connect_<agent>`: what is odd about registering a server in that CLI."""

    def registration(self, wanted: Wanted) -> Registration:
        """Tell how `wanted.server` is registered."""
        ...


CONNECTABLE = ("claude", "codex", "gemini")


def registration(agent: str, wanted: Wanted) -> Registration:
    """Return how `wanted.server` is registered in the CLI of this agent (one of CONNECTABLE)."""
    connector: Connector = import_module(f"abreast.agents.{agent}.connect")
    return connector.registration(wanted)


# What the globs among the adapters' patterns stand for, where names have to be literal.
_MEANT = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_FOUNDRY_API_KEY",
    "ANTHROPIC_FOUNDRY_BASE_URL",
    "ANTHROPIC_FOUNDRY_RESOURCE",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_VERTEX_BASE_URL",
    "ANTHROPIC_VERTEX_PROJECT_ID",
    "CLAUDE_CODE_CLIENT_CERT",
    "CLAUDE_CODE_CLIENT_KEY",
    "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
    "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
    "CLAUDE_CODE_SKIP_VERTEX_AUTH",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
    "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_GENAI_USE_GCA",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "LC_ALL",
    "LC_CTYPE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)
_OURS = (
    "ABREAST_DB",
    "ABREAST_IDLE_EXIT",
    "ABREAST_MAX_SESSIONS",
    "ABREAST_MCP_WAIT",
    "ABREAST_STATE_DIR",
    DEPTH,
    SESSION,
)


def variables() -> list[str]:
    """Return, sorted, every variable that the server or a child of any agent may need by name."""
    patterns = (*ORDINARY, *(p for agent in AGENTS.values() for p in agent.env_patterns))
    literal = {pattern for pattern in patterns if "*" not in pattern}
    meant = {n for n in _MEANT if any(fnmatchcase(n, pattern) for pattern in patterns)}
    return sorted(literal | meant | set(_OURS))
