"""Composes a handoff: how things stand right now, why, the next step, and the context."""

import re
from collections.abc import Iterator, Sequence

from abreast.handoff.context import context, ending_of_record
from abreast.handoff.facts import Origin, SessionFacts
from abreast.handoff.page import Line, Section, fit, write
from abreast.handoff.transcript import End
from abreast.model.economy import count_tokens
from abreast.model.handoff import TOKENS, Handoff, Header
from abreast.model.session import SessionState
from abreast.model.transcript import ToolKind


def right_now(facts: SessionFacts) -> str:
    """Return the line: how the session ended, its plan, its last command, its checkout."""
    parts = [_ending(facts), *_plan(facts), *_last(facts), *_checkout(facts)]
    return " ".join(f"{part}." if part[-1] not in ".!?…" else part for part in parts if part)


def _ending(facts: SessionFacts) -> str:
    if facts.origin is not None:
        if facts.origin.lost and facts.origin.by_hand:
            return "Nobody is in it: its terminal was closed before the work was committed"
        if facts.origin.lost:
            was = facts.origin.state.value
            return f"Nobody works on it: it was {was} when its worker and its processes died"
        reason = facts.pen.words(facts.origin.reason, 200)
        state = facts.origin.state.value
        if reason.startswith(state):
            return reason[0].upper() + reason[1:]
        return f"{state.capitalize()}: {reason}" if reason else state.capitalize()
    return ending_of_record(facts)


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


_STEPS = 3


def why(facts: SessionFacts) -> Iterator[Line]:
    """Yield the reason for the task, and what was asked since."""
    origin, transcript, pen = facts.origin, facts.transcript, facts.pen
    asked = transcript.asked
    if origin is not None and (origin.prompt or origin.produces):
        task = pen.words(origin.produces or origin.prompt, 300)
        yield Line(Section.WHY, task)
        if origin.produces and _differs(origin.prompt, origin.produces):
            yield Line(Section.WHY, f"Asked: {pen.words(origin.prompt, 300)}", 15)
        asked = ()  # what follows the prompt there is abreast's own
    elif transcript.task:
        yield Line(Section.WHY, pen.words(transcript.task, 400, end=140))
    else:
        yield Line(Section.WHY, "No prompt is on record yet.")
    for number, text in enumerate(asked, 1):
        last = number == len(asked)
        word = "Asked last" if last else "Then asked"
        rank = 14 if last else 40 + len(asked) - number
        yield Line(Section.WHY, f"{word}: {pen.words(text, 240, end=80)}", rank)


def _differs(prompt: str, produces: str) -> bool:
    return bool(prompt.strip()) and prompt.strip().rstrip(".") != produces.strip().rstrip(".")


def next_steps(facts: SessionFacts) -> Iterator[Line]:
    """Yield the next step, and at most two that follow it."""
    steps = list(dict.fromkeys(_of_session(facts) if facts.origin else _of_record(facts)))
    steps = steps or ["No open step on record: check the result against the task"]
    for number, step in enumerate(steps[:_STEPS]):
        yield Line(Section.NEXT_STEP, step, 0 if not number else 17 + 8 * number)


def _of_session(facts: SessionFacts) -> Iterator[str]:
    """Yield what is to be done about a session of abreast's own."""
    origin = facts.origin
    if origin is None:
        return
    if facts.done:
        yield _after_done(facts)
        return
    if failed := next((check for check in origin.checks if not check.passed), None):
        said = f": {facts.pen.words(failed.said, 140)}" if failed.said else ""
        yield f"Make {facts.pen.code(failed.command)} pass ({failed.outcome}){said}"
    if origin.state is SessionState.SKIPPED:
        yield f"Finish what it needs first, then: `abreast resume {origin.run}`"
        return
    if origin.hint:
        hint = re.sub(r"\bRUN\b", origin.run, facts.pen.words(origin.hint, 200)).rstrip(".")
        yield hint if hint.startswith("abreast ") else hint[0].upper() + hint[1:]
    if (not origin.child or origin.lost) and "abreast resume" not in origin.hint:
        yield _onward(origin)
    yield from _unfinished(facts)


def _onward(origin: Origin) -> str:
    if not origin.state.final and not origin.lost:
        return f"`abreast logs {origin.id}` shows what it is doing; it has not ended"
    if origin.by_hand:
        return f"`abreast attach {origin.id}` opens it again"
    return f"`abreast resume {origin.run}` continues where it stopped"


def _after_done(facts: SessionFacts) -> str:
    origin = facts.origin
    if origin is None or not origin.commit:
        return "None: it is done, and there is nothing to land"
    if origin.landed:
        into = f" in `{origin.target}`" if origin.target else ""
        return f"None: it is done and has landed{into} as `{origin.landed[:60]}`"
    return f"None for its task: it is done. `abreast land {origin.id}` lands `{origin.commit[:12]}`"


def _of_record(facts: SessionFacts) -> Iterator[str]:
    """Yield what is to be done, by a record of a session that somebody started by hand."""
    transcript, pen = facts.transcript, facts.pen
    asked = pen.words((transcript.task, *transcript.asked)[-1], end=80)
    for question in transcript.questions[:1]:
        yield f"Answer the agent: {pen.words(question, 240)}"
    if transcript.task and not transcript.heeded:
        yield f"Do what was asked last and is not answered: {asked}"
    yield from _unfinished(facts)
    if (
        transcript.end not in {End.ANSWERED, End.EMPTY}
        and transcript.heeded
        and not transcript.questions
    ):
        yield f"Continue where it stopped: {asked}"
    now = facts.checkout
    if now.uncommitted and not now.shared and not now.operation:
        yield f"Review and commit the uncommitted changes ({now.dirty})"


def _unfinished(facts: SessionFacts) -> Iterator[str]:
    transcript, pen, operation = facts.transcript, facts.pen, facts.checkout.operation
    if operation == "bisect":
        yield "Continue the bisect in progress, or end it with `git bisect reset`"
    elif operation:
        how = f"`git {operation} --continue`, or undo it with `git {operation} --abort`"
        yield f"Finish the {operation} in progress with {how}"
    for call in transcript.running[:1]:
        if call.kind is ToolKind.ASK:
            continue
        again = ", then run it again" if call.kind is ToolKind.SHELL else ""
        yield f"Look at what {facts.call(call)} has left{again}"
    ran = transcript.failing
    if ran and not (operation and ran.command.startswith("git ")):
        said = f": {pen.words(ran.said, 140)}" if ran.said else ""
        yield f"Make {pen.code(ran.command)} pass ({facts.outcome(ran)}){said}"
    for item, done in transcript.plan:
        if not done:
            yield f"{pen.words(item)} (the first open item of its plan)"
            break


def compose(facts: SessionFacts, header: Header, limit: int = TOKENS) -> Handoff:
    """Return the handoff of a session in at most `limit` tokens.

    The header and the first line of the first three sections always stay.
    """
    lines = [
        Line(Section.RIGHT_NOW, right_now(facts)),
        *why(facts),
        *next_steps(facts),
        *context(facts),
    ]
    found = {line.text: line for line in reversed(lines)}  # nothing twice
    lines = [line for line in lines if found[line.text] is line]

    def size(some: Sequence[Line], left_out: int) -> int:
        return count_tokens(write(header, some, left_out))

    kept, left_out = fit(lines, limit, size)
    text = write(header, kept, left_out)

    def of(section: Section) -> tuple[str, ...]:
        return tuple(line.text for line in kept if line.section is section)

    return Handoff(
        header=header,
        right_now=of(Section.RIGHT_NOW)[0],
        why=of(Section.WHY),
        next_step=of(Section.NEXT_STEP),
        context=of(Section.CONTEXT),
        text=text,
        tokens=count_tokens(text),
        left_out=left_out,
    )
