"""Check a plan against this machine before anything starts: repository, base, agents, tools."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from abreast.agents import AGENTS, agent_named
from abreast.agents.base import LoginState
from abreast.agents.parts import VersionStatus
from abreast.engine.common.budgets import budget_problems, uncounted
from abreast.engine.common.environment import wanted_environment
from abreast.engine.common.forge import REMOTE, forge_of
from abreast.engine.common.installed import find_fit
from abreast.errors import AbreastError, AgentError, PlanError, Problem
from abreast.git.apart import head_apart
from abreast.git.call import require_git
from abreast.git.repository import Repository, branch_name_ok, find_repository, read_ref, resolve
from abreast.git.status import current_branch, dirty_summary, find_commit
from abreast.model.pull_request import ForgeName
from abreast.model.session import LandMode
from abreast.model.task import Plan, Task
from abreast.model.text import one_line
from abreast.places import find_places
from abreast.plan.names import task_problems

_GIB = 2**30


@dataclass(frozen=True)
class CheckedPlan:
    """A plan that can run here: base resolved, target and limits filled in."""

    plan: Plan
    repository: Repository
    notes: tuple[str, ...]  # what the user should know, though it stops nothing


def check_plan(
    plan: Plan, environ: Mapping[str, str] | None = None, *, found: Iterable[Problem] = ()
) -> CheckedPlan:
    """Return the plan with its base as a SHA.

    Raises PlanError with every problem at once, those that the caller has `found` first.
    """
    env = wanted_environment(os.environ if environ is None else environ, plan.pass_env)
    problems = [*found, *task_problems(plan), *_agent_problems(plan, env)]
    problems += budget_problems(plan)
    repository = _repository(plan, problems)
    base_sha, target = "", plan.target
    if repository is not None:
        problems += _read_only(repository)
        base_sha = _base(plan, repository, problems)
        target = target or _default_target(plan, repository)
        problems += landing_problems(plan.land, target, repository, env, plan.pr.forge)
    if problems or repository is None:
        raise PlanError(problems)
    checked = replace(
        plan,
        base_sha=base_sha,
        target=target,
        repo=str(repository.place),
        max_parallel=plan.max_parallel
        or default_parallel(os.cpu_count() or 1, psutil.virtual_memory().available),
    )
    notes = (
        *agent_notes(checked, env),
        *fallback_notes(checked, env),
        *_notes(checked, repository),
    )
    return CheckedPlan(checked, repository, notes)


def default_parallel(cores: int, available_bytes: int) -> int:
    """Return how many sessions to run at once: two a core, one a GiB of free memory, at least 1.

    An agent waits for its model most of the time, so two share a core well; what it starts (a
    build, a test run) needs the memory.
    """
    return max(1, min(2 * cores, available_bytes // _GIB))


def _agent_problems(plan: Plan, environ: Mapping[str, str]) -> Iterator[Problem]:
    names = (name for task in plan.tasks for name in (task.agent.name, *task.fallback))
    for name in dict.fromkeys(names):
        agent = AGENTS.get(name)
        if agent is None:
            yield Problem("agent", f"{name} is unknown", f"agents are: {', '.join(AGENTS)}")
            continue
        try:
            find_fit(agent, environ)
        except AgentError as unfit:
            yield Problem(f"agent {name}", unfit.message, unfit.hint)


def fallback_notes(plan: Plan, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield who pays for tasks that go to another agent."""
    pairs = ((task.agent.name, name) for task in plan.tasks for name in task.fallback)
    for own, other in dict.fromkeys(pairs):
        login = agent_named(other).login(environ)
        by = f" ({login.detail})" if login.detail else ""
        titles = agent_named(own).title, agent_named(other).title
        yield (
            f"what has not started when {titles[0]}'s limit is used up goes to {titles[1]}, "
            f"and {titles[1]}'s own account pays{by}"
        )


def agent_notes(plan: Plan, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what may keep the agents of a plan from working here, as far as files and variables
    tell: a login that is missing, and a version of a CLI that abreast was not tried with.

    Raises AgentError as `find_fit` does.
    """
    for agent in dict.fromkeys(agent_named(task.agent.name) for task in plan.tasks):
        if agent.certified is None:
            continue
        version = find_fit(agent, environ).version
        if agent.certified.standing(version) is VersionStatus.UNTRIED:
            which = f"{agent.title} {one_line(version)}" if version else f"this {agent.title}"
            tried = f"abreast was tried with {agent.certified}"
            yield f"{which} may behave in other ways than abreast knows: {tried}"
        login = agent.login(environ)
        if login.state is LoginState.MISSING:
            why = f" ({login.detail})" if login.detail else ""
            hint = f": {login.hint}" if login.hint else ""
            yield f"{agent.title} is not logged in{why}{hint}"


def _read_only(repository: Repository) -> Iterator[Problem]:
    """Yield a problem where no session could have a branch: better now than when it begins."""
    objects = repository.common_dir / "objects"
    if not os.access(objects, os.W_OK):
        said = f"{repository.common_dir} cannot be written: a session needs a branch there"
        yield Problem("repository", said, "make it writable, or clone it to where you can write")


def landing_problems(
    mode: LandMode,
    target: str,
    repository: Repository,
    environ: Mapping[str, str],
    forge: ForgeName,
) -> Iterator[Problem]:
    """Yield the reasons why commits cannot land on `target` in this mode."""
    if mode is LandMode.NONE:
        return
    hint = "name a local branch: target = in the plan, or --target"
    if not target:
        yield Problem("target", "there is no branch to land on: HEAD is detached", hint)
    elif not branch_name_ok(target):
        yield Problem("target", f"{target!r} is not a branch name", hint)
    elif not read_ref(repository, f"refs/heads/{target}"):
        yield Problem("target", f"there is no local branch {target}", hint)
    if mode is not LandMode.PR:
        return
    command = forge_of(repository, environ, forge).command
    if shutil.which(command, path=environ.get("PATH")) is None:
        hint = f"install it and `{command} auth login`, or land with --land merge"
        yield Problem("land", f"pull requests need the program `{command}`, which is missing", hint)
    if REMOTE not in repository.call("remote").stdout.split():
        hint = f"`git remote add {REMOTE} URL`, or land with --land merge"
        yield Problem("land", f"pull requests need a remote named {REMOTE}", hint)


def _repository(plan: Plan, problems: list[Problem]) -> Repository | None:
    try:
        require_git()
        return find_repository(Path(plan.repo or Path.cwd()), worktrees=find_places().worktrees)
    except AbreastError as error:
        problems.append(Problem("repository", error.message, error.hint))
        return None


def _base(plan: Plan, repository: Repository, problems: list[Problem]) -> str:
    """Return the commit that the sessions start from; "" where none needs one and there is none."""
    reads = (task.contract and not task.contract.isolation.edits for task in plan.tasks)
    if plan.tasks and all(reads):
        return find_commit(repository.where, plan.base) or ""
    try:
        if repository.tree is not None and plan.base == "HEAD":  # a session's, perhaps at work
            return head_apart(repository, repository.tree) or resolve(repository, plan.base)
        return resolve(repository, plan.base)
    except AbreastError as error:
        problems.append(Problem("base", error.message, error.hint))
        return ""


def _default_target(plan: Plan, repository: Repository) -> str:
    """The branch that landing moves unless told otherwise: the base if it is one, else ours."""
    if read_ref(repository, f"refs/heads/{plan.base}"):
        return plan.base
    return current_branch(repository.where) or ""


def _notes(plan: Plan, repository: Repository) -> Iterator[str]:
    dirty = dirty_summary(repository.where) if repository.toplevel else None
    if dirty and not dirty.clean:
        yield f"uncommitted changes will not be seen by the sessions: {dirty}"
    for task in plan.tasks:
        yield from (f"{task.id}: {note}" for note in vain_limits(task))
    yield from uncounted(plan)


def vain_limits(task: Task) -> Iterator[str]:
    """Yield a note for each limit of a task that its agent can never reach."""
    agent = AGENTS[task.agent.name]
    if task.limits.usd and not agent.capabilities.cost:
        yield f"{agent.title} states no cost, so the limit `usd` cannot trip"
    if task.limits.tokens and not agent.capabilities.usage:
        yield f"{agent.title} states no tokens, so the limit `tokens` cannot trip"
