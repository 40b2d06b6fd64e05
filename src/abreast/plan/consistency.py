"""Checks task ids and what tasks need of each other; plan files are checked more strictly."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from abreast.errors import Problem
from abreast.model.task import Plan
from abreast.plan.names import id_problem


def find_cycles(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return circles of tasks, each from its first task in the plan's order back to that task.

    Each step leads to a task that the one before needs. Every task that is in a circle is in one
    of those returned, or needs another circle to be broken first. Unknown needs are ignored.
    """
    left = {task: [n for n in wanted if n in needs] for task, wanted in needs.items()}
    order = list(needs)
    cycles = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            # graphlib lists each task before the one that needs it.
            circle = list(reversed(error.args[1]))[:-1]
            start = circle.index(min(circle, key=order.index))
            cycles.append([*circle[start:], *circle[: start + 1]])
            gone = set(circle)
            left = {
                task: [n for n in wanted if n not in gone]
                for task, wanted in left.items()
                if task not in gone
            }
        else:
            return sorted(cycles, key=lambda cycle: order.index(cycle[0]))


def say_cycle(cycle: Sequence[str], needs: Mapping[str, Sequence[str]], mark: str = "") -> str:
    """Return a circle in words, each task between two `mark`s: a needs b after a."""
    words = [f"{mark}{cycle[0]}{mark}"]
    for one, other in pairwise(cycle):
        words += ["needs" if other in needs[one] else "after", f"{mark}{other}{mark}"]
    return " ".join(words)


def task_problems(plan: Plan) -> Iterator[Problem]:
    """Yield what is wrong with the ids of the tasks, and with what they need of each other."""
    for name, count in Counter(task.id for task in plan.tasks).items():
        if problem := id_problem(name):
            yield Problem(f"task {name!r}", f"the id {problem}")
        if count > 1:
            yield Problem(f"task {name!r}", f"{count} tasks have this id")
    needs = {task.id: task.needs for task in plan.tasks}
    for task in plan.tasks:
        for verb, names in (("needs", task.needs), ("is after", task.after)):
            for name in names:
                if name not in needs:
                    there_is_none = f"{verb} {name!r}, and there is no such task"
                    yield Problem(f"task {task.id!r}", there_is_none)
    for cycle in find_cycles({task.id: task.waits_for for task in plan.tasks}):
        circle = say_cycle(cycle, needs)
        yield Problem(f"task {cycle[0]!r}", f"tasks wait for each other: {circle}")


def prompt_problems(plan: Plan) -> Iterator[Problem]:
    """Yield what keeps agents from having anything to do."""
    if not plan.tasks:
        yield Problem("plan", "there is no task")
    for task in plan.tasks:
        if not task.prompt.strip():
            yield Problem(f"task {task.id!r}", "the prompt is empty")
        elif "\0" in task.prompt:
            yield Problem(f"task {task.id!r}", "the prompt contains a NUL character")
