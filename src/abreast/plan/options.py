"""A plan made of `-t` options: one task for each prompt."""

from collections.abc import Sequence

from abreast.errors import PlanError, Problem
from abreast.model.limits import Limits
from abreast.model.task import AgentChoice, Plan, Task
from abreast.plan.names import subject, unique_slugs
from abreast.plan.overrides import NO_OVERRIDES, Overrides


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
