"""Everything abreast can do, as typed calls. The CLI parses, calls one of these, and renders.

Every call is synchronous and safe to use from threads; `abreast.aio` has the async twins. All
take `places` (default: the user's own state folder and database) as a keyword.

Errors are `abreast.errors.AbreastError`s with a message and, mostly, a `hint`.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abreast.agents.base import Agent, Capabilities, Command, Login
from abreast.contract.paging import Page
from abreast.errors import NotFoundError
from abreast.model.connection import Confirm, Connection, Scope
from abreast.model.contract import Contract, Deliverable, Isolation, Profile
from abreast.model.economy import Estimate
from abreast.model.finding import Diagnosis
from abreast.model.handoff import TOKENS, Freshness, Handoff
from abreast.model.ledger import By, Ledger
from abreast.model.removal import Removal
from abreast.model.session import LogEvent, Run, Session
from abreast.model.states import LandMode, SessionKind
from abreast.model.task import AgentChoice, Plan
from abreast.places import Places, find_places
from abreast.store.reader import Reader

if TYPE_CHECKING:
    from abreast.engine.telling import Told

Progress = Callable[[Run], None]
_WEEK = 7 * 86_400.0


@dataclass(frozen=True)
class AgentInfo:
    """One row of `abreast agents`. `path` is None when the CLI is not installed."""

    name: str
    title: str
    path: Path | None
    version: str
    login: Login | None
    capabilities: Capabilities
    install_hint: str


@dataclass(frozen=True)
class Terminal:
    """A command for the user's own terminal. After it ends, call `after(session)`."""

    session: Session
    command: Command
    cwd: Path


def read_plan(
    source: Path | None,
    prompts: Sequence[str] = (),
    *,
    repo: Path | None = None,
    agent: str = "",
    model: str = "",
    verify: str = "",
    setup: str = "",
    base: str = "",
    land: LandMode | None = None,
    max_parallel: int = 0,
) -> tuple[Plan, list[str]]:
    """Read a plan file, or make a plan of `prompts`, and check it against its repository.

    Keywords that are not empty override the plan's defaults. `repo` is by default the repository
    around the current folder. Returns the plan, its base resolved, and warnings for the user;
    raises `PlanError` with everything that is wrong.
    """
    from abreast.engine import planning
    from abreast.plan.overrides import Overrides

    overrides = Overrides(agent, model, verify, setup, base, land, max_parallel)
    return planning.read_plan(source, prompts, overrides, repo)


def start(plan: Plan, *, places: Places | None = None) -> Run:
    """Record a checked plan as a run, make sure that a worker is there, and return at once."""
    from abreast.engine.client import connect

    with connect(places or find_places()) as client:
        return client.start(plan)


def wait(
    run: str,
    *,
    progress: Progress | None = None,
    timeout: float | None = None,
    places: Places | None = None,
) -> Run:
    """Return the run once it is final (or `timeout` seconds have passed: then as it stands).

    `progress` is called with each changed state of the run, from this thread.
    """
    from abreast.engine import watching

    return watching.wait(run, places or find_places(), progress or _unseen, timeout)


def run(plan: Plan, *, progress: Progress | None = None, places: Places | None = None) -> Run:
    """Start a plan and wait for it."""
    begun = start(plan, places=places)
    return wait(begun.id, progress=progress, places=places)


def runs(*, limit: int = 20, places: Places | None = None) -> list[Run]:
    """Return the newest runs, newest first; empty when nothing ever ran here."""
    return _reader(places).runs(limit)


def find_run(name: str = "", *, places: Places | None = None) -> Run:
    """Return the run of this id (a unique prefix will do), by default the newest one."""
    return _reader(places).run_by_prefix(name)


def sessions(run: str = "", *, places: Places | None = None) -> list[Session]:
    """Return the sessions of a run; with no name, of every run that is not final."""
    reader = _reader(places)
    if run:
        return list(reader.run_by_prefix(run).sessions)
    return [session for active in reader.active() for session in active.sessions]


def find_session(name: str, *, places: Places | None = None) -> Session:
    """Return the session `run/task`; a bare task id means the newest run that has it.

    A run of one session, such as a delegation, stands for that.
    """
    reader = _reader(places)
    if "/" in name:
        prefix, _, task = name.partition("/")
        found = [s for s in reader.run_by_prefix(prefix).sessions if s.task == task]
    else:
        found = reader.sessions_by_task(name)
        if not found and len(only := reader.sessions(name)) == 1:
            found = only
    if not found:
        raise NotFoundError(f"there is no session {name}", hint="`abreast status` lists them")
    return found[0]


def logs(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[LogEvent]:
    """Yield a session's story, oldest first; with `follow`, until it ends."""
    from abreast.engine import story

    return story.tell(find_session(name, places=places), places or find_places(), follow=follow)


def stream(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[bytes]:
    """Yield the lines of a session's agent as its CLI printed them (its latest attempt)."""
    from abreast.engine import story

    return story.stream(find_session(name, places=places), places or find_places(), follow=follow)


def diff(name: str, *, stat: bool = False, places: Places | None = None) -> str:
    """Return a session's changes against its base as git prints them, uncommitted ones included."""
    from abreast.engine import inspect

    return inspect.diff(find_session(name, places=places), places or find_places(), stat=stat)


def stop(name: str, *, places: Places | None = None) -> list[Session]:
    """Stop a run or a session, and return the sessions this reached.

    Returns once no process of theirs is left; what they did so far is kept under a ref.
    """
    from abreast.engine import terminal
    from abreast.engine.client import connect

    where = places or find_places()
    found = _run_or_session(name, where)
    if isinstance(found, Session) and found.kind is SessionKind.OPEN and not found.state.final:
        return [terminal.close(found, where)]
    with connect(where) as client:
        return client.stop(found.id)


def resume(run: str, *, places: Places | None = None) -> Run:
    """Go on with a run: whatever is not done is queued again, in its own CLI session if it can.

    The run itself may be at work. The environment is that of this process from now on.
    """
    from abreast.engine.client import connect

    where = places or find_places()
    with connect(where) as client:
        return client.resume(find_run(run, places=where).id)


def retry(name: str, *, places: Places | None = None) -> Run:
    """Queue one session that has ended, and not landed, once more, afresh from its base."""
    from abreast.engine.client import connect

    where = places or find_places()
    session = find_session(name, places=where)
    with connect(where) as client:
        return client.retry(session)


def attach(name: str, *, places: Places | None = None) -> Terminal:
    """Return the command that opens a session interactively, by its exact id, in its worktree."""
    from abreast.engine import terminal

    where = places or find_places()
    return Terminal(*terminal.attach(find_session(name, places=where), where))


def open_session(
    name: str,
    agent: str = "claude",
    *,
    repo: Path | None = None,
    base: str = "HEAD",
    model: str = "",
    places: Places | None = None,
) -> Terminal:
    """Make a fresh worktree and return the command for an interactive session in it."""
    from abreast.engine import terminal

    where = places or find_places()
    return Terminal(
        *terminal.open_session(name, agent, where, repo=repo or Path.cwd(), base=base, model=model)
    )


def close_session(name: str, *, places: Places | None = None) -> Session:
    """Record that the person has left an interactive session: commit what there is."""
    from abreast.engine import terminal

    where = places or find_places()
    return terminal.close(find_session(name, places=where), where)


def request_landing(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    places: Places | None = None,
) -> Run:
    """Queue a session, or every finished session of a run, for landing, and return at once."""
    from abreast.engine.client import connect

    where = places or find_places()
    found = _run_or_session(name, where)
    run = found if isinstance(found, Run) else find_run(found.run, places=where)
    chosen = run.sessions if isinstance(found, Run) else (found,)
    with connect(where) as client:
        return client.request_landing(run.id, chosen, mode, target)


def land(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    progress: Progress | None = None,
    places: Places | None = None,
) -> Run:
    """Land a session, or every finished session of a run, one after another, and wait for it."""
    where = places or find_places()
    asked = request_landing(name, mode, target=target, places=where)
    return wait(asked.id, progress=progress, places=where)


def clean(
    names: Sequence[str] = (),
    *,
    remove: bool = False,
    force: bool = False,
    places: Places | None = None,
) -> list[Removal]:
    """Remove worktrees whose work has landed; by default only tell what would go.

    Work that is not in the target stays unless `force`, and even then under a ref.
    """
    from abreast.engine import cleaning

    where = places or find_places()
    return cleaning.clean(names, where, remove=remove, force=force)


def delegate(
    question: str | Contract,
    *,
    scope: Sequence[str] = (),
    returns: str | Mapping[str, Any] = "text",
    limit_tokens: int = 0,
    isolation: Isolation = Isolation.CONTEXT,
    agent: str | AgentChoice = "",
    model: str = "",
    profile: Profile | None = None,
    repo: Path | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> Deliverable:
    """Ask a child agent one bounded question and return its checked answer.

    Give a `Contract` as the question to say more than these keywords do, which it then replaces.
    `repo` is a folder in the tree to look at, by default the current one. `agent` is by default
    that of `abreast.toml`, else the first one installed. However it ended, there is a deliverable:
    look at its `outcome`. Raises ContractError and PlanError for what cannot even be asked.
    """
    asked = start_delegation(
        question,
        scope=scope,
        returns=returns,
        limit_tokens=limit_tokens,
        isolation=isolation,
        agent=agent,
        model=model,
        profile=profile,
        repo=repo,
        places=places,
    )
    return collect(asked.id, wait=True, progress=progress, places=places)[0]


def start_delegation(
    *questions: str | Contract,
    scope: Sequence[str] = (),
    returns: str | Mapping[str, Any] = "text",
    limit_tokens: int = 0,
    isolation: Isolation = Isolation.CONTEXT,
    agent: str | AgentChoice = "",
    model: str = "",
    profile: Profile | None = None,
    max_parallel: int = 0,
    parent: str = "",
    own: str = "",
    repo: Path | None = None,
    places: Places | None = None,
) -> Run:
    """Start a child for each question, side by side, and return at once (see `delegate`).

    The keywords hold for every question that is no `Contract`. `parent` names the session that
    asks; by default the abreast session that we run in, if we do. `own` is the agent that it
    is, which answers when neither `agent` nor `abreast.toml` names one.
    """
    from abreast.engine import delegating

    tree = repo or Path.cwd()
    contracts = [
        question
        if isinstance(question, Contract)
        else delegating.contract(
            question,
            tree,
            scope=tuple(scope),
            returns=returns,
            limit_tokens=limit_tokens,
            isolation=isolation,
        )
        for question in questions
    ]
    choice = agent if isinstance(agent, AgentChoice) else AgentChoice(agent)
    ask = delegating.Ask(choice, model, profile, parent, own, max_parallel)
    return delegating.start(contracts, ask, places or find_places(), tree=tree)


def contract(question: str, *, repo: Path | None = None, **fields: Any) -> Contract:
    """Return a contract; what is not given comes from `abreast.toml`, else from the isolation.

    `fields` are those of `Contract`; a `limit_tokens` of 0 and a `briefing` of None are not given.
    """
    from abreast.engine import delegating

    return delegating.contract(question, repo or Path.cwd(), **fields)


def collect(
    name: str,
    *,
    wait: bool = False,
    timeout: float | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> list[Deliverable]:
    """Return what the children of this run, or this one child, have delivered so far.

    With `wait`, all of it: once the last one has ended, or after `timeout` seconds what there is.
    """
    from abreast.engine import delegating

    where = places or find_places()
    if wait:
        delegating.collect(name, where)  # raises at once for what is no delegation
        delegating.wait(name, where, timeout=timeout, progress=progress or _unseen)
    return delegating.collect(name, where)


def more(name: str, page: int = 2, *, places: Places | None = None) -> Page:
    """Return a page of a child's deliverable, from 1; joined, the pages are the whole text.

    Raises NotFoundError when there is no such page.
    """
    from abreast.engine import delegating

    return delegating.page(name, page, places or find_places())


def estimate(
    question: str | Contract,
    *,
    scope: Sequence[str] = (),
    limit_tokens: int = 0,
    agent: str = "",
    profile: Profile | None = None,
    repo: Path | None = None,
    places: Places | None = None,
) -> tuple[str, Estimate]:
    """Return which agent would answer, and what a delegation should cost; nothing is started."""
    from abreast.engine import delegating

    tree = repo or Path.cwd()
    asked = (
        question
        if isinstance(question, Contract)
        else delegating.contract(question, tree, scope=tuple(scope), limit_tokens=limit_tokens)
    )
    ask = delegating.Ask(AgentChoice(agent), profile=profile)
    return delegating.expect(asked, ask, places or find_places(), tree=tree)


def tell(
    name: str,
    text: str,
    *,
    sender: str = "",
    patience: float = 10.0,
    places: Places | None = None,
) -> "Told":
    """Say something to a session that is at work, and wait up to `patience` seconds till it heard.

    It hears after its next tool call, else at the end of its turn. `sender` is the session that
    says it; empty: the user. Raises StateError for a session that has ended.
    """
    from abreast.engine import telling

    where = places or find_places()
    found = _run_or_session(name, where)
    if isinstance(found, Run) and len(found.sessions) != 1:
        names = ", ".join(session.id for session in found.sessions)
        raise NotFoundError(f"{found.id} stands for {len(found.sessions)} sessions", hint=names)
    session = found.sessions[0] if isinstance(found, Run) else found
    return telling.tell(session, text, where, sender=sender, patience=patience)


def ledger(
    *,
    since: str | float = "",
    by: By | str = By.DAY,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Ledger:
    """Return what sessions have used, and what delegation and parallel work cost and saved.

    It covers every transcript of Claude Code, Codex and Gemini CLI on this machine, whoever began
    the session; nothing is fetched. `since` is a date, a span of days that ends today (`7d`), or
    Unix seconds. Raises AbreastError for any other, StoreError when the database does not answer.
    """
    from abreast.engine import ledger as books

    env = os.environ if environ is None else environ
    return books.ledger(places or find_places(), env, since=since, by=By(by))


def connect(
    agent: str,
    *,
    scope: Scope | str = Scope.USER,
    remove: bool = False,
    repo: Path | None = None,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """Register the MCP server and the skill in an agent CLI's own configuration, or undo that.

    `repo` is a folder in the checkout that scope `project` means, by default the current one.
    `confirm` is given what would change, and returns whether to go on; without it nobody is asked.
    Raises AgentError when the CLI is missing or starts no servers, StateError when a file cannot
    be edited or changed meanwhile: then nothing has been written.
    """
    from abreast.engine.connect import register

    env = os.environ if environ is None else environ
    top = register.top_of(repo or Path.cwd()) if Scope(scope) is Scope.PROJECT else None
    where = places or find_places()
    return register.connect(agent, where, env, top=top, remove=remove, confirm=confirm)


def handoff(
    source: str = "",
    *,
    tokens: int = TOKENS,
    polish: str = "",
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Handoff:
    """Return what the next session needs to go on: state, reason, next step, context.

    `source` is a session of abreast's, the file of a transcript, or the id that a CLI gave a
    session; by default the newest session that was started by hand in `folder` (by default the
    current one), whichever the CLI. `tokens` bounds it. `polish` names an agent that may reword
    it; `notes` tell whether its words were taken. Raises NotFoundError when there is no such
    session.
    """
    from abreast.engine import handoffs_choose, handoffs_polish

    where, env = places or find_places(), os.environ if environ is None else environ
    place = folder or Path.cwd()
    found = handoffs_choose.handoff(source, where, env, tokens=tokens, folder=place)
    if not polish:
        return found

    def ask(asked: Contract) -> Deliverable:
        return delegate(asked, agent=polish, repo=place, places=where)

    return handoffs_polish.polish(found, tokens, ask)


def handoffs(
    *,
    tokens: int = TOKENS,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> list[Handoff]:
    """Return a handoff of every session in `folder` that may have to be gone on with.

    Those are the newest session of each CLI that was started by hand there, and abreast's own on
    its repository that have ended and not landed, newest first.
    """
    from abreast.engine import handoffs_choose

    where, env = places or find_places(), os.environ if environ is None else environ
    return handoffs_choose.handoffs(where, env, tokens=tokens, folder=folder or Path.cwd())


def write_handoff(found: Handoff, file: Path, *, force: bool = False) -> Path:
    """Write a handoff to `file`, or to CURRENT_WORK.md in that folder; returns where.

    Raises StateError when something else than a handoff stands there, unless `force`.
    """
    from abreast.engine import handoffs as made

    return made.write(found, file, force=force)


def check_handoff(
    file: Path | None = None, *, folder: Path | None = None, places: Places | None = None
) -> Freshness:
    """Tell whether a handoff is stale against its checkout: commits, branch, files since.

    Without `file`, the one in `folder` (by default the current one), or where the session-end hook
    has put it. Raises NotFoundError when there is none, StateError when it is none of ours.
    """
    from abreast.engine import handoffs as made

    return made.check(file, folder or Path.cwd(), places or find_places())


def hook_handoff(
    agent: str,
    *,
    remove: bool = False,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """Have an agent CLI write a handoff whenever a session of it ends, or undo that.

    The hook goes into the user's own configuration. `confirm` is given what would change, and
    returns whether to go on. Raises as `connect` does.
    """
    from abreast.engine import handoffs_hook

    env = os.environ if environ is None else environ
    where = places or find_places()
    return handoffs_hook.hook(agent, where, env, remove=remove, confirm=confirm)


def doctor(
    *,
    since: float | None = None,
    repo: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Diagnosis:
    """Diagnose how work was split, and what it left behind; reads only, and changes nothing.

    Looks at the transcripts that were written since then (Unix seconds; by default seven days
    ago), at abreast's runs, and at the repositories of both and around `repo`, by default the
    current folder.
    """
    from abreast.engine import diagnosis

    begin = time.time() - _WEEK if since is None else since
    env = os.environ if environ is None else environ
    return diagnosis.diagnose(places or find_places(), env, since=begin, repo=repo)


def agents(environ: Mapping[str, str] | None = None) -> list[AgentInfo]:
    """Return every agent abreast knows, with what is installed and what each can do."""
    from abreast.agents import AGENTS

    env = os.environ if environ is None else environ
    return [_info(agent, env) for agent in AGENTS.values()]


def demo(
    agent: str = "scripted", *, keep: bool = False, progress: Progress | None = None
) -> tuple[Run, Path]:
    """Run three tasks on a throw-away repository, verified and landed; returns the run and it.

    The repository and the state of the run are gone afterwards unless `keep`.

    With `claude`, `codex` or `gemini` the real CLI runs, against the built-in loopback model.
    """
    from abreast.engine import demo as show

    return show.run(agent, keep=keep, progress=progress or _unseen)


def _unseen(run: Run) -> None:
    """Take no notice."""


def _reader(places: Places | None) -> Reader:
    return Reader((places or find_places()).database)


def _run_or_session(name: str, places: Places) -> Run | Session:
    """Return the session `run/task`, else the run of this name, else this task's newest session."""
    if "/" in name:
        return find_session(name, places=places)
    try:
        return find_run(name, places=places)
    except NotFoundError:
        return find_session(name, places=places)


def _info(agent: Agent, environ: Mapping[str, str]) -> AgentInfo:
    from abreast.engine.inspect import version_of

    found = agent.find(environ)
    return AgentInfo(
        agent.name,
        agent.title,
        found.path if found else None,
        version_of(found, environ) if found else "",
        agent.login(environ) if found else None,
        agent.capabilities,
        agent.install_hint,
    )
