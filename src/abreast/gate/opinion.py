"""A second opinion: what an agent is asked about a plan, and what its answer means for the gate.

It is shown beside the evidence. The paths that it names count as predicted ones, and a pair that it
calls coupled is `maybe` at least: it makes no edge.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from abreast.model.gate import PredictedPath
from abreast.model.task import Task

LIKELY = 0.6
"""How probably a task writes a path that an agent names which has looked at the repository.

In published figures on finding the files of an issue, agents name about 0.65 of them rightly.
"""

_EXCERPT = 4_000  # characters of a prompt: the question holds those of all tasks
_MOST = 30  # paths of one task

_TEXT = {"type": "string", "minLength": 1}
_PATHS = {
    "type": "object",
    "properties": {"task": _TEXT, "paths": {"type": "array", "items": _TEXT}},
    "required": ["task", "paths"],
    "additionalProperties": False,
}
_PAIR = {
    "type": "object",
    "properties": {"first": _TEXT, "second": _TEXT, "why": _TEXT},
    "required": ["first", "second", "why"],
    "additionalProperties": False,
}
SHAPE: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "tasks": {"type": "array", "items": _PATHS},
        "coupled": {"type": "array", "items": _PAIR},
    },
    "required": ["tasks", "coupled"],
    "additionalProperties": False,
}
"""What the answer has to look like."""


@dataclass(frozen=True)
class Opinion:
    """What an agent said of a pair that it calls coupled."""

    first: str
    second: str
    why: str


@dataclass(frozen=True)
class SecondOpinion:
    """What an agent said of a plan: the paths of each task, and the pairs that are coupled."""

    paths: Mapping[str, tuple[PredictedPath, ...]] = field(default_factory=dict)
    pairs: tuple[Opinion, ...] = ()


NO_OPINION = SecondOpinion()


def question(tasks: Sequence[Task]) -> str:
    """Return what to ask about these tasks."""
    told = [
        {
            "task": task.id,
            "produces": task.produces,
            "prompt": task.prompt[:_EXCERPT],
            "declared paths": list(task.paths),
        }
        for task in tasks
    ]
    return (
        "Each of the tasks below is to be done by another agent, on its own copy of this"
        " repository, all starting from the same commit. Change nothing. Look at the repository and"
        " say for each task which files it will write (paths relative to the top of the"
        " repository), and which pairs of tasks must not start together, because one needs what the"
        " other makes or both rewrite the same lines, with the reason in one sentence.\n\n"
        f"{json.dumps(told, ensure_ascii=False, indent=1)}"
    )


def read_opinion(value: Any, tasks: Sequence[Task]) -> SecondOpinion:
    """Return what an answer of `SHAPE` says of these tasks; what it says of others is left out."""
    ids = {task.id for task in tasks}
    paths = {
        one["task"]: tuple(PredictedPath(path, LIKELY) for path in dict.fromkeys(one["paths"]))[
            :_MOST
        ]
        for one in value["tasks"]
        if one["task"] in ids
    }
    pairs = tuple(
        Opinion(one["first"], one["second"], one["why"])
        for one in value["coupled"]
        if one["first"] in ids and one["second"] in ids and one["first"] != one["second"]
    )
    return SecondOpinion(paths, pairs)
