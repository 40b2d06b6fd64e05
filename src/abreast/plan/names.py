"""Task ids and commit subjects made of prose, and what is wrong with ids and needs in a plan.

Plan files are checked more strictly than plans that a program has made.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from zlib import crc32

from abreast.errors import Problem
from abreast.model.task import Plan

MAX_ID = 60
MAX_SUBJECT = 72
_SLUG_LENGTH = 32


def id_problem(task: str) -> str | None:
    """Return why `task` cannot name a branch, a file and a session on every system; else None."""
    if not task:
        return "is empty"
    if len(task) > MAX_ID:
        return f"is longer than {MAX_ID} characters"
    odd = sorted(set(re.findall(r"[^a-z0-9._-]", task)))
    if odd:
        return f"may not contain {' '.join(ascii(character) for character in odd)}"
    if task[0] in "-.":
        return f"may not start with {task[0]!r}"
    for end in (".lock", "."):
        if task.endswith(end):
            return f"may not end with {end!r}"
    return "may not contain '..'" if ".." in task else None


def slug(text: str) -> str:
    """Return a task id made of the first words of `text`.

    Of a text without a Latin letter or a digit no word can stand in an id, which is also the name
    of a branch and a folder on any file system: `task-` and six digits that depend on it do.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    chosen = ""
    for word in re.findall(r"[a-z0-9]+", plain.replace("'", "")):
        longer = f"{chosen}-{word}" if chosen else word[:_SLUG_LENGTH]
        if len(longer) > _SLUG_LENGTH:
            break
        chosen = longer
    return chosen or f"task-{crc32(text.encode(errors='surrogatepass')) & 0xFFFFFF:06x}"


def unique_slugs(texts: Sequence[str]) -> list[str]:
    """Return a task id for each text; those that would be equal are numbered from the second on."""
    names: list[str] = []
    for text in texts:
        base = slug(text)
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.append(name)
    return names


def subject(prompt: str) -> str:
    """Return the first line of a prompt that says something, cut to the length of a subject."""
    lines = (re.sub(r"^[\s#>*-]+", "", line) for line in prompt.splitlines())
    first = " ".join(next((line for line in lines if line), "").split())
    if len(first) <= MAX_SUBJECT:
        return first
    cut = first[: MAX_SUBJECT - 1]
    at_word = cut.rpartition(" ")[0] if first[MAX_SUBJECT - 1] != " " else cut
    return (at_word or cut).rstrip(" ,;:.-") + "…"


def find_cycles(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return cycles of tasks, each from its first task in the plan's order back to that task.

    Each task needs the next one. Every task that is in a cycle is in one of those returned, or
    needs another cycle to be broken first. Unknown needs are ignored.
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
    """Yield what is wrong with the ids of the tasks and with their needs."""
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
    """Yield a problem for a plan without tasks, and for each prompt that cannot be used."""
    if not plan.tasks:
        yield Problem("plan", "there is no task")
    for task in plan.tasks:
        if not task.prompt.strip():
            yield Problem(f"task {task.id!r}", "the prompt is empty")
        elif "\0" in task.prompt:
            yield Problem(f"task {task.id!r}", "the prompt contains a NUL character")
