"""The tasks of a plan file: the agent of each, the checks, and the tasks as built."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from abreast.errors import PlanError
from abreast.model.budget import Budget
from abreast.model.limits import Limits
from abreast.model.moves import Move, parse_moves
from abreast.model.task import AgentChoice, Task
from abreast.plan.explain import did_you_mean, kind_of
from abreast.plan.names import find_cycles, id_problem, say_cycle, slug, subject
from abreast.plan.source import KeyPath, Source

if TYPE_CHECKING:
    from abreast.plan.schema import BudgetTable, LimitsTable, TaskTable


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
    """Return the agent that `raw` chooses. Problems go to `source`; the value is then not used."""
    if isinstance(raw, str):
        if problem := agent_problem(raw, agents):
            source.problem(path, *problem)
        return AgentChoice(raw)
    if isinstance(raw, dict):
        return _from_table(source, path, raw)
    source.problem(path, f"must be a name or a table, not {kind_of(raw)}")
    return AgentChoice("")


def check_fallback(source: Source, path: KeyPath, raw: object, agents: Collection[str]) -> None:
    """Add a problem for each name among `raw` that no task could be given to."""
    for at, name in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(name, str) and (problem := agent_problem(name, agents)):
            source.problem((*path, at), *problem)


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
    """Return what is wrong with a move, and a hint, without Python's own wording."""
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


MAX_PRODUCES = 100
MAX_STARS = 4
"""In one part of a glob. With five, a name of 60 characters can be split in five million ways."""


@dataclass(frozen=True)
class Defaults:
    """The plan's values for tasks that set none themselves."""

    agent: AgentChoice
    model: str
    setup: str
    verify: str
    limits: Limits
    repairs: int
    fallback: tuple[str, ...]
    network: bool


def check_tasks(source: Source, folder: Path) -> dict[int, str]:
    """Check what types do not express; return the prompt of each task that has one, by position."""
    if not source.raw.get("task"):
        source.problem((), "there is no task", 'start one with [[task]] and id = "…"')
    _check_ids(source)
    _check_order(source)
    for at, task in source.tasks:
        _check_produces(source, at, task.get("produces"))
        _check_paths(source, at, task.get("paths"))
    prompts = {at: _prompt(source, at, task, folder) for at, task in source.tasks}
    return {at: prompt for at, prompt in prompts.items() if prompt is not None}


def build_task(
    table: "TaskTable", prompt: str, agent: AgentChoice | None, defaults: Defaults
) -> Task:
    """Return the task, with the plan's defaults for what it does not set."""
    return Task(
        id=table.id,
        prompt=prompt,
        produces=" ".join(table.produces.split()) or subject(prompt),
        agent=agent or defaults.agent,
        needs=tuple(dict.fromkeys(table.needs)),
        after=tuple(dict.fromkeys(table.after)),
        paths=tuple(table.paths),
        resources=tuple(table.resources),
        model=defaults.model if table.model is None else table.model,
        setup=defaults.setup if table.setup is None else table.setup,
        verify=defaults.verify if table.verify is None else table.verify,
        changes=table.changes,
        limits=merge_limits(defaults.limits, table.limits),
        repairs=defaults.repairs if table.repairs is None else table.repairs,
        fallback=defaults.fallback if table.fallback is None else tuple(table.fallback),
        network=defaults.network if table.network is None else table.network,
    )


def merge_limits(limits: Limits, table: "LimitsTable") -> Limits:
    """Return `limits` with those that the table gives."""
    given = {name: getattr(table, name) for name in asdict(limits)}
    return replace(limits, **{name: value for name, value in given.items() if value is not None})


def merge_budget(budget: Budget, table: "BudgetTable") -> Budget:
    """Return `budget` with what the table gives."""
    given = table.model_dump(exclude_none=True)
    return replace(budget, **given)


def _ids(source: Source) -> dict[str, list[int]]:
    """Return the positions of each id."""
    ids: dict[str, list[int]] = {}
    for at, task in source.tasks:
        if isinstance(task.get("id"), str):
            ids.setdefault(task["id"], []).append(at)
    return ids


def _check_ids(source: Source) -> None:
    for name, positions in _ids(source).items():
        first, *others = positions
        if problem := id_problem(name):
            hint = f'such as id = "{slug(name)}"' if name else None
            source.problem(("task", first, "id"), f"the id {problem}", hint)
        for at in others:
            line = source.line(("task", first, "id"))
            source.problem(("task", at, "id"), f"line {line} has a task of this id already")


def _check_order(source: Source) -> None:
    """Check that the tasks which each `needs` or is `after` are there, and wait in no circle."""
    ids = _ids(source)
    needs: dict[str, list[str]] = {name: [] for name in ids}
    after: dict[str, list[str]] = {name: [] for name in ids}
    for at, task in source.tasks:
        for key, graph in (("needs", needs), ("after", after)):
            given = task.get(key)
            wanted = [n for n in given if isinstance(n, str)] if isinstance(given, list) else []
            for name in wanted:
                if name not in ids:
                    hint = did_you_mean(name, ids, "tasks are")
                    source.problem(("task", at, key), f"there is no task `{name}`", hint)
            if isinstance(task.get("id"), str):
                graph[task["id"]].extend(wanted)
    for cycle in find_cycles({name: needs[name] + after[name] for name in ids}):
        first, second = cycle[:2]
        key = "needs" if second in needs[first] else "after"
        path = ("task", ids[first][0], key)
        if len(cycle) == 2:
            verb = "needs" if key == "needs" else "is after"
            source.problem(path, f"the task {verb} itself")
        else:
            circle = say_cycle(cycle, needs, mark="`")
            source.problem(path, f"tasks wait for each other: {circle}")


def _check_produces(source: Source, at: int, produces: Any) -> None:
    if not isinstance(produces, str):
        return
    path = ("task", at, "produces")
    if len(produces) > MAX_PRODUCES:
        source.warning(
            path,
            f"is {len(produces)} characters long; it becomes the subject of a commit",
            f"say in one sentence of up to {MAX_PRODUCES} characters what the task produces",
        )
    # A capital or a quote after the stop, so that "e.g. this" is still one sentence.
    if re.search(r"[.!?]\s+[A-Z`\"']", produces.strip()):
        source.warning(
            path,
            "is more than one sentence",
            "what one sentence cannot say may be more than one task",
        )


def _check_paths(source: Source, at: int, paths: Any) -> None:
    """Refuse globs whose matching could take hours: it tries all ways to place the stars."""
    for place, glob in enumerate(paths if isinstance(paths, list) else ()):
        parts = glob.split("/") if isinstance(glob, str) else ()
        if any(part.replace("**", "*").count("*") > MAX_STARS for part in parts):
            source.problem(
                ("task", at, "paths", place),
                f"has more than {MAX_STARS} `*` between two slashes",
                "name the folder, or several paths",
            )


def _prompt(source: Source, at: int, task: Mapping[str, Any], folder: Path) -> str | None:
    path = ("task", at)
    given = [key for key in ("prompt", "prompt_file") if key in task]
    if len(given) == 2:
        source.problem((*path, "prompt_file"), "the task has a `prompt` as well: keep one of them")
        return None
    if not given:
        source.problem(path, "the task has no prompt", 'prompt = "…" or prompt_file = "FILE"')
        return None
    value = task[given[0]]
    if not isinstance(value, str):
        return None  # the schema says so
    text: str | None = value
    if given == ["prompt_file"]:
        text = _read_prompt(source, (*path, "prompt_file"), folder / value)
    if text is not None and not text.strip():
        source.problem((*path, given[0]), "the prompt is empty")
    return text


def _read_prompt(source: Source, path: tuple[str | int, ...], file: Path) -> str | None:
    if file.exists() and not file.is_file():  # a pipe or a device may never end
        source.problem(path, f"{file} is not a file")
        return None
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        source.problem(path, f"{file} cannot be read: {said}")
        return None
    if "\0" in text:
        source.problem(path, f"{file} contains a NUL character")
    return text
