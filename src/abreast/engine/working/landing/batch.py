"""Candidates that land together: merged onto the target one by one in memory, a commit each.

Only what was tested becomes the target: the last commit, which holds all of them, or each. A red
one is tried once more; if it stays red, halves of the batch are tried until the first member is
found that fails. What stands before it lands. Only a member whose commit is on the target as it is
bounces: others are left for the next batch, which begins with the one that failed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from abreast.engine.common.layout import landing_stop_file
from abreast.engine.working.landing.candidate import (
    NOTE,
    LandingCandidate,
    bounced,
    make_candidate,
    notes_folder,
    refused_by,
)
from abreast.engine.working.landing.hooks import (
    BEYOND,
    HookedCandidate,
    hooks_for,
    pass_hooks,
)
from abreast.engine.working.landing.own import need_not_landed
from abreast.engine.working.landing.red_target import is_red, known_red, note_green, try_target
from abreast.engine.working.landing.repair import after_conflict, after_red, is_repaired
from abreast.engine.working.landing.trial import (
    one_stop_file,
    put_by,
    try_merged,
    verify_failed,
    went_beyond,
)
from abreast.engine.working.run_steps import has_landed
from abreast.engine.working.session.context import SessionContext
from abreast.errors import AbreastError, StoreError
from abreast.git.advance import Advance, AdvanceOutcome, advance
from abreast.git.repository import look_up, read_ref, resolve, swap_ref
from abreast.model.session import LandState, LandTests, Session, SessionState
from abreast.process.files import private_folder, write_atomic
from abreast.runner.supervise import STOPPED_BY_USER
from abreast.store.rows import SessionUpdate

_BARE, _HOOKED = "bare-", "-hooks"  # candidates before their hooks, and the hooks' folders
SECOND = "-second"  # behind the name of a trial's folder: it was tried once more
_TRIES = 5  # a target that moves more often than that while we test is somebody else's queue

Ended = dict[str, SessionUpdate]
"""How landings have ended, by session."""


@dataclass(frozen=True)
class BatchMember:
    """A session in a batch, and the commit that holds it and all before it.

    `runs` are those whose sessions are in the batch.
    """

    context: SessionContext
    commit: str
    runs: tuple[str, ...]


@dataclass(frozen=True)
class BatchChain:
    """The members of a batch, in order, on the target as it was at `old`."""

    old: str
    members: tuple[BatchMember, ...] = ()
    ended: Ended = field(default_factory=dict)


@dataclass(frozen=True)
class BatchTest:
    """How many of the first members may land; `failed` is about the next one, if it is known."""

    green: int
    failed: str = ""
    flaky: str = ""


async def land_together(contexts: Sequence[SessionContext]) -> Ended:
    """Land sessions that are tested alike on one target, as far as they go together.

    Returns the ends of at least one of their landings; what is not among them is to be tried again.
    """
    run = contexts[0].run
    if over := await asyncio.to_thread(_stopped_among, contexts):
        return over
    for _ in range(_TRIES):
        ended = await _attempt(contexts)
        if ended is not None:
            return ended
    reason = f"{run.target} moved {_TRIES} times while the merge was being tested"
    return {contexts[0].session.id: bounced(reason, f"abreast land {run.id}")}


async def _attempt(contexts: Sequence[SessionContext]) -> Ended | None:
    """Merge, test, move the target; None when somebody else has moved it meanwhile.

    None, too, when `git gc --prune=now` has taken a merge that nothing reached yet: it is
    made again.
    """
    chain = await _chain(contexts)
    if not chain.members:
        return chain.ended
    try:
        return await _land_chain(contexts, chain)
    except StoreError:
        raise
    except AbreastError:
        last = chain.members[-1]
        if await asyncio.to_thread(_is_there, last.context, last.commit):
            raise
        return None


async def _land_chain(contexts: Sequence[SessionContext], chain: BatchChain) -> Ended | None:
    run, first = contexts[0].run, chain.members[0].context
    if len(chain.members) > 1 or not first.task.commands:
        await asyncio.to_thread(_hold, chain.members[-1])
    if failed := await asyncio.to_thread(known_red, first, chain.old):
        return {one.session.id: is_red(one, first, chain.old, failed) for one in contexts}
    test = await _test(chain.members, run.land_tests)
    if not test.green and verify_failed(test.failed):
        stop = landing_stop_file(first.engine.places, run.id)
        failed = await try_target(first, chain.old, stop)
        if verify_failed(failed):
            return {one.session.id: is_red(one, first, chain.old, failed) for one in contexts}
        if failed == STOPPED_BY_USER:
            test = BatchTest(0, failed)
    stopping = test.failed == STOPPED_BY_USER
    if stopping or len(_runs_of(contexts)) > 1:
        ended = await asyncio.to_thread(_stopped_among, contexts)
        if ended or stopping:
            return ended or {one.session.id: stopped(one) for one in contexts}
    red = {
        one.context.session.id: await asyncio.to_thread(_red, one, chain.old, test.failed)
        for one in _blamed(chain, test)
    }
    chain = replace(chain, ended={**chain.ended, **red})
    if not test.green:
        return chain.ended
    return await _move(chain, chain.members[: test.green], test.flaky)


def _runs_of(contexts: Sequence[SessionContext]) -> list[str]:
    return list(dict.fromkeys(one.run.id for one in contexts))


def _stopped_among(contexts: Sequence[SessionContext]) -> Ended:
    """Return the ends of those whose run has been asked to stop; the others wait on."""
    store = contexts[0].engine.store
    runs = {run for run in _runs_of(contexts) if store.stop_requested(run)}
    return {one.session.id: stopped(one) for one in contexts if one.run.id in runs}


def _blamed(chain: BatchChain, test: BatchTest) -> Sequence[BatchMember]:
    """Return the members that bounce by a test.

    What a trial changed outside its worktree stays changed: the next trial would not see who did
    it. So all that were tested together bounce, or the one that was tested by itself.
    """
    if went_beyond(test.failed):
        return chain.members[test.green : test.green + 1] if test.green else chain.members
    return () if test.green else chain.members[:1]


def _red(member: BatchMember, old: str, failed: str) -> SessionUpdate:
    context, folder = member.context, _folder(member.context) / member.commit
    reason = f"on the merge with {context.run.target}, {failed}"
    bounce = bounced(reason, f"its output: {folder}")
    if not verify_failed(failed):
        return bounce
    trials = [folder.with_name(f"{folder.name}{again}") for again in (SECOND, "")]
    return after_red(context, old, member.commit, bounce, trials)


async def _move(chain: BatchChain, green: Sequence[BatchMember], flaky: str) -> Ended | None:
    """Move the target to the last of these members; None when somebody else has moved it."""
    moved = await asyncio.to_thread(_advance, green, chain.old)
    if moved.outcome is AdvanceOutcome.MOVED:
        return None
    if moved.outcome is AdvanceOutcome.ADVANCED:
        landed = {one.context.session.id: _landed(one, flaky) for one in green}
        await asyncio.to_thread(note_green, green[-1].context, green[-1].commit)
        return {**chain.ended, **landed}
    if len(green) > 1:  # the first of them alone may fit
        return {**chain.ended, **await land_together([green[0].context])}
    ready = await asyncio.to_thread(_ready, green[0], moved)
    return {**chain.ended, green[0].context.session.id: ready}


async def _chain(contexts: Sequence[SessionContext]) -> BatchChain:
    """Make the commits of a batch. What cannot follow those before it is left out."""
    old = await asyncio.to_thread(resolve, contexts[0].repository, target_of(contexts[0]))
    tip, members, ended = old, list[BatchMember](), Ended()
    runs = tuple(_runs_of(contexts))
    for context in contexts:
        ahead = {one.context.task.id for one in members if one.context.run.id == context.run.id}
        try:
            made = await _hooked(await asyncio.to_thread(_member, context, old, tip, ahead))
        except StoreError:
            raise
        except AbreastError as error:
            made = refused_by(error, context)
        if made is None:  # what is to land with it is stopped by itself
            ended[context.session.id] = stopped(context)
            break
        if isinstance(made, str):
            members.append(BatchMember(context, made, runs))
            tip = made
        elif BEYOND in str(made.reason) or not (members or ended):
            # With others before it, it may be otherwise; but what is done beyond is seen once.
            ended[context.session.id] = made
    return BatchChain(old, tuple(members), ended)


def _member(
    context: SessionContext, old: str, tip: str, ahead: set[str]
) -> str | HookedCandidate | SessionUpdate:
    """Return the commit that puts a session on `tip`; or how its landing has ended."""
    if broken := need_not_landed(context, old, ahead):
        return lacks(context, broken)
    folder = _folder(context)
    note = folder / f"{NOTE}{tip}"
    if note.exists():  # a killed worker made it: its trial may still run
        known = note.read_text(encoding="ascii")
        if _is_there(context, known):
            return known
    hooks = hooks_for(context, old)
    bare = folder / f"{_BARE}{old}-{tip}"
    if hooks and bare.exists():  # a killed worker made it: its hooks may still run
        commit = bare.read_text(encoding="ascii")
        if _is_there(context, commit):
            place = folder / f"{commit}{_HOOKED}"
            return HookedCandidate(context, old, tip, commit, hooks, place)
    made = make_candidate(context, tip, ahead)
    if isinstance(made, SessionUpdate):
        bounce = made.landing is LandState.BOUNCED and tip == old
        return after_conflict(context, tip, made) if bounce else made
    tell(context, made)
    write_atomic(private_folder(folder) / (bare if hooks else note).name, made.commit)
    if hooks:
        place = folder / f"{made.commit}{_HOOKED}"
        return HookedCandidate(context, old, tip, made.commit, hooks, place)
    return made.commit


async def _hooked(
    candidate: str | HookedCandidate | SessionUpdate,
) -> str | SessionUpdate | None:
    """Return what the target's hooks make of a candidate, and note it; None: it was stopped."""
    if not isinstance(candidate, HookedCandidate):
        return candidate
    made = await pass_hooks(candidate)
    if isinstance(made, str):
        note = _folder(candidate.context) / f"{NOTE}{candidate.tip}"
        await asyncio.to_thread(write_atomic, note, made)
    return made


def tell(context: SessionContext, made: LandingCandidate) -> None:
    """Tell what is worth knowing about a candidate in its session's log."""
    for kind, text in made.story:
        context.add_event(kind, text)


def _hold(last: BatchMember) -> None:
    """Keep the commits of a batch: nothing else reaches them, and `gc --prune=now` takes such.

    One that is tested by itself is HEAD of the scratch worktree.
    """
    repo, ref = last.context.repository, last.context.layout.ref("trial")
    reason = f"abreast: {last.context.layout.id} on trial"
    if not swap_ref(repo, ref, last.commit, None, reason=reason):  # mostly there is none yet
        swap_ref(repo, ref, last.commit, read_ref(repo, ref), reason=reason)


def _is_there(context: SessionContext, commit: str) -> bool:
    """Return whether `git gc --prune=now` has left a commit that nothing reached yet."""
    return look_up(context.repository, commit) != (None,)


async def _test(members: Sequence[BatchMember], tests: LandTests) -> BatchTest:
    """Return how many of the first members may land."""
    if tests is LandTests.EACH:
        flaky = ""
        for at, member in enumerate(members):
            found = await _twice(member)
            if found.failed:
                return BatchTest(at, found.failed, flaky)
            flaky = flaky or found.flaky
        return BatchTest(len(members), flaky=flaky)
    found = await _twice(members[-1])
    if not found.failed:
        return BatchTest(len(members), flaky=found.flaky)
    if len(members) == 1 or found.failed == STOPPED_BY_USER or went_beyond(found.failed):
        return found
    green, red = 0, len(members)
    while red - green > 1:
        middle = (green + red) // 2
        failed = await _once(members[middle - 1])
        if failed == STOPPED_BY_USER or went_beyond(failed):
            return BatchTest(0, failed)
        green, red = (green, middle) if failed else (middle, red)
    return BatchTest(green) if green else await _twice(members[0])


async def _once(member: BatchMember, again: str = "") -> str:
    context = member.context
    folder = _folder(context) / f"{member.commit}{again}"
    places = context.engine.places
    stops = [landing_stop_file(places, run) for run in member.runs]
    async with one_stop_file(stops, folder.with_name(f"{folder.name}.stop")) as stop:
        failed = await try_merged(context, member.commit, folder, stop)
    if failed == STOPPED_BY_USER and len(stops) > 1:  # for the others it may be tried again
        await asyncio.to_thread(put_by, folder)
    return failed


async def _twice(member: BatchMember) -> BatchTest:
    """Test one commit, once more if that fails; `green` is 1 if one of the two passes."""
    first = await _once(member)
    if not first or first == STOPPED_BY_USER or went_beyond(first):
        return BatchTest(int(not first), first)
    second = await _once(member, SECOND)
    if second == STOPPED_BY_USER or went_beyond(second):
        return BatchTest(0, second)
    if not second:
        return BatchTest(1, flaky=f"flaky: {first}; tried again, it passed")
    both = f"{second}; tried twice" if first == second else f"{second}; at first, {first}"
    return BatchTest(0, both)


def _advance(green: Sequence[BatchMember], old: str) -> Advance:
    """Move the target to the last of these members, for all of them."""
    context, new = green[-1].context, green[-1].commit
    names = ", ".join(one.context.layout.id for one in green)
    return advance(
        context.repository,
        context.run.target,
        new=new,
        old=old,
        reason=f"abreast: land {names}",
        journals=context.engine.places.forwards,
    )


def _ready(member: BatchMember, moved: Advance) -> SessionUpdate:
    """Keep a tested commit for when the target's checkout can come along."""
    context, repo = member.context, member.context.repository
    session, ref = context.layout.id, context.layout.ref("ready")
    swap_ref(repo, ref, member.commit, read_ref(repo, ref), reason=f"abreast: {session} is ready")
    first = "commit your changes there or move them away" if moved.edits else "mend that"
    return SessionUpdate(
        landing=LandState.READY,
        landed=member.commit,
        reason=f"{context.run.target} is checked out, and was left as it is: {moved.words}",
        hint=f"{first}, then: abreast land {session}",
    )


def _landed(member: BatchMember, flaky: str) -> SessionUpdate:
    if flaky:
        member.context.add_event("flaky", flaky)
    return SessionUpdate(landing=LandState.LANDED, landed=member.commit, reason=flaky)


def stopped(context: SessionContext) -> SessionUpdate:
    """Return the end of a landing that the user has stopped."""
    return stopped_in(context.run.id)


def stopped_in(run: str) -> SessionUpdate:
    """Return the end of a landing of a run that the user has stopped."""
    reason = "its landing was stopped by you"
    return SessionUpdate(
        landing=LandState.NONE, landed="", reason=reason, hint=f"abreast land {run}"
    )


def lacks(context: SessionContext, need: Session) -> SessionUpdate:
    """Return the end of a landing that needs what has not landed; it waits for a repair."""
    if is_repaired(need):
        reason = f"waits for {need.task}, which is repaired"
        return SessionUpdate(landing=LandState.QUEUED, reason=reason)
    reason = f"needs {need.task}, which has not landed: {where(need)}"
    if need.landing is LandState.UNDONE:
        return bounced(reason, need.hint)
    return bounced(reason, f"abreast land {context.run.id} lands both")


def where(session: Session) -> str:
    """Return in words where a session stands that another one needs."""
    if has_landed(session):
        return f"{session.landed_name} is not in the target"
    if session.state is not SessionState.DONE:
        return f"it is {session.state}"
    words = {LandState.NONE: "nobody asked for it", LandState.QUEUED: "it waits for its turn"}
    return words.get(session.landing, f"it is {session.landing}")


def target_of(context: SessionContext) -> str:
    """Return the ref that the session's run lands on."""
    return f"refs/heads/{context.run.target}"


def _folder(context: SessionContext) -> Path:
    return notes_folder(context) / str(context.run.generation)
