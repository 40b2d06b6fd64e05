"""Settings: what plans are like unless they say it, in layers; the later ones count more."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abreast.errors import PlanError
from abreast.model.alert import NotifySettings
from abreast.model.budget import Budget
from abreast.model.sandbox import SandboxMode, SandboxSettings
from abreast.model.text import whole_characters
from abreast.plan.explain import explain
from abreast.plan.parse import check_text, read_source
from abreast.plan.source import KeyPath, Source, merged
from abreast.plan.tasks import agent_problem, read_choice
from abreast.process.files import from_home

if TYPE_CHECKING:
    from pydantic import BaseModel

HARMLESS = frozenset({"model", "gate", "land_style", "co_author", "delegate"})
"""Keys of a project's file that count without a yes: they make nothing more run or go out."""


_OWN = {
    "sandbox": "what sessions may touch on your machine",
    "notify": "what runs on your machine",
    "disk": "how much of your disks stays free",
}
"""Keys of a user's own file alone, and what they decide."""


MIN_FREE_MB = 500.0
"""Below this, no session starts: room for a checkout and a build, and for those at work to end."""


class Level(StrEnum):
    """Where a setting comes from, in the order in which they count."""

    DEFAULT = "default"
    USER = "user"
    PROJECT = "project"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Layer:
    """The settings of one level, nested as in TOML. `place` is the file, or ""."""

    level: Level
    place: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """One setting as it counts: its key in dotted form, its value, and where that comes from."""

    key: str
    value: Any
    level: Level
    place: str = ""


@dataclass(frozen=True)
class SettingsPage:
    """The settings as they count, and by dotted key what of a project's waits for a yes.

    `uncommitted` is whether the checkout's file is another than that of its HEAD, which counts.
    """

    settings: Sequence[Setting]
    asked: Mapping[str, Any]
    uncommitted: bool = False


def read_layer(text: str, file: Path, level: Level, agents: Sequence[str]) -> Layer:
    """Return the settings in a file's text; raises PlanError with every problem, by line and key.

    `agents` are the names of all agents.
    """
    from pydantic import ValidationError

    from abreast.plan.schema import SettingsTable

    source = _with_tables(read_source(text, file, what="the settings"))
    check_text(source)
    if not text.isascii() and whole_characters(text) != text:
        source.problem((), "has characters that are not UTF-8")
    if "agent" in source.raw:
        read_choice(source, ("agent",), source.raw["agent"], agents)
    delegated = source.raw.get("delegate")
    named = delegated.get("agent") if isinstance(delegated, dict) else None
    if isinstance(named, str) and (problem := agent_problem(named, agents)):
        source.problem(("delegate", "agent"), *problem)
    for key in _OWN if level is Level.PROJECT else ():
        if key in source.raw:
            said = f"is not a project's to say: it decides {_OWN[key]}"
            source.problem((key,), said, "it belongs into your own file: abreast settings set")
    _check_allowed(source)
    limits = source.raw.get("limits")
    if level is Level.PROJECT and isinstance(limits, dict) and "day" in limits:
        said = "is not a project's to say: your day has sessions of other projects, too"
        hint = "it belongs into your own file: abreast settings set"
        source.problem(("limits", "day"), said, hint)
    try:
        SettingsTable.model_validate(dict(source.raw))
    except ValidationError as error:
        explain(source, error, SettingsTable)
    _refuse(source)
    return Layer(level, str(file), source.raw)


def _with_tables(source: Source) -> Source:
    """Return a source in which `sandbox = "none"` is what it stands for, a table."""
    mode = source.raw.get("sandbox")
    if not isinstance(mode, str):
        return source
    return Source(source.file, source.text, {**source.raw, "sandbox": {"mode": mode}})


def _check_allowed(source: Source) -> None:
    given: dict[KeyPath, Any]
    table = source.raw.get("sandbox")
    paths = table.get("allow") if isinstance(table, dict) else None
    given = {("sandbox", "allow", at): one for at, one in enumerate(_listed(paths))}
    if isinstance(table, dict) and table.get("program"):
        given["sandbox", "program"] = table["program"]
    for place, path in given.items():
        if isinstance(path, str) and not from_home(path).is_absolute():
            source.problem(place, f"must be absolute or begin with ~/: {path}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _refuse(source: Source) -> None:
    if not source.sound:
        raise PlanError(source.in_order(), what="the settings")


def combine(layers: Sequence[Layer]) -> dict[str, Any]:
    """Return what the layers come to, nested as in a plan; each later one counts more."""
    whole = merged(layer.values for layer in layers)
    for key in _NOT_OF_PLANS:
        whole.pop(key, None)
    if "day" in whole.get("limits", {}):
        whole["limits"] = {key: part for key, part in whole["limits"].items() if key != "day"}
    return whole


_NOT_OF_PLANS = ("delegate", "sandbox", "notify", "disk")


def sandbox_of(layers: Sequence[Layer]) -> SandboxSettings:
    """Return what the user's own settings say about the sandbox; those of no other level count."""
    own = [one.values for one in layers if one.level is Level.USER]
    table = merged(own).get("sandbox", {})
    allow = tuple(str(from_home(path)) for path in table.get("allow", ()))
    program = str(from_home(named)) if (named := table.get("program", "")) else ""
    return SandboxSettings(SandboxMode(table.get("mode", SandboxMode.AUTO)), allow, program)


def notify_of(layers: Sequence[Layer]) -> NotifySettings:
    """Return what the user's own settings say of notices; those of no other level count."""
    own = [one.values for one in layers if one.level is Level.USER]
    return NotifySettings(**merged(own).get("notify", {}))


def min_free_of(layers: Sequence[Layer]) -> float:
    """Return how many MB the user's own settings keep free; those of no other level count."""
    own = [one.values for one in layers if one.level is Level.USER]
    return float(merged(own).get("disk", {}).get("min_free_mb", MIN_FREE_MB))


def day_budget_of(layers: Sequence[Layer]) -> Budget:
    """Return what the user's own settings allow for a day; those of no other level count."""
    own = (one.values for one in layers if one.level is Level.USER)
    return Budget(**merged(own).get("limits", {}).get("day", {}))


def needs_yes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a project's settings that count only once a person has said yes to them."""
    return {key: value for key, value in values.items() if key not in HARMLESS and value != {}}


def digest_of(values: Mapping[str, Any]) -> str:
    """Return what identifies settings that a person has said yes to."""
    whole = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def settings_of(layers: Sequence[Layer], default_agent: str) -> list[Setting]:
    """Return every setting with the value that counts, sorted as in a plan's documentation."""
    found = {one.key: one for one in _defaults(default_agent)}
    for layer in layers:
        for key, value in flat(layer.values):
            if key in found:
                found[key] = Setting(key, value, layer.level, layer.place)
    return list(found.values())


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its dotted key; an agent's table is one value."""
    for key, value in values.items():
        if isinstance(value, Mapping) and key not in {"agent", "delegate"}:
            yield from flat(value, f"{prefix}{key}.")
        elif key != "delegate":
            yield prefix + key, value


def _defaults(agent: str) -> Iterator[Setting]:
    from abreast.model.limits import Limits
    from abreast.plan.schema import (
        BudgetTable,
        DiskTable,
        LimitsTable,
        NotifyTable,
        RequestTable,
        RunBudgetTable,
        RunTable,
        SandboxTable,
    )

    tables: dict[str, tuple[type[BaseModel], Any]] = {
        "limits": (LimitsTable, Limits()),
        "limits.run": (RunBudgetTable, Budget()),
        "limits.day": (BudgetTable, Budget()),
        "pr": (RequestTable, RequestTable()),
    }
    for key, known in RunTable.model_fields.items():
        for prefix in (name for name in tables if name.partition(".")[0] == key):
            table, values = tables[prefix]
            for name in table.model_fields:
                yield Setting(f"{prefix}.{name}", getattr(values, name), Level.DEFAULT)
        if key not in tables:
            default = agent if key == "agent" else known.get_default(call_default_factory=True)
            yield Setting(key, "" if default is None else default, Level.DEFAULT)
    own: dict[str, type[BaseModel]] = {
        "sandbox": SandboxTable,
        "notify": NotifyTable,
        "disk": DiskTable,
    }
    for name, table in own.items():
        for key, known in table.model_fields.items():
            yield Setting(f"{name}.{key}", known.get_default(), Level.DEFAULT)
