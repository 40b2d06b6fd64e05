"""Right now: one line that says how things stand."""

from collections.abc import Iterator

from abreast.handoff.facts import SessionFacts
from abreast.handoff.transcript import End


def right_now(facts: SessionFacts) -> str:
    """Return the line: how the session ended, its plan, its last command, its checkout."""
    parts = [_ending(facts), *_plan(facts), *_last(facts), *_checkout(facts)]
    return " ".join(f"{part}." if part[-1] not in ".!?…" else part for part in parts if part)


def _ending(facts: SessionFacts) -> str:
    if facts.origin is not None:
        if facts.origin.lost and facts.origin.by_hand:
            return "Nobody is in it: its terminal was closed before it was committed"
        if facts.origin.lost:
            was = facts.origin.state.value
            return f"Nobody works on it: it was {was} when its worker and its processes died"
        reason = facts.pen.words(facts.origin.reason, 200)
        state = facts.origin.state.value
        if reason.startswith(state):
            return reason[0].upper() + reason[1:]
        return f"{state.capitalize()}: {reason}" if reason else state.capitalize()
    return ending_of_record(facts)


def ending_of_record(facts: SessionFacts) -> str:
    """Return how the record of a session ends, in words that are true whatever came after it."""
    transcript = (
        facts.transcript
    )  # of the record: a CLI that is killed may not have written all of it
    match transcript.end:
        case _ if transcript.questions and transcript.end is not End.BROKEN:
            found = "The agent asked something and had no answer yet"
        case End.BROKEN:
            found = f"Stopped{_during(facts)}: {facts.pen.words(transcript.why_broken, 200)}"
        case End.CUT_OFF:
            what = ", ".join(facts.call(call) for call in transcript.running[:2])
            found = f"Its record ends in the middle of {what}: killed, or still at work"
        case End.BETWEEN:
            after = f" after {facts.call(transcript.last_call)}" if transcript.last_call else ""
            found = f"Its record ends{after}, before the model answered: killed, or still at work"
        case _:
            found = _PLAIN[transcript.end]
    return found


_PLAIN = {
    End.EMPTY: "Nothing has happened in it yet",
    End.UNANSWERED: "What was asked last is not answered in its record: killed, or still at work",
    End.ANSWERED: "The agent had the last word",
}


def _during(facts: SessionFacts) -> str:
    """Return what the stop has broken off."""
    if facts.transcript.running:
        return f" during {facts.call(facts.transcript.running[0])}"
    last = facts.transcript.ran[-1] if facts.transcript.ran else None
    broken_off = last is not None and facts.broken_off(last)
    return f" during {facts.pen.code(last.command)}" if last and broken_off else ""


def _plan(facts: SessionFacts) -> Iterator[str]:
    plan = facts.transcript.plan
    if plan:
        yield f"Plan: {sum(done for _, done in plan)} of {len(plan)} done"


def _last(facts: SessionFacts) -> Iterator[str]:
    """Yield the check that counts: the plan's own, else the last command of the agent."""
    if facts.origin is not None and facts.origin.checks:
        check = facts.origin.checks[-1]
        yield f"{check.name.capitalize()} {facts.pen.code(check.command, 80)}: {check.outcome}"
    elif (failing := facts.transcript.failing) is not None:
        yield f"Failed, not seen to pass since: {facts.command(failing, said=False)}"
    elif facts.transcript.ran and facts.transcript.ran[-1].passed:
        yield f"Last command: {facts.command(facts.transcript.ran[-1])}"


def _checkout(facts: SessionFacts) -> Iterator[str]:
    now = facts.checkout
    if not (now.head or now.top) or now.shared:
        return
    where = facts.pen.code(now.branch) if now.branch else "Detached HEAD"
    if now.gone:
        kept = f", kept under `{now.kept}`" if now.kept else ""
        yield f"Its worktree is gone; its work is at `{now.head[:12]}`{kept}"
    else:
        head = f"at `{now.head[:12]}`" if now.head else "without a commit"
        yield f"{where} {head}, {now.dirty or ('all committed' if now.head else 'and empty')}"
