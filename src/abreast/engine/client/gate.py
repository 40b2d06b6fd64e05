"""The gate's judgement of a plan: its tree and its history looked up, then judged."""

from collections.abc import Iterable
from pathlib import Path

from abreast.engine.client.gate_past import KnownPast, known_past
from abreast.errors import DamagedCacheError, GitError, StateError
from abreast.gate.combine import Seen
from abreast.gate.judge import judge_works
from abreast.gate.opinion import NO_OPINION, SecondOpinion
from abreast.gate.planned import BaseTree, planned_tasks
from abreast.gate.texts import MOST, Texts
from abreast.gate.thresholds import MOST_TASKS
from abreast.git.call import split
from abreast.git.replay_place import Place, replay_place
from abreast.git.repository import Repository, find_repository
from abreast.model.gate import GateProgress, PlanJudgement, PredictedPath, unseen
from abreast.model.task import Plan, Task
from abreast.places import Places

_ASKED = 200
"""How many names in code are looked up in the tree; a plan of 50 tasks has about so many."""


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
    when the plan has more tasks than can be compared in pairs.
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


def _judge(
    plan: Plan, places: Places, progress: GateProgress, second: SecondOpinion
) -> PlanJudgement:
    repository = find_repository(Path(plan.repo), worktrees=places.worktrees)
    progress("reading the tree", 0, 1)
    tree = read_tree(repository, plan.base_sha)
    tasks = planned_tasks(plan, tree)
    with replay_place(repository) as place:
        names, united = _names_in(place, plan), _united(place, plan.base_sha, tree)
    with known_past(repository, plan.base_sha, tree.files, places, progress) as known:
        progress("judging", 0, 1)
        predicted = {
            one.id: _predicted(known, one.task, second) for one in tasks if not one.declared
        }
        seen = Seen(tree, known.past, predicted, names.__contains__, second.pairs, united)
        return judge_works(tasks, seen, known.notes)


def _predicted(known: KnownPast, task: Task, second: SecondOpinion) -> tuple[PredictedPath, ...]:
    """Return what the index and the agent that was asked, if any, expect a task to write."""
    guessed = known.predict(f"{task.id} {task.produces}\n{task.prompt[:MOST]}")
    found = {one.path: one for one in guessed}
    for one in second.paths.get(task.id, ()):
        before = found.get(one.path, one)
        found[one.path] = max(one, before, key=lambda path: path.probability)
    return tuple(sorted(found.values(), key=lambda one: (-one.probability, one.path)))


def read_tree(repository: Repository, commit: str) -> BaseTree:
    """Return the files of a commit, whatever is checked out; an empty tree where there is none."""
    if not commit:
        return BaseTree()
    listed = repository.call("ls-tree", "-r", "-z", "--format=%(objecttype) %(path)", commit)
    rows = [row.partition(" ") for row in split(listed.stdout)]
    submodules = [path for kind, _, path in rows if kind == "commit"]
    return BaseTree.of([path for _, _, path in rows], submodules)


def _names_in(place: Place, plan: Plan) -> frozenset[str]:
    """Return those of the names that tasks are to introduce which the base has somewhere already.

    All of them where git cannot tell: then nothing is made of them.
    """
    asked = sorted(set[str]().union(*(Texts.of(task).introduced for task in plan.tasks)))[:_ASKED]
    if not asked or not plan.base_sha:
        return frozenset()
    try:
        return frozenset(_grep(place, plan.base_sha, asked))
    except GitError:
        return frozenset(asked)


def _grep(place: Place, commit: str, names: Iterable[str]) -> set[str]:
    words = [word for name in names for word in ("-e", name)]
    options = ("-h", "-o", "-w", "-F", "-I", "--no-color", "--threads=2")
    found = place.call("grep", *options, *words, commit, "--", codes=(0, 1))
    return set(found.stdout.splitlines())


def _united(place: Place, commit: str, tree: BaseTree) -> frozenset[str]:
    """Return the files of which git keeps both sides of a merge, by `.gitattributes` of a commit.

    None where git cannot tell.
    """
    if not any(path.rpartition("/")[2] == ".gitattributes" for path in tree.files):
        return frozenset()
    try:
        asked = ("-q", "-F", "-e", "merge=union", commit, "--", ":(glob)**/.gitattributes")
        if place.call("grep", *asked, codes=(0, 1)).code:
            return frozenset()
        place.call("read-tree", commit)  # git reads attributes from an index, older ones only there
        stdin = "".join(f"{path}\0" for path in tree.files)
        fields = split(
            place.call("check-attr", "--cached", "-z", "--stdin", "merge", stdin=stdin).stdout
        )
    except GitError:
        return frozenset()
    return frozenset(
        path for path, value in zip(fields[::3], fields[2::3], strict=True) if value == "union"
    )
