"""A plan as JSON, for the store: what is dumped is loaded back equal."""

import json
from dataclasses import asdict, fields
from typing import Any

from abreast.errors import StoreError
from abreast.model.contract import BriefingChoice, Contract, Isolation, Profile
from abreast.model.limits import Limits
from abreast.model.moves import dump_moves, parse_moves
from abreast.model.states import LandMode
from abreast.model.task import AgentChoice, Plan, Task

SCHEMA = 1


def dump_plan(plan: Plan) -> str:
    """Return the plan as one line of JSON in ASCII."""
    values = _fields(plan)
    values["land"] = plan.land.value
    values["tasks"] = [_dump_task(task) for task in plan.tasks]
    return json.dumps({"schema": SCHEMA, **values})


def load_plan(text: str) -> Plan:
    """Return the plan that `dump_plan` was given; raises StoreError for another schema."""
    values = json.loads(text)
    schema = values.pop("schema", None)
    if schema != SCHEMA:
        raise StoreError(
            f"a plan of schema {schema} cannot be read",
            hint="a newer version wrote it: upgrade abreast",
        )
    values["land"] = LandMode(values["land"])
    values["pass_env"] = tuple(values["pass_env"])
    values["tasks"] = tuple(_load_task(task) for task in values["tasks"])
    return Plan(**values)


def _fields(value: Plan | Task) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _dump_task(task: Task) -> dict[str, Any]:
    agent = {
        "name": task.agent.name,
        "command": task.agent.command,
        "moves": dump_moves(task.agent.moves),
    }
    contract = asdict(task.contract) if task.contract else None
    limits = asdict(task.limits)
    return _fields(task) | {"agent": agent, "limits": limits, "contract": contract}


def _load_task(values: dict[str, Any]) -> Task:
    agent = values["agent"] | {"moves": parse_moves(values["agent"]["moves"])}
    lists = {name: tuple(values[name]) for name in ("needs", "paths", "resources")}
    loaded = {"agent": AgentChoice(**agent), "limits": Limits(**values["limits"]), **lists}
    if values.get("contract"):
        loaded["contract"] = _load_contract(values["contract"])
    loaded["profile"] = Profile(values.get("profile", Profile.LEAN))
    return Task(**(values | loaded))


def _load_contract(values: dict[str, Any]) -> Contract:
    loaded = {
        "scope": tuple(values["scope"]),
        "constraints": tuple(values["constraints"]),
        "budget": Limits(**values["budget"]),
        "isolation": Isolation(values["isolation"]),
        "briefing": BriefingChoice(values["briefing"]),
    }
    return Contract(**(values | loaded))
