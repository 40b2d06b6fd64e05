"""A plan as JSON, for the store: what is dumped is loaded back equal."""

import json
from typing import Any

from abreast.codec import dump, load
from abreast.errors import PlanError, StoreError
from abreast.model.moves import Move, dump_moves, parse_moves
from abreast.model.task import Plan

SCHEMA = 1


def dump_plan(plan: Plan) -> str:
    """Return the plan as one line of JSON in ASCII."""
    values = dump(plan)
    for table, task in zip(values["tasks"], plan.tasks, strict=True):
        table["agent"]["moves"] = dump_moves(task.agent.moves)
    return json.dumps({"schema": SCHEMA, **values})


def load_plan(text: str) -> Plan:
    """Return the plan that `dump_plan` was given; raises StoreError for another schema."""
    values = json.loads(text)
    schema = values.get("schema")
    if schema != SCHEMA:
        raise StoreError(
            f"a plan of schema {schema} cannot be read",
            hint="a newer version wrote it: upgrade abreast",
        )
    return load(Plan, values, "the plan of a run", {Move: _load_move})


def _load_move(table: Any) -> Move:
    try:
        [move] = parse_moves([table])
    except PlanError as error:
        raise ValueError(error.problems[0].message) from None
    return move
