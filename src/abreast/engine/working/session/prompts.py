"""The prompts of sessions: the task, the rules for its worktree, earlier work, and the briefing.

Each CLI reads a briefing file of its own and has its own rules for the others' files. So that every
session of a run is told the same, abreast reads all of them from the root of the worktree and hands
the text to each CLI.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.agents import AGENTS, agent_named
from abreast.agents.imports import MOST, read_with_imports
from abreast.engine.reading.handoff.session import passed_on
from abreast.model.session import Session, SessionState
from abreast.model.task import Task

_CUT = "\n\n[cut here: too long]"


def read_briefing(worktree: Path) -> str:
    """Return the project's standing instructions, or "" when it has none.

    Files with the same text count once; a line `@path` is replaced by that file when it lies in
    the worktree.
    """
    texts: dict[str, str] = {}
    for name in sorted({reads.name for a in AGENTS.values() if (reads := a.briefing)}):
        found = read_with_imports(worktree, worktree / name)
        text = found.text.strip() + ("" if found.whole else _CUT)
        if text and not any(text in other for other in texts.values()):
            texts = {n: t for n, t in texts.items() if t not in text}
            texts[name] = text
    parts = [f"# Project instructions ({name})\n\n{text}" for name, text in texts.items()]
    whole = "\n\n".join(parts)
    return whole if len(whole) <= MOST + len(_CUT) else whole[:MOST] + _CUT


_RULES = """\
---
Rules for this session:
- You work alone in a git worktree made for this task. Change files only inside it.
- Do not commit, stash, push or switch branches. Your changes are committed for you at the end.
- {how_to_ask}"""


@dataclass(frozen=True)
class Followed:
    """A session that a task was only put after, and whether its work is where the task starts.

    `why` is a sentence of the gate's; "" where the plan says so itself.
    """

    session: Session
    included: bool
    why: str = ""


def compose(task: Task, needed: Sequence[Session] = (), followed: Sequence[Followed] = ()) -> str:
    """Return the prompt for `task`, with the handoffs of the sessions it needs and is after."""
    prompt = task.prompt.strip()
    rules = _RULES.format(how_to_ask=agent_named(task.agent.name).how_to_ask)
    # Claude Code and Gemini CLI take a prompt whose first character is a slash for a command of
    # their own, whatever else it says: `/init` becomes Gemini's text, `/help` asks no model.
    parts = [f"\n{prompt}" if prompt.startswith("/") else prompt, rules]
    if task.produces and not task.issue:  # whose title is a stranger's, and fenced in the prompt
        parts.append(f"- Produce: {task.produces}")
    if task.paths:
        parts.append(f"- Write only to these paths: {', '.join(task.paths)}")
    if not task.changes:
        parts.append("- Do not change any file.")
    if task.verify:
        parts.append(f"- This check runs when you have finished, and must pass: {task.verify}")
    text = "\n".join([parts[0], "", *parts[1:]])
    return "\n\n".join([text, *map(passed_on, needed), *map(_after, followed)])


def _after(followed: Followed) -> str:
    """Say why a task had to wait, what has come of the other one, and what that passes on."""
    other = followed.session
    why = f": {followed.why.rstrip('.')}" if followed.why else ", as the plan wants it"
    said = f"This task was to start when task `{other.task}` had ended{why}. {_came_of(followed)}"
    if other.started is None:
        return said
    return f"{said}\n{passed_on(other, included=followed.included)}"


def _came_of(followed: Followed) -> str:
    other = followed.session
    if followed.included:
        return "Its work is in your worktree: build on it, and do not do it again."
    if other.state is not SessionState.DONE:
        return f"It is {other.state}, and nothing of it is in your worktree: do your own task only."
    if not other.commit:
        return "It changed no file."
    return "Its work is not in your worktree: do your own task only."


INTERRUPTED = "You were interrupted."
TURN_ENDED = "Your turn had ended."
SAID = (
    "Your turn had ended; your files are as you left them. Act on the message below. The task and "
    "its rules are the same as before."
)
"""The prompt that resumes a session which had ended its turn, before what it is told."""


def failed(check: str, output: str) -> str:
    """Return how an attempt ended whose check failed. The output is fenced: it is data."""
    fenced = f"<output>\n{output.strip()[-4000:]}\n</output>"
    return f"The check `{check}` failed on your work so far. Its output:\n{fenced}"


def refused(reason: str) -> str:
    """Return how an attempt ended that was refused a tool."""
    return f"A tool call was refused. Finish the task without it. The refusal: {reason}"


def resumed(task: Task, came_to: str) -> str:
    """Return the prompt that resumes the CLI's own session after an attempt that ended."""
    left = "Your files are as you left them. Look at their state, then finish the task:"
    return f"{came_to}\n\n{left}\n\n{task.prompt.strip()}"


def restarted(
    task: Task, came_to: str, needed: Sequence[Session] = (), followed: Sequence[Followed] = ()
) -> str:
    """Return the prompt for a new session of the CLI in the worktree of an earlier attempt."""
    left = "An earlier attempt left its changes in this worktree. Look at them before you start."
    return f"{compose(task, needed, followed)}\n\n{left} How it ended:\n{came_to}"
