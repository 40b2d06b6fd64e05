"""The text of a pull request: what was to be done, what the agent says, checks, usage, handoff.

What an agent wrote stands in code blocks. Elsewhere a forge would act on it: `@name` tells people,
`fixes #1` closes issues, and GitLab executes lines such as `/merge`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from abreast.engine.reading.handoff.session import FILE
from abreast.engine.working.session.context import SessionContext
from abreast.handoff.masking import mask
from abreast.model.text import counted, harmless, one_line

_MARK = "<!-- abreast:"
_BEGIN, _END = f"{_MARK} begin -->", f"{_MARK} end -->"
_SAID = 4_000  # characters of the agent's last message
_HANDOFF = 20_000  # characters; a request's whole text may have 65,536 at GitHub


def request_body(context: SessionContext) -> str:
    """Return the text, between two marks by which `described_anew` finds it."""
    return "\n\n".join((_BEGIN, *_parts(context), _END))


def described_anew(text: str, body: str) -> str:
    """Return `text` with our part replaced by `body`; unchanged where our part is not in it."""
    before, begun, after = text.partition(_BEGIN)
    _, ended, rest = after.partition(_END)
    return f"{before}{body}{rest}" if begun and ended else text


def _parts(context: SessionContext) -> Iterator[str]:
    session, task = context.session, context.task
    sentence = one_line(harmless(task.produces), 500)
    yield f"\\{sentence}" if sentence.startswith("/") else sentence
    if task.issue:
        yield f"Closes #{task.issue}"  # GitHub and GitLab both close it with the request
    if session.final_message:
        yield f"The agent's last message:\n\n{_block(session.final_message, _SAID)}"
    yield "\n".join(f"- {fact}" for fact in _facts(context))
    if handoff := _handoff(context.layout.directory / FILE):
        block = _block(handoff, _HANDOFF)
        yield f"<details><summary>Handoff</summary>\n\n{block}\n\n</details>"
    yield f"Abreast-Session: {session.id}"


def _facts(context: SessionContext) -> Iterator[str]:
    session, task = context.session, context.task
    for name, line in task.commands.items():
        yield f"{name} passed: {_code(line)}"
    if session.files:
        outside = f", {len(session.outside)} outside its declared paths" if session.outside else ""
        yield f"{counted(len(session.files), 'file')} changed{outside}"
    parts = [session.agent, *([f"({_code(session.model)})"] if session.model else [])]
    yield " ".join(parts) + "".join(f", {part}" for part in _usage(context))


def _usage(context: SessionContext) -> Iterator[str]:
    usage = context.session.usage
    if context.session.turns:
        yield counted(context.session.turns, "turn")
    if total := (usage.input_tokens or 0) + (usage.output_tokens or 0):
        yield f"{total:,} tokens"
    if usage.cost_usd:
        yield f"${usage.cost_usd:.2f}"


def _handoff(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _block(text: str, most: int) -> str:
    """Return foreign text as a code block that it cannot end, without secrets."""
    whole = mask(harmless(text)).strip().replace(_MARK, "<! -- abreast:")
    shown = whole if len(whole) <= most else f"{whole[:most].rstrip()}\n[cut]"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}text\n{shown}\n{fence}"


def _code(text: str) -> str:
    """Return a command or a name as code on one line."""
    line = mask(one_line(harmless(text)))
    ticks = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"
