"""What the user's own Codex settings mean for a command line, and how to override them there.

Codex merges `-c` overrides into config.toml table by table, so nothing can be switched off without
knowing its name: that is why the file is read at all. It is never written.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents.values import mapping

SYSTEM = Path("/etc/codex/config.toml")


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
            **mapping(self.system.get("model_providers")),
            **mapping(self.own.get("model_providers")),
        }
        table = tables.get(name)
        return Provider(name, table if isinstance(table, dict) else None)

    @property
    def servers(self) -> list[str]:
        """The names of all MCP servers that Codex would start."""
        both = {**mapping(self.system.get("mcp_servers")), **mapping(self.own.get("mcp_servers"))}
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
