"""Why the task exists, and the next step: the first concrete thing to do."""

import re
from collections.abc import Iterator

from abreast.handoff.facts import SessionFacts
from abreast.handoff.line import Line, Section
from abreast.handoff.origin import Origin
from abreast.handoff.transcript import End
from abreast.model.session import SessionState
from abreast.model.transcript import ToolKind

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
        yield Line(Section.WHY, "Nobody has said anything in it yet; the reason is not on record.")
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
    steps = steps or ["Nothing is open on record: hold the result against the task"]
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
        yield f"See to what it needs first, then: `abreast resume {origin.run}`"
        return
    if origin.hint:
        hint = re.sub(r"\bRUN\b", origin.run, facts.pen.words(origin.hint, 200)).rstrip(".")
        yield hint if hint.startswith("abreast ") else hint[0].upper() + hint[1:]
    if (not origin.child or origin.lost) and "abreast resume" not in origin.hint:
        yield _onward(origin)
    yield from _unfinished(facts)


def _onward(origin: Origin) -> str:
    if not origin.state.final and not origin.lost:
        return f"`abreast logs {origin.id}` tells what it is doing; it is not ended"
    if origin.by_hand:
        return f"`abreast attach {origin.id}` opens it again"
    return f"`abreast resume {origin.run}` goes on where it stopped"


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
        yield f"Do what was asked last and not answered: {asked}"
    yield from _unfinished(facts)
    if (
        transcript.end not in {End.ANSWERED, End.EMPTY}
        and transcript.heeded
        and not transcript.questions
    ):
        yield f"Go on where it stopped: {asked}"
    now = facts.checkout
    if now.uncommitted and not now.shared and not now.operation:
        yield f"Review and commit what is not committed ({now.dirty})"


def _unfinished(facts: SessionFacts) -> Iterator[str]:
    transcript, pen, operation = facts.transcript, facts.pen, facts.checkout.operation
    if operation == "bisect":
        yield "Go on with the bisect under way; `git bisect reset` ends it"
    elif operation:
        how = f"`git {operation} --continue`, or undo it by `git {operation} --abort`"
        yield f"Finish the {operation} under way by {how}"
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
