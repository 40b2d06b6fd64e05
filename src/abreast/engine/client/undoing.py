"""Undo what has landed: a run of one task that reverts it, verified and landed like any other."""

from collections.abc import Sequence
from pathlib import Path

from abreast.engine.common.layout import repository_of_run
from abreast.engine.common.undo import undo_command, undo_source
from abreast.errors import NotFoundError, StateError
from abreast.git.call import UTF8, split
from abreast.git.merge import holds, is_taken_back
from abreast.git.repository import Repository, resolve
from abreast.model.gate import GateMode
from abreast.model.session import LandMode, LandState, Run, Session
from abreast.model.task import AgentChoice, Plan, Task
from abreast.model.text import one_line
from abreast.places import Places
from abreast.plan.dump import load_plan
from abreast.store.reader import Reader

_SUBJECT = 120  # characters


def undo_plan(session: Session, run: Run, places: Places) -> Plan:
    """Return a plan that reverts on its target what a session has landed there.

    It has the verify command of the session's own task. Raises StateError when the session has not
    landed, the target does not have its commits or nothing of their changes any more, or what has
    landed later needs it and is still there.
    """
    if session.landing not in {LandState.LANDED, LandState.UNDONE}:
        raise StateError(f"{session.id} has not landed: there is nothing to undo")
    if "://" in session.landed:
        raise StateError(
            f"{session.id} landed by a request: it is to be reverted there",
            hint=session.landed,
        )
    repository = repository_of_run(places, run.id, Path(run.repo))
    later = [one for one in _needed_by(session, run) if _is_there(repository, one, run.target)]
    if later:
        raise StateError(
            f"what has landed later needs {session.id}: {', '.join(one.id for one in later)}",
            hint=f"first: abreast land --undo {later[-1].id}",
        )
    commits, merge = landed_commits(repository, session, run.target)
    if _is_reverted(repository, commits, run.target):
        raise StateError(
            f"{run.target} has nothing more of {session.id}: there is nothing to undo",
            hint=f"`git log {run.target}` shows what took it away; of an undo, "
            "`abreast land --undo` of its own session brings it back",
        )
    plan = load_plan(Reader(places.database).plan_json(run.id))
    own = plan.by_id()[session.task]
    task = Task(
        id=f"undo-{session.task}"[:40].rstrip("-"),
        prompt=f"Revert what {session.id} has landed.",
        produces=f'Revert "{one_line(session.produces, _SUBJECT)}" ({commits[0][:12]})',
        agent=AgentChoice(
            "command",
            command=undo_command(commits, merge=merge),
        ),
        setup=own.setup,
        verify=own.verify,
    )
    return Plan(
        (task,),
        base=f"refs/heads/{run.target}",
        target=run.target,
        repo=run.repo,
        land=LandMode.MERGE,
        setup_timeout_minutes=plan.setup_timeout_minutes,
        verify_timeout_minutes=plan.verify_timeout_minutes,
        pass_env=plan.pass_env,
        source=undo_source(session.id),
        gate=GateMode.OFF,
    )


def _needed_by(session: Session, run: Run) -> list[Session]:
    """Return the sessions that have landed and build on this one, through others too."""
    found = {session.task}
    while more := {s.task for s in run.sessions if not found.isdisjoint(s.needs)} - found:
        found |= more
    later = found - {session.task}
    return [s for s in run.sessions if s.task in later and s.landing is LandState.LANDED]


def _is_there(repository: Repository, session: Session, target: str) -> bool:
    """Return whether the target has what a session landed, and it was not undone since."""
    try:
        commits, _ = landed_commits(repository, session, target)
    except (NotFoundError, StateError):
        return False
    return not _is_reverted(repository, commits, target)


def _is_reverted(repository: Repository, commits: Sequence[str], target: str) -> bool:
    """Return whether to revert commits, newest first and one after the other, changes nothing."""
    tip = resolve(repository, f"refs/heads/{target}")
    return is_taken_back(repository, resolve(repository, f"{commits[-1]}^"), commits[0], tip)


def landed_commits(repository: Repository, session: Session, target: str) -> tuple[list[str], bool]:
    """Return the commits by which a session has landed, newest first, and whether it is one merge.

    They are those in the target whose message ends with the session's name: what stands before that
    may be an agent's. Raises StateError when the target does not have the commit that landed it.
    """
    ref = f"refs/heads/{target}"
    if not holds(repository, ref, session.landed):
        raise StateError(
            f"{target} does not have {session.landed_name}, by which {session.id} landed",
            hint=f"`git log {target}` shows whether it is there as another commit",
        )
    # Not `%(trailers)`: git finds none in a message that has no subject.
    asked = ["log", "-z", "--format=%H %P%n%B", f"--grep=Abreast-Session: {session.id}", "-F", ref]
    if session.attempt > 1 and session.base_sha:
        asked.append(f"^{session.base_sha}")  # not what an attempt before had landed
    records = split(repository.call(*asked, config=UTF8).stdout)
    named = [
        record.partition("\n")[0].split()
        for record in records
        if record.rstrip().endswith(f"\nAbreast-Session: {session.id}")
    ]
    merges = [ids[0] for ids in named if len(ids) > 2]
    if merges:
        return merges[:1], True
    if not named:
        raise NotFoundError(f"no commit in {target} names {session.id} in its message")
    return [ids[0] for ids in named], False
