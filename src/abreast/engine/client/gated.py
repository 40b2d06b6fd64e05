"""What the gate does about a plan that is to run: it adds an order, refuses, or does nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from abreast.errors import PlanError, Problem, StateError
from abreast.model.gate import Edge, GateMode, GateProgress, PlanJudgement, unseen
from abreast.model.task import Plan
from abreast.places import Places

_TOLD = 3  # edges that a run's note names


@dataclass(frozen=True)
class Gated:
    """A plan as the gate lets it run, why, and what the user should know of that."""

    plan: Plan
    judgement: PlanJudgement | None = None
    notes: tuple[str, ...] = ()


def pass_gate(plan: Plan, places: Places, progress: GateProgress = unseen) -> Gated:
    """Return a checked plan with the order that the gate adds to it.

    A plan of one task is not looked at. What keeps the gate from judging keeps no run from
    starting, unless the gate is strict. Then this raises StateError, and PlanError where coupled
    tasks would start together.
    """
    if len(plan.tasks) < 2:
        return Gated(plan)
    if plan.gate is GateMode.OFF:
        return Gated(plan, notes=("the gate is off: nobody has looked whether tasks conflict",))
    from abreast.engine.client.gate import judge  # all evidence: no other request has to load it

    try:
        judgement = judge(plan, places, progress)
    except Exception as failure:  # a judgement is worth less than the run
        if plan.gate is GateMode.STRICT:
            raise StateError(
                f"the gate is strict, and could not judge the plan: {failure}",
                hint="`--gate off` starts it without a judgement",
            ) from failure
        return Gated(plan, notes=(f"the gate could not judge the plan: {failure}",))
    if plan.gate is GateMode.STRICT and judgement.edges:
        raise PlanError([_refusal(edge) for edge in judgement.edges])
    return Gated(
        with_edges(plan, judgement.edges), judgement, (*_told(judgement.edges), *judgement.notes)
    )


def with_edges(plan: Plan, edges: Sequence[Edge]) -> Plan:
    """Return the plan with the edges of a judgement among the `after` of its tasks."""
    tasks = []
    for task in plan.tasks:
        added = (edge.earlier for edge in edges if edge.later == task.id)
        tasks.append(replace(task, after=tuple(dict.fromkeys((*task.after, *added)))))
    return replace(plan, tasks=tuple(tasks))


def _refusal(edge: Edge) -> Problem:
    said = f"is coupled with task {edge.earlier!r}, and would start beside it: {edge.why}"
    hint = f'give it after = ["{edge.earlier}"], or run with --gate advise'
    return Problem(f"task {edge.later!r}", said, hint)


def _told(edges: Sequence[Edge]) -> list[str]:
    told = [f"{edge.later} starts after {edge.earlier}: {edge.why}" for edge in edges[:_TOLD]]
    more = len(edges) - _TOLD
    return [*told, f"and {more} more are put in sequence"] if more > 0 else told
