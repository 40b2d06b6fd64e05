"""`abreast.toml` at the top of a repository: what its delegations are like unless they say."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents import modelled
from abreast.errors import ContractError
from abreast.model.task import LIMIT_TOKENS, Profile
from abreast.model.text import named

FILE = "abreast.toml"
_TABLE = "delegate"
_MOST = 100_000  # bytes
_MODEL = re.compile(r"\w[ -~]*|")  # nothing that a CLI could take for an option of its own


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
        whole = tomllib.loads(_read(file))
    except FileNotFoundError:
        return DelegateSettings()
    except (OSError, ValueError, RecursionError) as error:
        hint = "put it right, or take it away: there are defaults"
        raise ContractError(f"{file} cannot be read: {error}", hint=hint) from error
    hint = f"it takes a table [{_TABLE}] with {', '.join(_TYPES)}"
    table = whole.get(_TABLE, {})
    if not isinstance(table, dict):
        raise ContractError(f"{file}: {_TABLE} is not a table", hint=hint)
    unknown = sorted({*whole} - {_TABLE}) or sorted({*table} - {*_TYPES})
    if unknown:
        raise ContractError(f"{file} has an unknown key: {named(unknown)}", hint=hint)
    return DelegateSettings(**{key: _value(file, key, value) for key, value in table.items()})


def _read(file: Path) -> str:
    """Return the file's text. A repository may have made it a pipe or a device, or huge."""
    if file.exists() and not file.is_file():
        raise ValueError("it is not a file")
    with file.open("rb") as opened:
        text = opened.read(_MOST + 1)
    if len(text) > _MOST:
        raise ValueError(f"it has more than {_MOST} bytes")
    return text.decode("utf-8-sig")


def _value(file: Path, key: str, value: Any) -> Any:
    _require_type(file, key, value)
    # A model may get to read the error: what a repository says is quoted, and cut short.
    said = named([str(value)])
    if key == "profile" and value not in {*Profile}:
        raise ContractError(f"{file}: profile is {' or '.join(Profile)}, not {said}")
    if key == "agent" and value not in modelled():  # a repository must not choose a command to run
        raise ContractError(f"{file}: agent is one of {', '.join(modelled())}, not {said}")
    if key == "model" and not _MODEL.fullmatch(value):
        raise ContractError(f"{file}: {said} is not the name of a model")
    if key == "limit_tokens" and value < 1:
        raise ContractError(f"{file}: limit_tokens must be at least 1")
    return Profile(value) if key == "profile" else value


def _require_type(file: Path, key: str, value: object) -> None:
    if type(value) is not _TYPES[key]:  # a bool is no number
        raise ContractError(f"{file}: {key} must be {_NAMES[_TYPES[key]]}")


_NAMES = {str: "a text", int: "a whole number"}
