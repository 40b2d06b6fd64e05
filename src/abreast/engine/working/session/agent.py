"""The agent's part of a session: what to launch, and what to write down of how it went."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from abreast.agents import agent_named, mailbox
from abreast.agents.base import Agent, Child, Launch
from abreast.contract.shapes import schema_of
from abreast.engine.common.environment import agent_environment
from abreast.engine.common.installed import find_fit
from abreast.engine.common.verdicts import judgement_of
from abreast.engine.working.allowance import is_counted, of_run
from abreast.engine.working.session import prompts
from abreast.engine.working.session.asking import (
    asks,
    bring_answers,
    guarded,
    has_asked,
    note_asked,
    note_ended,
)
from abreast.engine.working.session.confining import ConfinedProcess, confine, confined_files
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.jobs import Order
from abreast.engine.working.session.prompts import read_briefing
from abreast.engine.working.session.repairing import told_of_repair
from abreast.engine.working.session.spending import bill_of, left_of
from abreast.errors import StoreError
from abreast.git.repository import is_ancestor
from abreast.git.status import require_own_git_dir
from abreast.model.events import Outcome
from abreast.model.limits import Limits
from abreast.model.session import Session, SessionKind
from abreast.model.task import BriefingChoice, Isolation
from abreast.model.text import short
from abreast.process.environment import DEPTH, SESSION
from abreast.process.files import load_as, private_folder, write_atomic, write_json
from abreast.process.supervisor import AGENT, AWAITED
from abreast.runner.job import STREAM, JobProgress, Result, load_result
from abreast.store.rows import UNSET, SessionUpdate


def launch_of(
    context: SessionContext, agent: Agent, prompt: str = "", *, cli_session: str = ""
) -> Launch:
    """Return what `agent` needs to know; goes on with `cli_session` when one is given."""
    environ = agent_environment(context.environment(), agent, context.plan.pass_env)
    installed = find_fit(agent, environ)
    return Launch(
        installed=installed,
        directory=private_folder(context.layout.cli_directory),
        worktree=context.place,
        git_dir=_git_dir(context),
        common_dir=context.repository.common_dir,
        environ=environ | _marks(context),
        prompt=prompt,
        briefing=read_briefing(context.place) if _briefed(context) else "",
        model=context.task.model,
        limits=_within_run(context, agent),
        choice=context.task.agent,
        cli_session=cli_session or _fresh_id(context),
        resume=bool(cli_session),
        child=_child(context),
        mailbox=context.layout.mailbox,
        asks=asks(context),
        allowed=tuple(context.engine.reader.allowed(context.session.id)),
    )


def _within_run(context: SessionContext, agent: Agent) -> Limits:
    """Return the session's limits, its cost no more than what its run has left.

    What such an agent costs is known when it ends: it has to hold that limit itself.
    """
    limits = left_of(context).limits if context.session.mending else context.task.limits
    whole = (context.session.parent or context.session.id).partition("/")[0]
    shared = of_run(context.engine, whole) if agent.capabilities.cost else None
    if shared is None or not shared.budget.usd:
        return limits
    left = max(shared.budget.usd - shared.spent.usd, 0.0001)  # 0 would be no bound
    return replace(limits, usd=min(limits.usd or left, left))


def _git_dir(context: SessionContext) -> Path:
    """Return git's own folder for the place; an earlier agent may have changed a `.git` file."""
    own = context.place == context.layout.worktree
    return context.tree.admin if own else require_own_git_dir(context.place)


def _marks(context: SessionContext) -> dict[str, str]:
    """Return the variables by which abreast knows that it runs in this session."""
    marks = {SESSION: context.session.id}
    return marks | {DEPTH: "1"} if context.task.contract else marks


def _briefed(context: SessionContext) -> bool:
    contract = context.task.contract
    return contract is None or contract.briefing is BriefingChoice.PROJECT


def _child(context: SessionContext) -> Child | None:
    contract = context.task.contract
    if contract is None:
        return None
    edits = contract.isolation is Isolation.WORKTREE
    return Child(schema_of(contract.returns), edits, context.task.profile)


def _fresh_id(context: SessionContext) -> str:
    """Return an id for the CLI's session: the same one, when the step is repeated after a crash."""
    name = f"{context.run.id} {context.run.created} {context.task.id} {context.layout.attempt}"
    return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def order(context: SessionContext) -> Order:
    """Return the agent's job: in the CLI session of an earlier attempt, or in a new one."""
    agent = agent_named(context.task.agent.name)
    if context.session.cli_session:
        bring_answers(context)
        launch = _going_on(context, agent)
    else:
        prompt = prompts.compose(context.task, *earlier(context))
        launch = launch_of(context, agent, prompt)
    return order_of(context, agent, launch, "prompt.md")


def order_of(context: SessionContext, agent: Agent, launch: Launch, kept: str) -> Order:
    """Return the job of a launch, its prompt `kept` in a file of that name.

    What the session was told and has not heard yet goes along.
    """
    prompt = "\n\n".join([launch.prompt, *letters(context, kept)])
    folder = private_folder(context.layout.directory)
    write_atomic(folder / kept, prompt)
    writes = launch.child is None or launch.child.edits
    wanted = ConfinedProcess(
        context.place, launch.environ, folder, writes=writes, agent=agent.name, launch=launch
    )
    confinement = confine(context, wanted)
    places = context.engine.places
    command = agent.headless(replace(launch, prompt=prompt))
    return Order(
        command=replace(
            command, files={**command.files, **confined_files(confinement, wanted, places)}
        ),
        cwd=context.place,
        limits=launch.limits,
        stop_file=context.layout.stop_file,
        places=context.engine.places,
        agent=agent.name,
        # A parent waits for a child that reads.
        niceness=AGENT if launch.child is None or launch.child.edits else AWAITED,
        guarded=guarded(context),
        counts=is_counted(context.engine, context.run.id, context.session.parent),
        confinement=confinement,
    )


def letters(context: SessionContext, kept: str) -> list[str]:
    """Take the letters that a prompt brings; the same ones when a step is repeated after a kill."""
    folder = private_folder(context.layout.directory)
    note, box = folder / f"{kept}.letters.json", context.layout.mailbox
    numbers = load_as(list[int], note) or []
    numbers += [mail.number for mail in mailbox.pending(box) if mail.number not in numbers]
    if numbers:
        write_json(note, numbers)  # before they are taken
    for number in numbers:
        mailbox.take(box, number)
    return [text for number in numbers if (text := mailbox.read(box, number))]


def earlier(context: SessionContext) -> tuple[list[Session], list[prompts.Followed]]:
    """Return the sessions that this one needs, and those that it is only after."""
    start, repo = context.session.base_sha, context.repository
    after = context.followed()
    said = judgement_of(context.engine.reader, context.run.id) if after else None
    edges = said.edges if said else ()
    why = {edge.earlier: edge.why for edge in edges if edge.later == context.task.id}
    followed = [
        prompts.Followed(
            one,
            bool(one.commit) and is_ancestor(repo, one.commit, start),
            why.get(one.task, ""),
        )
        for one in after
    ]
    return context.predecessors(), followed


def _going_on(context: SessionContext, agent: Agent) -> Launch:
    """Resume the CLI's session; begin another in the same files when the CLI has no record of it.

    It has none when it was ended before its model had answered, or has been cleaned up.
    """
    repaired = told_of_repair(context) if context.session.mending else ""
    came_to = repaired or _came_to(context)
    prompt = repaired or prompts.resumed(context.task, came_to)
    if (came_to == prompts.TURN_ENDED or has_asked(context)) and mailbox.pending(
        context.layout.mailbox
    ):
        prompt = prompts.SAID
    launch = launch_of(context, agent, prompt, cli_session=context.session.cli_session)
    if agent.find_session(launch, context.run.created) == launch.cli_session:
        return launch
    text = f"{agent.title} has no record of its conversation any more: a new one begins"
    context.add_event("warning", text)
    return launch_of(context, agent, prompts.restarted(context.task, came_to, *earlier(context)))


def _came_to(context: SessionContext) -> str:
    """Return how the previous attempt ended, in words for the agent."""
    before = replace(context.layout, attempt=context.layout.attempt - 1)
    verified, worked = load_result(before.job("verify")), load_result(before.job("agent"))
    if verified and verified.verdict.outcome is Outcome.FAILED and not verified.stopped_by:
        said = (before.job("verify") / STREAM).read_text(encoding="utf-8", errors="replace")
        return prompts.failed(context.task.verify, said)
    if worked and worked.verdict.denials:
        return prompts.refused(worked.verdict.reason)
    if worked and worked.verdict.outcome in {Outcome.OK, Outcome.BLOCKED}:
        return prompts.TURN_ENDED
    return prompts.INTERRUPTED


def change_of(progress: JobProgress, place: Path, before: Iterable[str] = ()) -> SessionUpdate:
    """Return what a session shows that works in `place`, where it has changed `before`."""
    return SessionUpdate(
        last_action=UNSET if progress.paused else progress.last_action,
        turns=progress.turns,
        files=tuple(dict.fromkeys((*before, *seen_from(place, progress.files)))),
        cli_session=progress.cli_session or UNSET,
    )


def seen_from(place: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Return files as paths from `place`, however an agent has called them; absolute if outside."""
    tops = (str(place), os.path.realpath(place))
    found = []
    for name in files:
        whole = os.path.normpath(place / name)
        inside = (os.path.relpath(whole, t) for t in tops if Path(whole).is_relative_to(t))
        found.append(next(inside, whole))
    return tuple(dict.fromkeys(found))


def note(context: SessionContext, progress: JobProgress) -> None:
    """Write down how far a running session has come."""
    with contextlib.suppress(StoreError):  # the agent goes on, and the next note may do
        context.update(change_of(progress, context.place, context.session.files))
        note_asked(context, progress)
    _tell_lookout(context, progress)


def _tell_lookout(context: SessionContext, progress: JobProgress) -> None:
    if context.session.kind is SessionKind.TASK:
        common = str(context.repository.common_dir)
        context.engine.lookout.turned(common, context.session.id, progress.worked)


def record(context: SessionContext, result: Result) -> None:
    """Keep what the agent's end tells: its last message, usage, and the id to go on with."""
    verdict = result.verdict
    note_ended(context, result)
    cli_session = verdict.cli_session or result.progress.cli_session
    bill = bill_of(context, [result], cli_session or "")
    models = [model for model in bill.by_model if model]
    context.update(
        SessionUpdate(
            final_message=verdict.final_message,
            turns=verdict.turns or result.progress.turns,
            last_action=result.progress.last_action or UNSET,
            cli_session=cli_session or UNSET,
            model=", ".join(models) or UNSET,
        ),
    )
    bill.write(context)
    _tell_lookout(context, result.progress)
    if context.session.mending:
        number = f"repair {context.session.repairs} of {context.session.most_repairs}"
        read, written = short(bill.usage.input_tokens), short(bill.usage.output_tokens)
        context.add_event("spent", f"{number}: {read} tokens in, {written} out")
    if result.swept:
        text = f"{result.swept} processes had outlived the agent and were ended"
        context.add_event("swept", text)
    note_left(context, result)


def note_left(context: SessionContext, result: Result) -> None:
    """Record the processes that a job has started and that others may use: they still run."""
    if result.left:
        text = f"left running, because others may use it: {', '.join(result.left)}"
        context.add_event("left", text)
