"""Composes a handoff from all that is known of a session."""

from collections.abc import Sequence

from abreast.handoff.budget import fit
from abreast.handoff.context import context
from abreast.handoff.facts import SessionFacts
from abreast.handoff.line import Line, Section
from abreast.handoff.page import write
from abreast.handoff.state import right_now
from abreast.handoff.steps import next_steps, why
from abreast.model.handoff import TOKENS, Handoff, Header
from abreast.model.tokens import count_tokens


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
