"""Hooks at a landing: `pre-commit` and `commit-msg`, run on a candidate before it is verified.

They run in the scratch worktree as `git commit` would run them there: HEAD is the commit that the
candidate goes onto, the index holds the candidate. What is in the index afterwards lands, with the
message as `commit-msg` leaves it. The hooks, and the files in which they are described, are those
of the target, or the user's from when the run began; never what an agent has made of them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from abreast.agents.base import Command, StopSignal
from abreast.engine.common.layout import landing_stop_file
from abreast.engine.working.landing.candidate import bounced
from abreast.engine.working.landing.repair import after_hook
from abreast.engine.working.landing.trial import drop_note, is_in, put_by, scratch, scratch_path
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.jobs import Order, run_command
from abreast.engine.working.session.keeping import note_trial
from abreast.engine.working.session.preparing import command_order
from abreast.engine.working.session.trespass import of_trial
from abreast.git.changes import names_between
from abreast.git.commit import commit_tree, message_of, show, tree_of, wants_signature
from abreast.git.guard import guard_worktree
from abreast.git.hooks import CommitHooks, give_files, hooks_of, staged_tree, with_paths_of
from abreast.model.events import Outcome
from abreast.model.limits import Limits
from abreast.model.session import LandStyle
from abreast.model.text import named
from abreast.process.environment import allow
from abreast.process.files import private_folder, write_atomic
from abreast.runner.job import is_lost
from abreast.runner.supervise import STOPPED_BY_USER
from abreast.store.rows import SessionUpdate

PRE_COMMIT, COMMIT_MSG = "pre-commit", "commit-msg"
BEYOND = " went beyond its worktree: "
_TREE, _MESSAGE = "tree.txt", "COMMIT_EDITMSG"
_RUN = '"$@"'  # by a shell, because a hook may have no `#!`
_OURS = ("Abreast-Run: ", "Abreast-Session: ")


@dataclass(frozen=True)
class HookedCandidate:
    """A candidate that the target's hooks are still to look at.

    `old` is the target, `tip` the commit that the candidate goes onto. The jobs' files go to
    `folder`, where a worker that takes over finds them.
    """

    context: SessionContext
    old: str
    tip: str
    commit: str
    hooks: CommitHooks
    folder: Path

    @property
    def what(self) -> str:
        """Whose hooks they are, in words."""
        return f"hook of {self.context.run.target}"


class _StoppedError(Exception):
    """The user has stopped the landing."""


class _RefusedError(Exception):
    """The candidate does not land: what is recorded of it."""

    def __init__(self, update: SessionUpdate) -> None:
        super().__init__(update.reason)
        self.update = update


def hooks_for(context: SessionContext, old: str) -> CommitHooks | None:
    """Return the hooks that a candidate for the target at `old` is to pass; None: there are none.

    As with `git rebase`, the commits that an agent made are not asked about again.
    """
    if not context.plan.land_hooks or context.plan.land_style is LandStyle.REBASE:
        return None
    return hooks_of(context.repository, old)


async def pass_hooks(candidate: HookedCandidate) -> str | SessionUpdate | None:
    """Run the hooks; return the commit that they leave, or how the landing has ended.

    None: the user has stopped it. Safe to repeat: what has run is not run again, and what still
    runs is waited for.
    """
    try:
        tree = await _after_pre_commit(candidate)
        message = await _after_commit_msg(candidate, tree)
    except _StoppedError:
        return None
    except _RefusedError as refused:
        return refused.update
    return await asyncio.to_thread(_made_again, candidate, tree, message)


async def _after_pre_commit(candidate: HookedCandidate) -> str:
    """Return the tree that the first hook leaves in the index."""
    said = candidate.folder / _TREE
    if said.exists():
        return said.read_text(encoding="ascii")
    context = candidate.context
    seen = await asyncio.to_thread(_seen, candidate, candidate.commit)
    if "setup" in context.task.commands:
        await _run(candidate, "setup", partial(_setup_order, candidate, seen))
    if PRE_COMMIT not in candidate.hooks.programs:
        tree = await asyncio.to_thread(tree_of, context.repository, candidate.commit)
    else:
        await _run(candidate, PRE_COMMIT, partial(_hook_order, candidate, PRE_COMMIT, seen))
        if not await asyncio.to_thread(is_in, context, candidate.folder):
            # It had run, and before anybody could look something else came into its worktree.
            await asyncio.to_thread(put_by, candidate.folder)
            return await _after_pre_commit(candidate)
        tree = await asyncio.to_thread(_left, candidate, seen)
    await asyncio.to_thread(write_atomic, private_folder(candidate.folder) / _TREE, tree)
    return tree


def _seen(candidate: HookedCandidate, tree: str) -> str:
    """Return `tree` as the hooks are shown it: what defines them is as in the target."""
    repo, hooks = candidate.context.repository, candidate.hooks
    return with_paths_of(repo, tree, candidate.old, hooks.defined_in)


def _left(candidate: HookedCandidate, seen: str) -> str:
    """Return what the index holds, with what defines the hooks as in the candidate again."""
    context = candidate.context
    repo, tree = context.repository, guard_worktree(context.repository, scratch_path(context))
    staged = staged_tree(repo, tree)
    if staged != seen:
        changed = named(names_between(repo.where, seen, staged))
        context.add_event("hook", f"{PRE_COMMIT} changed {changed}")
    left = with_paths_of(repo, staged, candidate.commit, candidate.hooks.defined_in)
    if left == tree_of(repo, candidate.tip):
        what = f"the {PRE_COMMIT} {candidate.what} leaves nothing of it"
        raise _RefusedError(bounced(what, f"its output: {candidate.folder / PRE_COMMIT}"))
    return left


async def _after_commit_msg(candidate: HookedCandidate, tree: str) -> str:
    """Return the message that the second hook leaves; "": as it was."""
    if COMMIT_MSG not in candidate.hooks.programs:
        return ""
    seen = await asyncio.to_thread(_seen, candidate, tree)
    await _run(candidate, COMMIT_MSG, partial(_hook_order, candidate, COMMIT_MSG, seen))
    return await asyncio.to_thread(_message_left, candidate)


def _message_left(candidate: HookedCandidate) -> str:
    """Return the message in the hook's file as `git commit` takes it."""
    file = candidate.folder / _MESSAGE
    text = file.read_text(encoding="utf-8", errors="replace")
    message = candidate.context.repository.call("stripspace", stdin=text).stdout
    if not message.strip():
        what = f"the {COMMIT_MSG} {candidate.what} leaves no message"
        raise _RefusedError(bounced(what, f"its output: {candidate.folder / COMMIT_MSG}"))
    return message


async def _run(candidate: HookedCandidate, name: str, order: Callable[[], Order]) -> None:
    """Run a hook, or the setup that it may need, once; raise what its landing comes to if it fails.

    One whose runner is gone (a machine restart, `kill -9`) is begun again once.
    """
    context, folder = candidate.context, candidate.folder
    again = partial(drop_note, context)
    result = await run_command(folder / name, order, again)
    if result.stopped_by == STOPPED_BY_USER:
        raise _StoppedError
    hint = f"its output: {folder / name}"
    what = "setup" if name == "setup" else f"the {name} {candidate.what}"
    if is_lost(result):
        raise _RefusedError(bounced(f"{what}: its supervisor was killed twice", hint))
    if done := await asyncio.to_thread(of_trial, context, folder):
        raise _RefusedError(bounced(f"{what}{BEYOND}{done}", hint))
    if result.verdict.outcome is Outcome.OK and not result.stopped_by:
        return
    bounce = bounced(f"{what} failed: {result.stopped_by or result.verdict.reason}", hint)
    if name == PRE_COMMIT and candidate.tip == candidate.old:
        tip, commit = candidate.tip, candidate.commit
        job = folder / name
        bounce = await asyncio.to_thread(after_hook, context, tip, commit, bounce, job)
    raise _RefusedError(bounce)


def _place(candidate: HookedCandidate, tree: str) -> Path:
    """Return the scratch worktree, showing `tree` on the commit that the candidate goes onto."""
    context, repo = candidate.context, candidate.context.repository
    place = scratch(context, candidate.tip, candidate.folder)
    worktree = guard_worktree(repo, place)
    show(worktree, tree)
    give_files(candidate.hooks, worktree)
    note_trial(repo, place, candidate.folder)
    return place


def _setup_order(candidate: HookedCandidate, tree: str) -> Order:
    place = _place(candidate, tree)
    folder = candidate.folder
    return command_order(candidate.context, "setup", place, _stop_file(candidate), folder)


def _hook_order(candidate: HookedCandidate, name: str, tree: str) -> Order:
    """Return the job that runs a hook as `git commit` would, under verify's limit."""
    context, place = candidate.context, _place(candidate, tree)
    argv = ["sh", "-c", _RUN, name, str(place / candidate.hooks.programs[name])]
    if name == COMMIT_MSG:
        file = candidate.folder / _MESSAGE
        write_atomic(file, message_of(context.repository, candidate.commit) + "\n")
        argv.append(str(file))
    admin = guard_worktree(context.repository, place).admin
    env = allow(context.environment(), also=context.plan.pass_env)  # as for verify
    env |= {"GIT_INDEX_FILE": str(admin / "index"), "GIT_EDITOR": ":", "GIT_PREFIX": ""}
    return Order(
        command=Command(tuple(argv), env, stop_signal=StopSignal.TERM),
        cwd=place,
        limits=Limits(minutes=context.plan.verify_timeout_minutes, idle_minutes=0),
        stop_file=_stop_file(candidate),
        places=context.engine.places,
    )


def _stop_file(candidate: HookedCandidate) -> Path:
    return landing_stop_file(candidate.context.engine.places, candidate.context.run.id)


def _made_again(candidate: HookedCandidate, tree: str, message: str) -> str:
    """Return the candidate with this tree and message; itself where they are its own."""
    repo, commit = candidate.context.repository, candidate.commit
    own, *parents = repo.call("log", "-1", "--format=%T %P", commit).stdout.split()
    was = message_of(repo, commit)
    text = message.strip() or was
    if (own, was) == (tree, text):
        return commit
    lines = text.splitlines()
    kept = (line.partition(": ") for line in was.splitlines() if line.startswith(_OURS))
    lost = [(key, value) for key, mark, value in kept if f"{key}{mark}{value}" not in lines]
    return commit_tree(repo, tree, parents, text, trailers=lost, sign=wants_signature(repo))
