"""Finds cycles in what tasks need of each other."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


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
