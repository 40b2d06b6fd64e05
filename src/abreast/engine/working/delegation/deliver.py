"""From a child's rounds to the deliverable: proven, cut to size, accounted for, and kept whole."""

import hashlib
from dataclasses import replace

from abreast.contract.judge import Judged, asks
from abreast.contract.render import paginate
from abreast.economics.words import warning
from abreast.engine.common.check import vain_limits
from abreast.engine.common.deliverables import load, outcome_of, save
from abreast.engine.common.ending import Ending
from abreast.engine.working.delegation.estimating import estimate_of
from abreast.engine.working.delegation.rounds import Rounds, contract_of, rounds_of
from abreast.engine.working.session import result as result_steps
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.spending import Bill, bill_of
from abreast.errors import GitError
from abreast.git.changes import diff_text
from abreast.git.status import checkout_marks
from abreast.model.cause import Cause
from abreast.model.economy import Estimate, count_tokens
from abreast.model.events import Outcome
from abreast.model.session import SessionState
from abreast.model.task import Deliverable, DeliveryState, Isolation
from abreast.model.text import named
from abreast.process import clock
from abreast.process.files import load_as, private_folder, write_json
from abreast.runner.job import SHORT
from abreast.runner.supervise import STOPPED_BY_USER
from abreast.store.rows import UNSET, SessionUpdate
from abreast.store.writer import record_deliverable

_STATES = {
    DeliveryState.PARTIAL: SessionState.STOPPED,
    DeliveryState.BLOCKED: SessionState.BLOCKED,
    DeliveryState.FAILED: SessionState.FAILED,
    DeliveryState.UNKNOWN: SessionState.UNKNOWN,
}
_BEFORE = "tree-before.json"
_SALVAGED = "its supervisor was killed after it had ended; this is read from its stream"


def mark_tree(context: SessionContext) -> None:
    """Note the state of the tree that a child is to read, once for each attempt."""
    file = context.layout.directory / _BEFORE
    if contract_of(context).isolation is Isolation.CONTEXT and not file.exists():
        private_folder(file.parent)
        write_json(file, checkout_marks(context.where))


def deliver(context: SessionContext, given: Ending | None) -> Ending:
    """Write down what came of a delegation, and return how its session ends.

    `given` is the ending of a session that did not get as far as an answer.
    """
    rounds = rounds_of(context)
    bill = bill_of(context, rounds.results, rounds.cli_session) if rounds is not None else None
    found = _bare(context)
    if rounds is not None and bill is not None:
        found = _answered(context, rounds, bill)
    if given is not None:
        outcome = outcome_of(given.state)
        found = replace(found, outcome=outcome, reason=given.reason)
    if found.outcome.valid and contract_of(context).isolation is Isolation.WORKTREE:
        found = _committed(context, found)
    found = _noted(context, found, salvaged=rounds is not None and rounds.salvaged)
    found = _saved(context, found)
    record_deliverable(context.engine.store.engine, found, context.task.profile)
    _tell(context, found, rounds, bill)
    if found.outcome.valid:
        return Ending(SessionState.DONE)
    verdict = rounds.last.verdict if rounds else None
    own = given.hint if given else verdict.hint if verdict else ""  # such as how to log in
    if own and "abreast attach" in own and contract_of(context).isolation is not Isolation.WORKTREE:
        own = ""  # it has none to work in
    hint = own or f"what it did: abreast logs {context.session.id}"
    cause = verdict.cause if verdict else None
    if rounds and rounds.last.stopped_by == SHORT and given is None:
        cause = Cause.MEMORY
    ending = Ending(_STATES[found.outcome], found.reason, hint)
    return replace(ending, cause=cause) if cause else ending


def _saved(context: SessionContext, found: Deliverable) -> Deliverable:
    """Write the deliverable to its file; if that fails, only the session's last message has it."""
    try:
        save(context.layout.deliverable, found)
    except OSError as error:  # the disk is full, say
        reason = f"what it answered could not be written to {context.layout.deliverable}: {error}"
        return replace(found, outcome=DeliveryState.UNKNOWN, reason=reason)
    return found


def _bare(context: SessionContext) -> Deliverable:
    return Deliverable(
        id=context.session.id,
        outcome=DeliveryState.UNKNOWN,
        agent=context.task.agent.name,
        limit_tokens=contract_of(context).limit_tokens,
        path=str(context.layout.deliverable),
        estimate=_estimate(context),
    )


def _estimate(context: SessionContext) -> Estimate | None:
    try:
        return estimate_of(context)
    except (GitError, OSError):
        return None  # the tree has gone


def _answered(context: SessionContext, rounds: Rounds, bill: Bill) -> Deliverable:
    contract, judged = contract_of(context), rounds.judged
    pages = paginate(judged.items, contract.limit_tokens)
    outcome, reason = _outcome(rounds, cut=len(pages) > 1)
    whole = "\n".join(judged.items)
    encoded = whole.encode("utf-8", "surrogatepass")
    return replace(
        _bare(context),
        outcome=outcome,
        reason=reason,
        items=judged.items,
        value=judged.value,
        repairs=len(rounds.results) - 1,
        tokens=count_tokens(whole),
        bytes=len(encoded),
        sha256=hashlib.sha256(encoded).hexdigest(),
        model=", ".join(model for model in bill.by_model if model),
        cli_session=rounds.cli_session,
        seconds=round(clock.now().since(rounds.results[0].began), 3),
        account=bill.account(count_tokens(pages[0].text) if pages else 0),
    )


def _outcome(rounds: Rounds, *, cut: bool) -> tuple[DeliveryState, str]:
    """Return the outcome of a delegation whose agent ran, and the reason."""
    last, judged = rounds.last, rounds.judged
    if last.stopped_by:
        by_user = last.stopped_by == STOPPED_BY_USER
        return DeliveryState.PARTIAL, "stopped by you" if by_user else f"ended by {last.stopped_by}"
    if last.verdict.outcome is not Outcome.OK:
        return outcome_of(SessionState(last.verdict.outcome.value)), last.verdict.reason
    if judged.problems:
        return _misfit(judged)
    if cut:
        return DeliveryState.CUT, ""
    return (DeliveryState.REPAIRED if len(rounds.results) > 1 else DeliveryState.OK), ""


def _misfit(judged: Judged) -> tuple[DeliveryState, str]:
    if judged.empty:
        return DeliveryState.UNKNOWN, "it ended without an error, and nothing came back"
    if asked := asks("\n".join(judged.items)):
        return DeliveryState.BLOCKED, f"it asks: {asked}"
    return DeliveryState.FAILED, "not of the shape asked for: " + "; ".join(judged.problems[:5])


def _committed(context: SessionContext, found: Deliverable) -> Deliverable:
    """Commit the child's changes to its branch; if that fails, so does the delegation."""
    try:
        ending = result_steps.check_and_commit(context) or result_steps.commit(context)
    except GitError as error:  # it has removed its worktree: the answer is there all the same
        return replace(found, outcome=DeliveryState.FAILED, reason=error.message)
    if ending.state is not SessionState.DONE:
        blocked = ending.state is SessionState.BLOCKED
        outcome = DeliveryState.BLOCKED if blocked else DeliveryState.FAILED
        return replace(found, outcome=outcome, reason=ending.reason)
    session = context.engine.reader.session(context.session.id) or context.session
    if not session.commit:
        return replace(found, branch="", diffstat="it changed no file")
    stat = diff_text(context.repository, session.base_sha, session.commit, ("--stat",))
    return replace(
        found,
        branch=context.layout.branch,
        commit=session.commit,
        diffstat=stat.strip().rpartition("\n")[2].strip(),
    )


def _noted(context: SessionContext, found: Deliverable, *, salvaged: bool) -> Deliverable:
    """Return the deliverable with notes for the parent, and the files that changed meanwhile."""
    loss = warning(found.estimate) if found.estimate else ""
    try:
        changed, told = _changed(context), ""
    except (GitError, OSError) as error:
        context.add_event("warning", str(error))
        changed, told = (), "the tree that the child read cannot be looked at any more"
    if changed:
        told = (
            "the tree changed while the child read it, by whom is not known; "
            "its answer may be about either state"
        )
    notes = (
        *(loss, _SALVAGED if salvaged else "", _earlier(context, found), told),
        *vain_limits(context.task),
    )
    return replace(found, notes=tuple(filter(None, notes)), changed=changed)


def _earlier(context: SessionContext, found: Deliverable) -> str:
    """Return a note on the latest answer of an earlier attempt, if this one is not better."""
    for attempt in range(context.layout.attempt - 1, 0, -1):
        before = load(replace(context.layout, attempt=attempt).deliverable)
        if before and before.items and (before.outcome.valid or not found.outcome.valid):
            name = f"{found.id}@{attempt}"
            return f"attempt {attempt} had delivered, {before.outcome}: collect {name} has it"
    return ""


def _changed(context: SessionContext) -> tuple[str, ...]:
    before = load_as(dict[str, str], context.layout.directory / _BEFORE)
    if before is None:
        return ()
    after = checkout_marks(context.where)
    return tuple(sorted(n for n in {*before, *after} if before.get(n) != after.get(n)))


def _tell(
    context: SessionContext, found: Deliverable, rounds: Rounds | None, bill: Bill | None
) -> None:
    if rounds is not None and bill is not None:
        change = SessionUpdate(
            final_message=found.text,
            turns=rounds.turns,
            last_action=rounds.last.progress.last_action or UNSET,
            cli_session=found.cli_session or UNSET,
            model=found.model or UNSET,
        )
        context.update(change)
        bill.write(context)
    text = f"{found.outcome}: {found.reason}" if found.reason else found.outcome.value
    context.add_event("delivered", text)
    for note in found.notes:
        context.add_event("warning", note)
    if found.changed:
        context.add_event("warning", f"changed: {named(found.changed)}")
