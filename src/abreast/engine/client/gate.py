"""The gate's judgement of a plan: its tree and its history looked up, then judged."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from abreast.engine.client.gate_learned import learned_here
from abreast.engine.client.gate_past import KnownPast, known_past
from abreast.engine.client.gate_tree import (
    definitions,
    gate_cache,
    names_there,
    read_tree,
    united_files,
)
from abreast.errors import DamagedCacheError, StateError, StoreError
from abreast.gate.combine import Seen
from abreast.gate.judge import judge_works
from abreast.gate.opinion import NO_OPINION, SecondOpinion
from abreast.gate.planned import FEW, planned_tasks
from abreast.gate.texts import MOST, Texts, names_at_issue
from abreast.gate.thresholds import MOST_TASKS
from abreast.git.repository import Repository, find_repository
from abreast.model.gate import GateProgress, PlanJudgement, PredictedPath, unseen
from abreast.model.task import Plan, Task
from abreast.places import Places
from abreast.store.gate_cache import GateCache


def judge(
    plan: Plan,
    places: Places,
    progress: GateProgress = unseen,
    *,
    second: SecondOpinion = NO_OPINION,
) -> PlanJudgement:
    """Return what the gate says of a plan whose `base_sha` is set, "" where there is no commit.

    `second` is what an agent has said of the plan, if one was asked.
    Nothing in the repository changes. Raises `GitError` when it cannot be read, and `StateError`
    when the plan has more tasks than can be compared in pairs, or a clone lacks the base's files.
    """
    if (count := len(plan.tasks)) > MOST_TASKS:
        raise StateError(
            f"the gate compares up to {MOST_TASKS} tasks in pairs; this plan has {count:,}",
            hint="split the plan into several runs",
        )
    try:
        return _judge(plan, places, progress, second)
    except DamagedCacheError:  # it is gone now
        return _judge(plan, places, progress, second)
    except StoreError:  # no space, no permission, or another check has held it for long
        return _judge(plan, places, progress, second, keep=False)


def _judge(
    plan: Plan,
    places: Places,
    progress: GateProgress,
    second: SecondOpinion,
    *,
    keep: bool = True,
) -> PlanJudgement:
    repository = find_repository(Path(plan.repo), worktrees=places.worktrees)
    base = plan.base_sha
    with gate_cache(repository, places, keep=keep) as cache:
        progress("reading the tree", 0, 1)
        tree = read_tree(repository, base, cache)
        tasks = planned_tasks(plan, tree)
        asked = names_at_issue([Texts.of(task) for task in plan.tasks])
        names = names_there(repository, base, asked, cache)
        united = united_files(repository, base, tree, cache)
        known = known_past(repository, base, tree.files, cache, progress)
        progress("judging", 0, 1)
        silent = {one.id: one.task for one in tasks if not one.declared}
        where = _definitions(repository, base, silent.values(), cache)
        predicted = {name: _predicted(known, task, second, where) for name, task in silent.items()}
        learned = learned_here(places, repository)
        seen = Seen(tree, known.past, predicted, names.__contains__, second.pairs, united, learned)
        return judge_works(tasks, seen, known.notes)


Defined = Mapping[str, frozenset[str]]
"""The files that define a name in code."""


def _definitions(
    repository: Repository, base: str, tasks: Iterable[Task], cache: GateCache
) -> Defined:
    names = frozenset[str]().union(*(Texts.of(task).names for task in tasks))
    return definitions(repository, base, names, cache)


def _predicted(
    known: KnownPast, task: Task, second: SecondOpinion, where: Defined
) -> tuple[PredictedPath, ...]:
    """Return what the index and the agent that was asked, if any, expect a task to write."""
    named = (where.get(name, frozenset()) for name in Texts.of(task).names)
    few = sorted((paths for paths in named if len(paths) <= FEW), key=len, reverse=True)
    defining = {path: len(paths) for paths in few for path in paths}
    guessed = known.predict(f"{task.id} {task.produces}\n{task.prompt[:MOST]}", defining)
    found = {one.path: one for one in guessed}
    for one in second.paths.get(task.id, ()):
        before = found.get(one.path, one)
        found[one.path] = max(one, before, key=lambda path: path.probability)
    return tuple(sorted(found.values(), key=lambda one: (-one.probability, one.path)))
