"""A handoff in an agent's words: asked for under a contract, and used only if no fact changed."""

from collections.abc import Callable
from dataclasses import replace

from abreast.contract.render import fence
from abreast.engine.reading.handoff.git import NAME
from abreast.handoff.page import sections
from abreast.handoff.polish import assemble, body, problems, question
from abreast.model.handoff import Handoff
from abreast.model.task import Contract, Deliverable, Limits
from abreast.model.tokens import count_tokens

_BUDGET = Limits(minutes=5, idle_minutes=3, turns=6)


def polish(draft: Handoff, limit: int, ask: Callable[[Contract], Deliverable]) -> Handoff:
    """Return `draft` in the words of the agent that `ask` asks, or as it is with a note why."""
    asked = Contract(
        question(fence(body(draft), source=NAME, name="draft")),
        constraints=("Do not read any file: use only the draft.",),
        success="the reworded text is complete",
        limit_tokens=limit,
        budget=_BUDGET,
    )
    found = ask(asked)
    if not found.outcome.valid:
        reason = f": {found.reason}" if found.reason else ""
        return _kept(draft, f"{found.agent} gave no text ({found.outcome}{reason})")
    said = found.text.strip()
    if wrong := problems(draft, said, limit):
        return _kept(draft, f"{found.agent} changed facts: {'; '.join(wrong[:5])}")
    text = assemble(draft, said)
    parts = [tuple(line.removeprefix("- ") for line in lines) for lines in sections(said).values()]
    return replace(
        draft,
        right_now=" ".join(parts[0]),
        why=parts[1],
        next_step=parts[2],
        context=parts[3],
        text=text,
        tokens=count_tokens(text),
        notes=(*draft.notes, f"worded by {found.agent}; its facts are those of the draft"),
    )


def _kept(draft: Handoff, why: str) -> Handoff:
    return replace(draft, notes=(*draft.notes, f"the draft was kept: {why}"))
