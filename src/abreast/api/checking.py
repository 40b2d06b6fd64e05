"""Ask the gate which tasks of a plan are independent, take its advice, and see if it was right."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from abreast.engine.client import gate, planning
from abreast.gate.opinion import NO_OPINION, SHAPE, SecondOpinion, question, read_opinion
from abreast.git.repository import find_repository
from abreast.model.gate import GateProgress, PlanJudgement, unseen
from abreast.model.task import Plan
from abreast.places import Places, find_places

if TYPE_CHECKING:  # each has much to import, and a check needs neither
    from abreast.engine.client.amending import Amendment
    from abreast.gate.review import Review


def check(
    source: Path | None,
    prompts: Sequence[str] = (),
    *,
    base: str = "",
    second: str = "",
    repo: Path | None = None,
    progress: GateProgress | None = None,
    places: Places | None = None,
) -> PlanJudgement:
    """Return what the gate says of a plan file, or of the tasks in `prompts`; nothing is started.

    `base` goes over the plan's own, `repo` is by default the repository around the current folder.
    The agents of the plan need not be installed, and the repository may be without a commit.
    `second` names an agent that is asked for a second opinion, by a delegation under a contract:
    that costs tokens. Raises `PlanError` with everything that is wrong with the plan, and
    `AgentError` when that agent is not there.
    """
    where, tick = places or find_places(), progress or unseen
    plan = planning.plan_to_check(source, prompts, base, repo)
    if not second:
        return gate.judge(plan, where, tick)
    tick(f"asking {second}", 0, 1)
    said, notes = _ask(plan, second, where)
    found = gate.judge(plan, where, tick, second=said)
    return replace(found, notes=(*found.notes, *notes))


def _ask(plan: Plan, agent: str, places: Places) -> tuple[SecondOpinion, tuple[str, ...]]:
    """Return what an agent says of a plan, and a note when it says nothing of use."""
    from abreast.api.delegations import delegate  # much to import, and rarely needed

    answer = delegate(
        question(plan.tasks), agent=agent, returns=SHAPE, repo=Path(plan.repo), places=places
    )
    if answer.value is None or not answer.outcome.valid:
        why = answer.reason or "nothing came back"
        return NO_OPINION, (f"{agent} gave no second opinion ({answer.outcome}): {why}",)
    return read_opinion(answer.value, plan.tasks), ()


def write_advice(
    source: Path, judgement: PlanJudgement, *, confirm: "Callable[[Amendment], bool] | None" = None
) -> "Amendment | None":
    """Add the lines that a judgement advises to a plan file, and return what was added.

    `confirm` is given the change, and returns whether to go on. Returns None when there is nothing
    to add, or it said no. Raises StateError when the file cannot be edited: it is then as it was.
    """
    from abreast.engine.client import amending

    amendment = amending.amend(source, judgement.advice)
    if amendment.new == amendment.old or (confirm is not None and not confirm(amendment)):
        return None
    amending.write(amendment)
    return amendment


def review(run: str = "", *, repo: Path | None = None, places: Places | None = None) -> "Review":
    """Return what the gate has said of a run's pairs, what became of them, and how right it is.

    Without `run` (a run's id, or the start of one) it is the newest run of the repository around
    `repo`, by default the current folder. The figures are over all judged runs of the repository.
    Raises NotFoundError when the gate has judged none.
    """
    from abreast.engine.reading import gate as reviewing

    where = places or find_places()
    common_dir = ""
    if not run:
        found = find_repository(repo or Path.cwd(), worktrees=where.worktrees)
        common_dir = str(found.common_dir)
    return reviewing.review(where, run, common_dir)
