"""Delegations from the client's side: what is asked is checked, and begun.

`abreast.toml` at the top of a repository says what its delegations are like unless they say it.
"""

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abreast.agents import AGENTS, agent_named, modelled
from abreast.contract.ask import check_count
from abreast.contract.shapes import schema_of
from abreast.engine.client.requests import Client, connect
from abreast.engine.client.settings import PROJECT_FILE, checkout_layer
from abreast.engine.client.watching import require_run
from abreast.engine.common.budgets import cost_problems
from abreast.engine.common.check import agent_notes, check_plan
from abreast.engine.common.environment import wanted_environment
from abreast.engine.common.installed import find_fit
from abreast.engine.common.settings_files import user_layers
from abreast.engine.common.worker_process import ensure_worker
from abreast.engine.working.delegation.estimating import check_scope, make_estimate, sizes_in
from abreast.errors import (
    AbreastError,
    AgentError,
    ContractError,
    PlanError,
    Problem,
    WorkerError,
)
from abreast.git.repository import find_repository
from abreast.model.economy import Estimate
from abreast.model.limits import Profile
from abreast.model.session import Run, SessionKind
from abreast.model.task import (
    LIMIT_TOKENS,
    AgentChoice,
    BriefingChoice,
    Contract,
    Isolation,
    Plan,
    Task,
)
from abreast.model.text import harmless, named, one_line
from abreast.places import Places, find_places
from abreast.plan.dump import load_plan
from abreast.plan.names import subject
from abreast.plan.source import merged
from abreast.process.environment import CONFINED, DEPTH, OFFLINE, SESSION
from abreast.store.reader import Reader

_SAID = 160  # characters of what is wrong with a file


@dataclass(frozen=True)
class DelegateSettings:
    """The table `[delegate]`. An empty `agent` is the parent's own, or the first installed.

    `network` is that of the user's own settings.
    """

    agent: str = ""
    model: str = ""
    profile: Profile = Profile.LEAN
    limit_tokens: int = LIMIT_TOKENS
    network: bool = True


def load_settings(tree: Path) -> DelegateSettings:
    """Return the settings in `tree`, over the user's own; the defaults where there is no file.

    Raises ContractError for a project's file that is wrong anywhere, PlanError for a user's.
    """
    users = user_layers(os.environ)
    own = [layer.values.get("delegate", {}) for layer in users]
    file = tree / PROJECT_FILE
    try:
        table = checkout_layer(tree).values.get("delegate", {})
    except PlanError as error:
        # A model may get to read the error: what a repository says is quoted, and cut short.
        problem = str(error.problems[0]).replace(str(file), PROJECT_FILE)
        said = json.dumps(one_line(harmless(problem), _SAID), ensure_ascii=False)
        hint = "put it right, or take it away: there are defaults"
        raise ContractError(f"{file} is wrong: {said}", hint=hint) from error
    table = merged([*own, table])
    agent = table.get("agent", "")
    if agent and agent not in modelled():  # a repository must not choose a command to run
        said = f"agent is one of {', '.join(modelled())}, not {named([agent])}"
        raise ContractError(f"{file}: {said}")
    profile = Profile(table.get("profile", Profile.LEAN))
    network = merged([layer.values for layer in users]).get("network") is not False
    return DelegateSettings(**{**table, "profile": profile, "network": network})


@dataclass(frozen=True)
class Ask:
    """Who is to answer: empty fields are filled from `abreast.toml`, then by default.

    `parent` names the session that asks. `own` is the agent that the parent is, if it is one.
    """

    agent: AgentChoice = AgentChoice("")  # noqa: RUF009 (it is frozen)
    model: str = ""
    profile: Profile | None = None
    parent: str = ""
    own: str = ""
    max_parallel: int = 0


def start(
    contracts: Sequence[Contract],
    ask: Ask,
    places: Places,
    *,
    tree: Path,
    environ: Mapping[str, str] | None = None,
    warn: Callable[[str], object] = lambda _: None,
) -> Run:
    """Start a child for each contract and return at once.

    `warn` is called before anything is made, with each thing that may keep it from working, such as
    a login that is missing. Raises ContractError for contracts that nobody could fulfil, PlanError
    when the machine lacks something; then nothing has happened.
    """
    env = os.environ if environ is None else environ
    plan = make_plan(contracts, ask, tree=tree, environ=env)
    parent = ask.parent or env.get(SESSION, "")
    with connect(places) as client:
        return _record(client, plan, parent, env, warn)


def _record(
    client: Client,
    plan: Plan,
    parent: str,
    environ: Mapping[str, str],
    warn: Callable[[str], object],
) -> Run:
    checked = check_plan(plan, environ, found=_beyond_run(client.reader, plan, parent))
    if not all(task.contract and task.contract.isolation.edits for task in plan.tasks):
        # One that reads sees the tree as it is: what is not committed, too.
        own = agent_notes(checked.plan, wanted_environment(environ, plan.pass_env))
        checked = replace(checked, notes=tuple(own))
    for note in checked.notes:
        warn(note)
    name = client.record(checked, environ, kind=SessionKind.CHILD, parent=parent)
    try:
        ensure_worker(client.places)
    except (AbreastError, KeyboardInterrupt):
        with contextlib.suppress(WorkerError):  # nobody waits for it: it must not begin later
            client.stop(name, timeout=0)
        raise
    return require_run(client.reader, name)


def _beyond_run(reader: Reader, plan: Plan, parent: str) -> Sequence[Problem]:
    """Return why children cannot count into the budget of their parent's run."""
    run = parent.partition("/")[0]
    if not run or reader.session(parent) is None:
        return ()
    return tuple(cost_problems(plan, load_plan(reader.plan_json(run)).budget, f"run {run}"))


def make_plan(
    contracts: Sequence[Contract], ask: Ask, *, tree: Path, environ: Mapping[str, str]
) -> Plan:
    """Return the plan for these contracts; raises ContractError, and has no effect."""
    if environ.get(DEPTH):
        raise ContractError("a child cannot delegate", hint="only its parent can delegate")
    check_count(len(contracts))
    repository = find_repository(tree, worktrees=find_places().worktrees)
    top = repository.place
    if repository.toplevel is None and not all(c.isolation.edits for c in contracts):
        what = f"{top} is a bare repository: there are no files to read"
        raise ContractError(what, hint="use a child with its own worktree (--worktree)")
    settings = load_settings(top)
    choice = _choice(ask, settings, environ)
    for contract in contracts:
        check_contract(contract, top)
    tasks = tuple(
        Task(
            id=str(number),
            prompt=contract.question,
            produces=subject(contract.question),
            agent=choice,
            model=ask.model or settings.model,
            limits=contract.budget,
            contract=contract,
            profile=ask.profile or settings.profile,
            # A child is no way to what its parent may not reach.
            network=settings.network and OFFLINE not in environ.get(CONFINED, ""),
        )
        for number, contract in enumerate(contracts, 1)
    )
    return Plan(tasks, repo=str(top), source="delegate", max_parallel=ask.max_parallel)


def check_contract(contract: Contract, tree: Path) -> None:
    """Raise ContractError when nobody could fulfil the contract in `tree`."""
    if not contract.question.strip():
        raise ContractError("the question is empty", hint="say what you want to know")
    if contract.limit_tokens < 1:
        raise ContractError(f"the limit is {contract.limit_tokens} tokens: it must be at least 1")
    budget = contract.budget
    if min(budget.minutes, budget.idle_minutes, budget.turns, budget.tokens, budget.usd) < 0:
        raise ContractError("a budget cannot be negative", hint="0 means no bound")
    schema_of(contract.returns)
    check_scope(tree, contract.scope)


def _choice(ask: Ask, settings: DelegateSettings, environ: Mapping[str, str]) -> AgentChoice:
    if ask.agent.name:
        agent_named(ask.agent.name)
        return ask.agent
    if settings.agent or ask.own:
        return AgentChoice(settings.agent or ask.own)
    env = wanted_environment(environ, ())
    for name in modelled():
        with contextlib.suppress(AgentError):
            find_fit(AGENTS[name], env)
            return AgentChoice(name)
    raise ContractError(
        "no agent CLI is installed that can answer",
        hint="`abreast agents` shows how to install one",
    )


def expect(contract: Contract, ask: Ask, places: Places, *, tree: Path) -> tuple[str, Estimate]:
    """Return which agent would answer, and the estimate; nothing is started."""
    [task] = make_plan([contract], ask, tree=tree, environ=os.environ).tasks
    top = find_repository(tree, worktrees=find_places().worktrees).place
    sizes, reader = sizes_in(top, contract.scope), Reader(places.database)
    return task.agent.name, make_estimate(contract, task.agent.name, task.profile, sizes, reader)


def contract(
    question: str,
    tree: Path,
    *,
    scope: Sequence[str] = (),
    limit_tokens: int = 0,
    isolation: Isolation = Isolation.CONTEXT,
    briefing: BriefingChoice | None = None,
    **more: Any,
) -> Contract:
    """Return a contract; what is not given comes from `abreast.toml`, and from the isolation.

    A child that writes gets the project's briefing, one that reads gets none. `more` are further
    fields of `Contract`.
    """
    if not limit_tokens:
        limit_tokens = load_settings(
            find_repository(tree, worktrees=find_places().worktrees).place
        ).limit_tokens
    if briefing is None:
        briefing = BriefingChoice.PROJECT if isolation.edits else BriefingChoice.NONE
    return Contract(
        question,
        tuple(scope),
        limit_tokens=limit_tokens,
        isolation=isolation,
        briefing=briefing,
        **more,
    )
