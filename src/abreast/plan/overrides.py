"""Options that override a plan's defaults."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from abreast.errors import Problem
from abreast.model.states import LandMode
from abreast.model.task import Plan
from abreast.plan.choice import agent_problem


@dataclass(frozen=True)
class Overrides:
    """Options of `abreast run`; what is empty leaves the plan's defaults as they are.

    `agent`, `model`, `verify` and `setup` are for tasks that do not say it themselves.
    """

    agent: str = ""
    model: str = ""
    verify: str = ""
    setup: str = ""
    base: str = ""
    land: LandMode | None = None
    max_parallel: int = 0

    def problems(self, agents: Collection[str]) -> Iterator[Problem]:
        """Yield what is wrong with the options themselves."""
        if self.agent and (problem := agent_problem(self.agent, agents)):
            yield Problem("--agent", *problem)
        if self.max_parallel < 0:
            yield Problem("--max-parallel", f"must not be negative, but is {self.max_parallel}")

    def over(self, plan: Plan) -> Plan:
        """Return the plan with the options that concern the whole of it."""
        return replace(
            plan,
            base=self.base or plan.base,
            land=plan.land if self.land is None else self.land,
            max_parallel=self.max_parallel or plan.max_parallel,
        )


NO_OVERRIDES = Overrides()
