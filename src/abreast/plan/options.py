"""Plans made of options: those that override a plan's defaults, and `-t`, one task each."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from abreast.errors import PlanError, Problem
from abreast.model.gate import GateMode
from abreast.model.limits import Limits
from abreast.model.session import LandMode
from abreast.model.task import AgentChoice, Plan, Task
from abreast.plan.explain import did_you_mean
from abreast.plan.names import subject, unique_slugs
from abreast.plan.tasks import agent_problem


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
    gate: GateMode | None = None
    limit: tuple[str, ...] = ()  # of the run, as `tokens=500000`

    def problems(self, agents: Collection[str]) -> Iterator[Problem]:
        """Yield what is wrong with the options themselves."""
        if self.agent and (problem := agent_problem(self.agent, agents)):
            yield Problem("--agent", *problem)
        if self.max_parallel < 0:
            yield Problem("--max-parallel", f"must not be negative, but is {self.max_parallel}")
        if self.max_parallel >= 2**31:  # as in a plan
            yield Problem("--max-parallel", f"is too large: {self.max_parallel}")
        for text in self.limit:
            if problem := limit_problem(text):
                yield Problem("--limit", *problem)

    def over(self, plan: Plan) -> Plan:
        """Return the plan with the options that apply to all of it."""
        good = (text for text in self.limit if limit_problem(text) is None)
        return replace(
            plan,
            base=self.base or plan.base,
            land=plan.land if self.land is None else self.land,
            max_parallel=self.max_parallel or plan.max_parallel,
            gate=plan.gate if self.gate is None else self.gate,
            budget=replace(plan.budget, **dict(map(read_limit, good))),
        )


NO_OVERRIDES = Overrides()

_LIMITS: dict[str, Callable[[str], Any]] = {
    "minutes": float,
    "turns": int,
    "tokens": int,
    "usd": float,
    "price_list": {"true": True, "false": False}.__getitem__,
}


def read_limit(text: str) -> tuple[str, Any]:
    """Return the name and value of a limit that is given as `tokens=500000`."""
    name, _, value = text.partition("=")
    return name, _LIMITS[name](value)


def limit_problem(text: str) -> tuple[str, str] | None:
    """Return what is wrong with a limit that is given as an option, and a hint."""
    name = text.partition("=")[0]
    if name not in _LIMITS:
        return f"there is no limit `{name}` of a run", did_you_mean(name, _LIMITS, "limits are")
    try:
        value = read_limit(text)[1]
    except (ValueError, KeyError):
        return f"`{text}` has no value that {name} can have", f"such as --limit {_SUCH[name]}"
    if not 0 <= value <= 2**53:  # nor NaN
        return f"`{text}` is out of bounds", f"such as --limit {_SUCH[name]}"
    return None


_SUCH = {
    "minutes": "minutes=240",
    "turns": "turns=500",
    "tokens": "tokens=2000000",
    "usd": "usd=25",
    "price_list": "price_list=true",
}

VARIABLES = ("agent", "model", "setup", "verify", "land", "gate", "max_parallel")


def variable_of(key: str) -> str:
    """Return the environment variable that stands for an option."""
    return f"ABREAST_{key.upper()}"


def from_environment(
    environ: Mapping[str, str], options: Overrides = NO_OVERRIDES, agents: Collection[str] = ()
) -> Overrides:
    """Return the options with what the environment says where they say nothing.

    The variables are ABREAST_AGENT, _MODEL, _SETUP, _VERIFY, _LAND, _GATE and _MAX_PARALLEL.
    Raises PlanError with all whose values mean nothing; `agents` are the names of all agents.
    """
    given: dict[str, Any] = {}
    problems = []
    for key in VARIABLES:
        text = environ.get(variable_of(key), "")
        if not text or getattr(options, key):
            continue
        try:
            given[key] = _READ.get(key, str)(text)
        except ValueError:
            choices = f"must be one of {', '.join(_KINDS[key])}" if key in _KINDS else _WHOLE
            problems.append(Problem(variable_of(key), f"{choices}, not `{text}`"))
    for problem in replace(NO_OVERRIDES, **given).problems(agents):
        key = problem.where.removeprefix("--").replace("-", "_")
        problems.append(replace(problem, where=variable_of(key)))
    if problems:
        raise PlanError(problems, what="the settings")
    return replace(options, **given)


_WHOLE = "must be a whole number"
_KINDS: dict[str, type[StrEnum]] = {"land": LandMode, "gate": GateMode}
_READ: dict[str, Callable[[str], Any]] = {**_KINDS, "max_parallel": int}


def plan_from_options(
    prompts: Sequence[str],
    options: Overrides = NO_OVERRIDES,
    *,
    agents: Sequence[str],
    limits: Limits | None = None,
    repo: str = "",
) -> Plan:
    """Return a plan with a task for each prompt, its id made of the prompt's first words.

    `agents` are the names of all agents, the default one first. Raises PlanError
    with everything that is wrong.
    """
    problems = list(options.problems(agents))
    if not prompts:
        problems.append(Problem("-t", "there is no task", 'abreast run -t "what to do"'))
    for number, prompt in enumerate(prompts, 1):
        if not prompt.strip():
            problems.append(Problem(f"-t #{number}", "the prompt is empty"))
        elif "\0" in prompt:
            problems.append(Problem(f"-t #{number}", "the prompt contains a NUL character"))
    if problems:
        raise PlanError(problems)
    tasks = tuple(
        Task(
            id=name,
            prompt=prompt,
            produces=subject(prompt),
            agent=AgentChoice(options.agent or agents[0]),
            model=options.model,
            setup=options.setup,
            verify=options.verify,
            limits=limits or Limits(),
        )
        for name, prompt in zip(
            unique_slugs([subject(prompt) for prompt in prompts]), prompts, strict=True
        )
    )
    return options.over(Plan(tasks, repo=repo, source="options"))
