"""Reads the agent of a plan or of a task: a name, or a table with a command or with moves."""

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, get_origin, get_type_hints

from abreast.errors import PlanError
from abreast.model.moves import Move, parse_moves
from abreast.model.task import AgentChoice
from abreast.plan.explain import did_you_mean, kind_of
from abreast.plan.source import KeyPath, Source

# Agents that are nothing without a table, and the table each needs.
TABLES = {
    "command": 'agent = { command = "…" }',
    "scripted": "agent = { scripted = [ … ] }",
}


def agent_problem(name: str, agents: Collection[str]) -> tuple[str, str] | None:
    """Return what is wrong with naming this agent, and a hint; None if nothing is."""
    if name not in agents:
        return f"there is no agent `{name}`", did_you_mean(name, agents, "agents are")
    if name in TABLES:
        return f"the agent `{name}` must be told what to do", f"write {TABLES[name]} in a plan"
    return None


def read_choice(source: Source, path: KeyPath, raw: object, agents: Collection[str]) -> AgentChoice:
    """Return the agent that `raw` chooses; problems go to `source`, the value is then moot."""
    if isinstance(raw, str):
        if problem := agent_problem(raw, agents):
            source.problem(path, *problem)
        return AgentChoice(raw)
    if isinstance(raw, dict):
        return _from_table(source, path, raw)
    source.problem(path, f"must be a name or a table, not {kind_of(raw)}")
    return AgentChoice("")


def _from_table(source: Source, path: KeyPath, raw: Mapping[str, Any]) -> AgentChoice:
    for key in raw.keys() - TABLES:
        source.problem((*path, key), "unknown key", did_you_mean(key, TABLES, "keys are"))
    chosen = [name for name in TABLES if name in raw]
    if len(chosen) != 1:
        source.problem(path, "must have either `command` or `scripted`")
    elif chosen == ["scripted"]:
        return AgentChoice("scripted", moves=_moves(source, (*path, "scripted"), raw["scripted"]))
    elif not isinstance(raw["command"], str):
        kind = kind_of(raw["command"])
        source.problem((*path, "command"), f"must be a string, not {kind}")
    elif not raw["command"].strip():
        source.problem((*path, "command"), "the command is empty")
    else:
        return AgentChoice("command", command=raw["command"])
    return AgentChoice("")


def _moves(source: Source, path: KeyPath, raw: object) -> tuple[Move, ...]:
    if not isinstance(raw, list) or not all(isinstance(table, dict) for table in raw):
        source.problem(path, "must be a list of tables", 'scripted = [{ say = "…" }]')
        return ()
    moves: list[Move] = []
    for at, table in enumerate(raw):
        try:
            [move] = parse_moves([table])
        except PlanError as error:
            source.problem((*path, at), *_said(table, error))
        else:
            _check_types(source, (*path, at), move)
            moves.append(move)
    return tuple(moves)


def _said(table: Mapping[str, Any], error: PlanError) -> tuple[str, str | None]:
    """Say what is wrong with a move without the words of Python."""
    [problem] = error.problems
    if missing := re.search(r"missing .* arguments?: (.*)", problem.message):
        return f"is not a move: {missing[1]} is missing", None
    if unknown := re.search(r"unexpected keyword argument ('.*')", problem.message):
        return f"is not a move: unknown key {unknown[1]}", None
    return f"is not a move: {', '.join(table) or 'it is empty'}", problem.hint


def _check_types(source: Source, path: KeyPath, move: Move) -> None:
    wanted = get_type_hints(type(move))
    for field in fields(move):
        kind, value = wanted[field.name], getattr(move, field.name)
        kinds = (int, float) if kind is float else (get_origin(kind) or kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            message = f"`{field.name}` cannot be {kind_of(value)}"
            source.problem(path, f"is not a move: {message}")
