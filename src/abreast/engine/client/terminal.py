"""Interactive sessions: a person works in the CLI, in the session's own worktree.

When the person leaves, the work takes the same way as an agent's: checked, verified, committed by
the worker. Leaving is written down as the result of the attempt's agent job.
"""

import contextlib
import json
import os
import shlex
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from abreast.agents import agent_named
from abreast.agents.base import Agent, Command, Launch
from abreast.engine.client.requests import connect
from abreast.engine.client.watching import wait
from abreast.engine.common.attendance import is_lost, leave_seat, take_seat
from abreast.engine.common.check import check_plan
from abreast.engine.common.deliverables import load
from abreast.engine.common.environment import agent_environment, only_writer
from abreast.engine.common.layout import SessionLayout, layout_of
from abreast.engine.common.worker_process import ensure_worker
from abreast.engine.reading.diff import repository_of
from abreast.engine.working.session import preparing
from abreast.engine.working.session.agent import launch_of
from abreast.engine.working.session.context import Engine, SessionContext, open_context
from abreast.engine.working.session.preparing import make_worktree
from abreast.engine.working.session.spending import settle
from abreast.errors import AgentError, StateError
from abreast.git.commit import tree_of
from abreast.git.guard import guard_worktree
from abreast.git.repository import Repository
from abreast.git.snapshot import build_tree
from abreast.model.events import Outcome, Verdict
from abreast.model.session import BY_HAND, RunState, Session, SessionKind, SessionState
from abreast.model.task import AgentChoice, Plan, Task
from abreast.places import Places
from abreast.process import clock
from abreast.process.files import private_folder
from abreast.runner.job import Result, save_result
from abreast.store.reader import Reader
from abreast.store.rows import SessionUpdate

# What a terminal program needs beyond the ordinary, and a person's own git and ssh.
_TERMINAL = (
    "TERM",
    "TERM_*",
    "COLORTERM",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "NO_COLOR",
    "SSH_*",
    "GIT_*",
)


def open_session(
    name: str,
    agent_name: str,
    places: Places,
    *,
    repo: Path,
    base: str,
    model: str,
    warn: Callable[[str], object] = lambda _: None,
) -> tuple[Session, Command, Path]:
    """Make a worktree for a new session and return it, the CLI's command, and where to run it.

    `warn` is told before that what the person should know.
    """
    agent = _interactive(agent_name)
    task = Task(name, "", f"Work in {name}", AgentChoice(agent_name), model=model)
    plan = Plan((task,), base=base, repo=str(repo), source="open", max_parallel=1)
    checked = check_plan(plan)
    for note in checked.notes:
        warn(note)
    with _at_work(places) as engine:
        with connect(places) as client:
            run = client.record(checked, kind=SessionKind.OPEN)
        context = open_context(engine, f"{run}/{name}", 1)
        take_seat(context.session, places)
        preparing.prepare(context)
        launch = _launch(context, agent, "")
        change = SessionUpdate(state=SessionState.RUNNING, cli_session=launch.cli_session)
        engine.store.update_session(context.session.id, change)
        return (
            engine.reader.session(context.session.id) or context.session,
            agent.interactive(launch),
            context.layout.worktree,
        )


def attach(session: Session, places: Places) -> tuple[Session, Command, Path]:
    """Return the command that goes on with a session's own CLI session, by its exact id.

    Where the agent has no conversations it is the user's shell. Makes its worktree again when it
    has been cleaned away. It is held for this process until `close`. Raises StateError while its
    agent runs or another process holds it, because two processes in one CLI session would write
    over each other.
    """
    agent = _interactive(session.agent)
    with _held(session, places) as context:
        if not agent.capabilities.resume:
            return context.session, _own(os.environ.get("SHELL") or "sh"), _ensured(context)
        return _attach(context, agent)


def edit(session: Session, places: Places) -> tuple[Session, Command, Path]:
    """Return the command that opens the user's editor on a session's worktree.

    `$VISUAL` or `$EDITOR` names it, with options. For the rest, see `attach`.
    """
    said = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        editor = shlex.split(said)
    except ValueError as error:
        hint = "export EDITOR=…, with quotes that are closed"
        raise StateError(f"the editor `{said}` is no command: {error}", hint=hint) from error
    if not editor:
        raise StateError("no editor is set", hint="export EDITOR=…, such as: export EDITOR=vim")
    with _held(session, places) as context:
        worktree = _ensured(context)
        return context.session, _own(*editor, str(worktree)), worktree


def _own(*argv: str) -> Command:
    """Return a command of the user's own, in their whole environment."""
    return Command(argv=argv, env=dict(os.environ))


def _ensured(context: SessionContext) -> Path:
    """Return the session's worktree, made again if it has been cleaned away."""
    make_worktree(context, context.session.base_sha or context.plan.base_sha, again=True)
    return context.layout.worktree


@contextlib.contextmanager
def _held(session: Session, places: Places) -> Iterator[SessionContext]:
    """Hold a session that has ended for this process; no longer if what follows fails."""
    with only_writer(places, session.run):  # whoever queues it looks whether it is held in there
        take_seat(session, places)
        session = Reader(places.database).session(session.id) or session
    try:
        _require_attachable(session, places)
        with _at_work(places) as engine:
            yield open_context(engine, session.id, session.attempt)
    except BaseException:
        leave_seat(session, places)
        raise


def _require_attachable(session: Session, places: Places) -> None:
    if not session.state.final and session.kind is not SessionKind.OPEN:
        left = ", but nobody works on it" if is_lost(session, places) else ""
        raise StateError(
            f"{session.id} is {session.state}{left}",
            hint=f"abreast stop {session.id} ends it, and it can be attached"
            if session.branch
            else f"abreast watch {session.run} shows when it begins",
        )
    if session.kind is SessionKind.CHILD and not session.worktree:
        raise StateError(
            f"{session.id} is a delegation that only reads: it has no worktree to open",
            hint=f"abreast collect {session.id} prints its answer",
        )
    if not session.branch and session.kind is not SessionKind.OPEN:
        raise StateError(
            f"{session.id} never began: it has no worktree", hint=f"abreast resume {session.run}"
        )


def _attach(context: SessionContext, agent: Agent) -> tuple[Session, Command, Path]:
    session = context.session
    instead = f"abreast edit {session.id} opens its worktree, abreast retry {session.id} starts it"
    if not session.cli_session:
        raise StateError(f"{session.id} has no {session.agent} session to continue", hint=instead)
    worktree = _ensured(context)
    launch = _launch(context, agent, session.cli_session)
    found = agent.find_session(launch, context.run.created)
    if session.kind is SessionKind.OPEN:
        # With nothing said in it yet there is no record of it.
        launch = replace(launch, cli_session=found or str(uuid.uuid4()), resume=bool(found))
        change = SessionUpdate(cli_session=launch.cli_session)
        context.engine.store.update_session(session.id, change)
    elif found != session.cli_session:
        raise StateError(f"{agent.title} has no record of {session.id} any more", hint=instead)
    return session, agent.interactive(launch), worktree


def close(session: Session, places: Places) -> Session:
    """Check, verify and commit what the person has left, if anything; return the session then."""
    try:
        return _close(session, places)
    finally:
        leave_seat(session, places)


def _close(session: Session, places: Places) -> Session:
    repository = repository_of(session, places)
    layout = layout_of(session, places, repository.common_dir)
    found = _recorded(session, places)
    changed = _changed(session, repository, layout)
    idle = not found and not changed  # such as after its CLI's question whether to trust the folder
    by_hand = Verdict(
        Outcome.STOPPED if idle else Outcome.OK,
        "it was left before anything was said or done in it" if idle else "",
        f"abreast attach {session.id} opens it again" if idle else None,
        final_message=BY_HAND,
        cli_session=found or session.cli_session,
        answer=_answer(layout),
    )
    now = clock.now()
    began = session.began or now
    result = Result(began.wall, now.wall, 0, by_hand, tick=began.tick)
    if session.state.final and not changed:
        with _at_work(places) as engine:
            settle(open_context(engine, session.id, session.attempt), os.environ)
            return engine.reader.session(session.id) or session
    of_attempt = replace(layout, attempt=session.attempt + session.state.final)
    save_result(private_folder(of_attempt.job("agent")), result)
    with connect(places) as client:
        if session.state.final:
            client.again(session.run, [session], fresh=False)
        else:
            client.store.set_run_state(session.run, RunState.QUEUED)
            ensure_worker(places)
    wait(session.run, places, lambda _: None)
    return Reader(places.database).session(session.id) or session


def _changed(session: Session, repository: Repository, layout: SessionLayout) -> bool:
    """Return whether the worktree holds anything that the session's commit does not."""
    if not layout.worktree.exists():
        return False
    built = build_tree(guard_worktree(repository, layout.worktree))
    return bool(built.skipped) or built.tree != tree_of(
        repository, session.commit or session.base_sha
    )


def _answer(layout: SessionLayout) -> str:
    """Return what a child has answered; "" for a session that is not a child."""
    found = load(layout.deliverable)
    return json.dumps(found.value) if found is not None and found.value is not None else ""


def _interactive(name: str) -> Agent:
    agent = agent_named(name)
    if not agent.capabilities.interactive:
        raise AgentError(f"{agent.title} has no interactive sessions", hint="abreast agents")
    return agent


@contextlib.contextmanager
def _at_work(places: Places) -> Iterator[Engine]:
    """Open the store as a worker does, so that this process can prepare a session."""
    with connect(places) as client:
        yield Engine(places, client.store, client.reader)


def _launch(context: SessionContext, agent: Agent, cli_session: str) -> Launch:
    """Return what the agent needs to know: the environment is that of the user's terminal."""
    env = agent_environment(os.environ, agent, context.plan.pass_env, *_TERMINAL)
    return replace(launch_of(context, agent, cli_session=cli_session), environ=env)


def _recorded(session: Session, places: Places) -> str:
    """Return the id of the CLI session that the person was in, which the CLI may have made itself.

    "" when there is no record of one: nothing was said in it.
    """
    agent = agent_named(session.agent)
    with _at_work(places) as engine:
        context = open_context(engine, session.id, session.attempt)
        launch = _launch(context, agent, session.cli_session)
        return agent.find_session(launch, context.run.created)
