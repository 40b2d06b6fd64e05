"""JSON Schemas (draft 2020-12) of plan files and of settings, for editors and other programs.

They are made of the types that read the files. What those do not express (that a task which is
needed is there, what a move of a scripted agent takes) only reading a plan tells.
"""

from collections.abc import Collection
from typing import Any

from abreast.plan import key_words
from abreast.plan.tasks import TABLES

Shape = dict[str, Any]
_PROMPTS = ("prompt", "prompt_file")


def plan_schema(agents: Collection[str]) -> Shape:
    """Return the schema of a plan; `agents` are the names of all agents."""
    from abreast.plan.schema import PlanTable

    found = _schema("A plan of abreast", PlanTable.model_json_schema(), agents)
    found["$defs"]["TaskTable"]["oneOf"] = [{"required": [name]} for name in _PROMPTS]
    return {**found, "required": ["task"]}


def settings_schema(agents: Collection[str]) -> Shape:
    """Return the schema of `abreast.toml` and of a user's `config.toml`."""
    from abreast.plan.schema import SettingsTable

    return _schema("Settings of abreast", SettingsTable.model_json_schema(), agents)


def _schema(title: str, found: Shape, agents: Collection[str]) -> Shape:
    names = {"enum": sorted({*agents} - TABLES.keys())}
    moves: Shape = {"type": "array", "items": {"type": "object"}}
    tables: dict[str, Shape] = {"command": {"type": "string"}, "scripted": moves}
    whole = [names, *(_only(name, tables[name]) for name in TABLES)]
    for table in (found, *found.get("$defs", {}).values()):
        agent = names if table["title"] == "DelegateTable" else {"oneOf": whole}
        words = key_words.TABLES[table["title"]]
        told = {key: {"description": words[key]} for key in table["properties"] if key in words}
        table["properties"] = {
            key: told.get(key, {}) | (agent if key == "agent" else _without_null(shape))
            for key, shape in table["properties"].items()
        }
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **found, "title": title}


def _only(key: str, shape: Shape) -> Shape:
    """Return the schema of a table with this one key."""
    table = {"type": "object", "properties": {key: shape}, "required": [key]}
    return {**table, "additionalProperties": False}


def _without_null(shape: Shape) -> Shape:
    """Return the schema of a key without the null that stands for leaving it out: TOML has none."""
    kept = {name: value for name, value in shape.items() if name != "title"}
    if kept.get("default", "") is None:
        del kept["default"]
    choices = kept.pop("anyOf", ())
    for choice in choices:
        if choice != {"type": "null"}:
            kept |= choice
    return kept
