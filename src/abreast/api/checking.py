"""Ask the gate which tasks of a plan are independent, and add what it advises to the plan file."""

from collections.abc import Callable, Sequence
from pathlib import Path

from abreast.engine.client import amending, gate, planning
from abreast.engine.client.amending import Amendment
from abreast.engine.client.gate import GateProgress, unseen
from abreast.model.gate import PlanJudgement
from abreast.places import Places, find_places


def check(
    source: Path | None,
    prompts: Sequence[str] = (),
    *,
    base: str = "",
    repo: Path | None = None,
    progress: GateProgress | None = None,
    places: Places | None = None,
) -> PlanJudgement:
    """Return what the gate says of a plan file, or of the tasks in `prompts`; nothing is started.

    `base` goes over the plan's own, `repo` is by default the repository around the current folder.
    The agents of the plan need not be installed, and the repository may be without a commit.
    Raises `PlanError` with everything that is wrong with the plan.
    """
    plan = planning.plan_to_check(source, prompts, base, repo)
    return gate.judge(plan, places or find_places(), progress or unseen)


def write_advice(
    source: Path, judgement: PlanJudgement, *, confirm: Callable[[Amendment], bool] | None = None
) -> Amendment | None:
    """Add the lines that a judgement advises to a plan file, and return what was added.

    `confirm` is given the change, and returns whether to go on. Returns None when there is nothing
    to add, or it said no. Raises StateError when the file cannot be edited: it is then as it was.
    """
    amendment = amending.amend(source, judgement.advice)
    if amendment.new == amendment.old or (confirm is not None and not confirm(amendment)):
        return None
    amending.write(amendment)
    return amendment
