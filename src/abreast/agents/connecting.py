"""How a CLI is told of an MCP server and a skill: where it keeps them, and by which command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

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


# What the globs among the ordinary patterns stand for, where names have to be literal.
_ORDINARY_NAMES = (
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
    agents = AGENTS.values()
    patterns = (*ORDINARY, *(pattern for agent in agents for pattern in agent.env_patterns))
    meant = (name for agent in agents for name in agent.env_names)
    return sorted({p for p in patterns if "*" not in p}.union(meant, _ORDINARY_NAMES, _OURS))
