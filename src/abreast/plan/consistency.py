"""Checks the consistency of a plan made by a program; plan files are checked more strictly."""

from collections import Counter
from collections.abc import Iterator

from abreast.errors import Problem
from abreast.model.task import Plan
from abreast.plan.graph import find_cycles
from abreast.plan.names import id_problem


def task_problems(plan: Plan) -> Iterator[Problem]:
    """Yield what is wrong with the ids of the tasks, and with what they need of each other."""
    for name, count in Counter(task.id for task in plan.tasks).items():
        if problem := id_problem(name):
            yield Problem(f"task {name!r}", f"the id {problem}")
        if count > 1:
            yield Problem(f"task {name!r}", f"{count} tasks have this id")
    needs = {task.id: task.needs for task in plan.tasks}
    for task in plan.tasks:
        for name in task.needs:
            if name not in needs:
                yield Problem(f"task {task.id!r}", f"needs {name!r}, and there is no such task")
    for cycle in find_cycles(needs):
        yield Problem(f"task {cycle[0]!r}", f"tasks wait for each other: {' needs '.join(cycle)}")


def prompt_problems(plan: Plan) -> Iterator[Problem]:
    """Yield what keeps agents from having anything to do."""
    if not plan.tasks:
        yield Problem("plan", "there is no task")
    for task in plan.tasks:
        if not task.prompt.strip():
            yield Problem(f"task {task.id!r}", "the prompt is empty")
        elif "\0" in task.prompt:
            yield Problem(f"task {task.id!r}", "the prompt contains a NUL character")
