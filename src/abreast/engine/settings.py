"""`abreast.toml` at the top of a repository: what its delegations are like unless they say."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.errors import ContractError
from abreast.model.contract import LIMIT_TOKENS, Profile

FILE = "abreast.toml"
_TABLE = "delegate"


@dataclass(frozen=True)
class DelegateSettings:
    """The table `[delegate]`. An empty `agent` is the parent's own, or the first installed."""

    agent: str = ""
    model: str = ""
    profile: Profile = Profile.LEAN
    limit_tokens: int = LIMIT_TOKENS


_TYPES: dict[str, type] = {"agent": str, "model": str, "profile": str, "limit_tokens": int}


def load_settings(tree: Path) -> DelegateSettings:
    """Return the settings in `tree`; the defaults where there is no file.

    Raises ContractError for what is no TOML, and for a key or value that means nothing.
    """
    file = tree / FILE
    try:
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return DelegateSettings()
    except (OSError, ValueError) as error:
        raise ContractError(f"{file} cannot be read: {error}") from error
    table = whole.get(_TABLE, {})
    unknown = sorted({*whole} - {_TABLE}) or sorted({*table} - {*_TYPES})
    if unknown:
        raise ContractError(
            f"{file} has a key that means nothing: {unknown[0]}",
            hint=f"it takes a table [{_TABLE}] with {', '.join(_TYPES)}",
        )
    return DelegateSettings(**{key: _value(file, key, value) for key, value in table.items()})


def _value(file: Path, key: str, value: Any) -> Any:
    _require_type(file, key, value)
    if key == "profile" and value not in {*Profile}:
        raise ContractError(f"{file}: profile is {' or '.join(Profile)}, not {value!r}")
    if key == "agent" and value not in _AGENTS:  # a repository must not choose a command to run
        raise ContractError(f"{file}: agent is one of {', '.join(_AGENTS)}, not {value!r}")
    if key == "limit_tokens" and value < 1:
        raise ContractError(f"{file}: limit_tokens must be at least 1")
    return Profile(value) if key == "profile" else value


def _require_type(file: Path, key: str, value: object) -> None:
    if type(value) is not _TYPES[key]:  # a bool is no number
        raise ContractError(f"{file}: {key} must be {_NAMES[_TYPES[key]]}")


_NAMES = {str: "a text", int: "a whole number"}
_AGENTS = ("claude", "codex", "gemini")
