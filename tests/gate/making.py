"""Plans and what is known of their repository, for the tests of the gate."""

from collections.abc import Iterable, Mapping
from typing import Any

from abreast.gate.combine import Seen
from abreast.gate.judge import judge_works
from abreast.gate.past import Past
from abreast.gate.planned import BaseTree, planned_tasks
from abreast.model.gate import PairJudgement, PlanJudgement, PredictedPath
from abreast.model.task import AgentChoice, Plan, Task


def task(name: str, prompt: str = "", **more: Any) -> Task:
    """Return a task that says in a sentence of its own what it produces."""
    more = {key: tuple(value) if isinstance(value, list) else value for key, value in more.items()}
    return Task(
        name,
        prompt or "Do it.",
        **{"produces": f"Something of its own is there, called {name * 2}.", **more},
        agent=AgentChoice("scripted"),
    )


def judged(
    tasks: Iterable[Task],
    files: Iterable[str] = (),
    *,
    past: Past | None = None,
    predicted: Mapping[str, tuple[PredictedPath, ...]] | None = None,
    known: Iterable[str] = (),
) -> PlanJudgement:
    """Return what the gate says of these tasks on a tree of these files."""
    tree = BaseTree.of(list(files))
    names = frozenset(known)
    seen = Seen(tree, past or Past(), predicted or {}, names.__contains__)
    return judge_works(planned_tasks(Plan(tuple(tasks)), tree), seen)


def only_pair(found: PlanJudgement) -> PairJudgement:
    [pair] = found.pairs
    return pair
