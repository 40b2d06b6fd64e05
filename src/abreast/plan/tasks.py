"""The tasks of a plan file: checked each for itself and against each other, then built."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abreast.model.task import AgentChoice, Limits, Task
from abreast.plan.consistency import find_cycles
from abreast.plan.explain import did_you_mean
from abreast.plan.names import id_problem, slug, subject
from abreast.plan.source import Source

if TYPE_CHECKING:
    from abreast.plan.schema import LimitsTable, TaskTable

MAX_PRODUCES = 100


@dataclass(frozen=True)
class Defaults:
    """What a plan says for tasks that do not say it themselves."""

    agent: AgentChoice
    model: str
    setup: str
    verify: str
    limits: Limits


def check_tasks(source: Source, folder: Path) -> dict[int, str]:
    """Check what the types cannot tell; return the prompt of each task that has one."""
    if not source.raw.get("task"):
        source.problem((), "there is no task", 'start one with [[task]] and id = "…"')
    _check_ids(source)
    _check_needs(source)
    for at, task in source.tasks:
        _check_produces(source, at, task.get("produces"))
    prompts = {at: _prompt(source, at, task, folder) for at, task in source.tasks}
    return {at: prompt for at, prompt in prompts.items() if prompt is not None}


def build_task(
    table: "TaskTable", prompt: str, agent: AgentChoice | None, defaults: Defaults
) -> Task:
    """Return the task, with the plan's defaults where it says nothing itself."""
    return Task(
        id=table.id,
        prompt=prompt,
        produces=" ".join(table.produces.split()) or subject(prompt),
        agent=agent or defaults.agent,
        needs=tuple(dict.fromkeys(table.needs)),
        paths=tuple(table.paths),
        resources=tuple(table.resources),
        model=defaults.model if table.model is None else table.model,
        setup=defaults.setup if table.setup is None else table.setup,
        verify=defaults.verify if table.verify is None else table.verify,
        changes=table.changes,
        limits=merge_limits(defaults.limits, table.limits),
    )


def merge_limits(limits: Limits, table: "LimitsTable") -> Limits:
    """Return `limits` with those that the table gives."""
    given = {name: getattr(table, name) for name in asdict(limits)}
    return replace(limits, **{name: value for name, value in given.items() if value is not None})


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


def _check_needs(source: Source) -> None:
    ids = _ids(source)
    graph: dict[str, list[str]] = {}
    for at, task in source.tasks:
        needs = task.get("needs")
        wanted = [n for n in needs if isinstance(n, str)] if isinstance(needs, list) else []
        for name in wanted:
            if name not in ids:
                hint = did_you_mean(name, ids, "tasks are")
                source.problem(("task", at, "needs"), f"there is no task `{name}`", hint)
        if isinstance(task.get("id"), str):
            graph.setdefault(task["id"], []).extend(wanted)
    for cycle in find_cycles(graph):
        path = ("task", ids[cycle[0]][0], "needs")
        if len(cycle) == 2:
            source.problem(path, "the task needs itself")
        else:
            circle = " needs ".join(f"`{name}`" for name in cycle)
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
