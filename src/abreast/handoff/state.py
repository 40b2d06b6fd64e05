"""Right now: one line that says how things stand."""

from collections.abc import Iterator

from abreast.handoff.case import SessionFacts
from abreast.handoff.told import End


def right_now(case: SessionFacts) -> str:
    """Return the line: how the session ended, its plan, its last command, its checkout."""
    parts = [_ending(case), *_plan(case), *_last(case), *_checkout(case)]
    return " ".join(f"{part}." if part[-1] not in ".!?…" else part for part in parts if part)


def _ending(case: SessionFacts) -> str:
    if case.origin is not None:
        if case.origin.lost and case.origin.by_hand:
            return "Nobody is in it: its terminal was closed before it was committed"
        if case.origin.lost:
            was = case.origin.state.value
            return f"Nobody works on it: it was {was} when its worker and its processes died"
        reason = case.pen.words(case.origin.reason, 200)
        state = case.origin.state.value
        if reason.startswith(state):
            return reason[0].upper() + reason[1:]
        return f"{state.capitalize()}: {reason}" if reason else state.capitalize()
    return ending_of_record(case)


def ending_of_record(case: SessionFacts) -> str:
    """Return how the record of a session ends, in words that are true whatever came after it."""
    told = case.told  # of the record: a CLI that is killed may not have written all of it
    match told.end:
        case _ if told.questions and told.end is not End.BROKEN:
            found = "The agent asked something and had no answer yet"
        case End.BROKEN:
            found = f"Stopped{_during(case)}: {case.pen.words(told.why_broken, 200)}"
        case End.CUT_OFF:
            what = ", ".join(case.call(call) for call in told.running[:2])
            found = f"Its record ends in the middle of {what}: killed, or still at work"
        case End.BETWEEN:
            after = f" after {case.call(told.last_call)}" if told.last_call else ""
            found = f"Its record ends{after}, before the model answered: killed, or still at work"
        case _:
            found = _PLAIN[told.end]
    return found


_PLAIN = {
    End.EMPTY: "Nothing has happened in it yet",
    End.UNANSWERED: "What was asked last is not answered in its record: killed, or still at work",
    End.ANSWERED: "The agent had the last word",
}


def _during(case: SessionFacts) -> str:
    """Return what the stop has broken off."""
    if case.told.running:
        return f" during {case.call(case.told.running[0])}"
    last = case.told.ran[-1] if case.told.ran else None
    broken_off = last is not None and case.broken_off(last)
    return f" during {case.pen.code(last.command)}" if last and broken_off else ""


def _plan(case: SessionFacts) -> Iterator[str]:
    plan = case.told.plan
    if plan:
        yield f"Plan: {sum(done for _, done in plan)} of {len(plan)} done"


def _last(case: SessionFacts) -> Iterator[str]:
    """Yield the check that counts: the plan's own, else the last command of the agent."""
    if case.origin is not None and case.origin.checks:
        check = case.origin.checks[-1]
        yield f"{check.name.capitalize()} {case.pen.code(check.command, 80)}: {check.outcome}"
    elif case.told.failing is not None:
        yield f"Failed, not seen to pass since: {case.command(case.told.failing, said=False)}"
    elif case.told.ran and case.told.ran[-1].passed:
        yield f"Last command: {case.command(case.told.ran[-1])}"


def _checkout(case: SessionFacts) -> Iterator[str]:
    now = case.standing
    if not (now.head or now.top) or now.shared:
        return
    where = case.pen.code(now.branch) if now.branch else "Detached HEAD"
    if now.gone:
        kept = f", kept under `{now.kept}`" if now.kept else ""
        yield f"Its worktree is gone; its work is at `{now.head[:12]}`{kept}"
    else:
        head = f"at `{now.head[:12]}`" if now.head else "without a commit"
        yield f"{where} {head}, {now.dirty or ('all committed' if now.head else 'and empty')}"
