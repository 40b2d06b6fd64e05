"""What a session asks a person: written down, and which of the answers it has not heard.

While the agent runs, its runner has the questions in its progress. An agent whose CLI cannot wait
for an answer ends its turn with the question instead, and goes on when it has been answered.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from abreast.agents import AGENTS, agent_named, mailbox
from abreast.engine.common.answers import told, unheard
from abreast.engine.common.ending import ANSWER, Ending, asking
from abreast.engine.working.session.context import SessionContext
from abreast.model.question import AnswerChoice, Decision, Question, QuestionKind
from abreast.model.session import SessionKind, SessionState
from abreast.process import clock
from abreast.runner.answers import find_answer
from abreast.runner.forbidden import is_forbidden
from abreast.runner.job import JobProgress, Result, load_result

_BY_PERSON = (Decision.ANSWER, Decision.ONCE, Decision.SESSION, Decision.DENY)


def asks(context: SessionContext) -> bool:
    """Return whether a person is asked; a child is not: its parent waits for it."""
    agent = agent_named(context.task.agent.name)
    return agent.capabilities.answered and context.session.kind is SessionKind.TASK


def guarded(context: SessionContext) -> tuple[str, ...]:
    """Return what nobody may allow the agent: git's folder, our state, logins of CLIs."""
    home = Path(context.environment().get("HOME") or Path.home())
    secrets = (home / name for agent in AGENTS.values() for name in agent.secrets)
    ours = (context.repository.common_dir, context.engine.places.state)
    return tuple(str(path) for path in (*ours, *secrets))


def has_asked(context: SessionContext) -> bool:
    """Return whether the attempt before this one has asked something."""
    before = context.session.attempt - 1
    return any(one.attempt == before for one in context.engine.reader.questions(context.session.id))


def note_asked(context: SessionContext, progress: JobProgress) -> None:
    """Write down what a running session asks, and what has become of that; safe to repeat."""
    if not progress.asked:
        return
    store, session = context.engine.store, context.session.id
    store.ask(session, [_whole(context, one, undecided=True) for one in progress.asked])
    open_ones = {one.id for one in context.engine.reader.questions(session) if not one.answered}
    for one in progress.asked:
        name = _whole(context, one).id
        if one.decision is not Decision.NONE and name in open_ones:
            store.answer(name, one.decision, one.answer)


def note_ended(context: SessionContext, result: Result) -> None:
    """Write down that nobody waits any more; what was answered and not heard is a letter now."""
    note_asked(context, result.progress)
    if not result.progress.asked:
        return
    store, directory = context.engine.store, context.layout.job("agent")
    store.hang_up(context.session.id)
    late, calls = list[Question](), set[str]()  # those that lack an answer
    for one in result.progress.asked:
        if one.decision is not Decision.NONE:
            continue
        said = find_answer(directory, one.id)
        if said is None or said.decision not in _BY_PERSON:
            calls.add(one.call)
            continue
        answered = replace(_whole(context, one), decision=said.decision, answer=said.answer)
        store.answer(answered.id, answered.decision, answered.answer)
        late.append(answered)
    if whole := [one for one in late if one.call not in calls]:
        text = f"Message from the user:\n{told(whole)}"
        if not mailbox.find(context.layout.mailbox, text):  # the step may be repeated
            letter = agent_named(context.task.agent.name).letter(text)
            mailbox.post(context.layout.mailbox, letter, text)


def bring_answers(context: SessionContext) -> None:
    """Post what the attempt before this one was answered and nobody has brought; safe to repeat.

    A person's command may be killed when the last answer is on record, or resume the session before
    all is answered.
    """
    session, before = context.session, context.session.attempt - 1
    asked = context.engine.reader.questions(session.id)
    result = load_result(replace(context.layout, attempt=before).job("agent"))
    found = unheard(asked, session.id, before, result)
    new = [one for one in found if not mailbox.tells(context.layout.mailbox, told([one]))]
    if new:
        text = f"Message from the user:\n{told(new)}"
        letter = agent_named(context.task.agent.name).letter(text)
        mailbox.post(context.layout.mailbox, letter, text)


_MARK = re.compile(r"^\W*question(?=[^\w:]*:)\W+(?=\w)", re.IGNORECASE)


def asked_at_end(context: SessionContext, result: Result, ending: Ending | None) -> Ending | None:
    """Return the ending of a session that has ended its turn with what only a person can answer.

    Else `ending`. What it asks is written down.
    """
    able = agent_named(context.task.agent.name).capabilities.resume
    if not able or context.session.kind is not SessionKind.TASK:
        return ending
    if ending is None:
        last = result.verdict.final_message.strip().rpartition("\n")[2]
        found = [question(_MARK.sub("", last))] if _MARK.match(last) else []
    elif asks(context):  # while it ran; what its CLI denies by its own rules asks nobody
        return ending
    elif ending.state is SessionState.BLOCKED and result.verdict.denials:
        found = refusals(context, result)
    else:
        return ending
    if not found:
        return ending
    ask_at_end(context, found)
    if ending is None:
        return asking(found[0])
    allowable = any(choice.label == Decision.SESSION for one in found for choice in one.choices)
    return replace(ending, hint=ANSWER) if allowable or not ending.hint else ending


def ask_at_end(context: SessionContext, asked: Sequence[Question]) -> None:
    """Write down what a session that has ended asks; safe to repeat."""
    now = clock.wall()
    whole = [
        replace(_whole(context, replace(one, id=f"end{number}")), asked=now, live=False)
        for number, one in enumerate(asked, 1)
    ]
    context.engine.store.ask(context.session.id, whole)


def question(text: str) -> Question:
    """Return a question in words, that has no choices."""
    return Question("", "", 0, QuestionKind.QUESTION, text, 0.0)


def refusals(context: SessionContext, result: Result) -> list[Question]:
    """Return the questions that a session's denied calls amount to.

    What nobody may allow is not among them.
    """
    kept = guarded(context)
    found = result.verdict.refused or tuple(map(_unknown, result.verdict.denials))
    allowable = (one for one in found if not is_forbidden(one, kept, str(context.place)))
    return list(allowable)


def _unknown(denial: str) -> Question:
    """Return the question that a denied call amounts to which nothing can allow."""
    deny = (AnswerChoice(Decision.DENY),)
    permission = QuestionKind.PERMISSION
    return Question("", "", 0, permission, "a call was denied", 0.0, choices=deny, about=denial)


def _whole(context: SessionContext, one: Question, *, undecided: bool = False) -> Question:
    """Return a question with its session; `undecided`: as it was when it was asked."""
    session, attempt = context.session.id, context.layout.attempt
    named = replace(one, id=f"{session}#{attempt}.{one.id}", session=session, attempt=attempt)
    if not undecided:
        return named
    live = one.decision is Decision.NONE
    return replace(named, live=live, answered=None, decision=Decision.NONE, answer="")
