"""The prompts of sessions: the task, the rules for its worktree, and earlier work."""

from collections.abc import Sequence

from abreast.engine.reading.handoff.session import passed_on
from abreast.model.session import Session
from abreast.model.task import Task

_RULES = """\
---
Rules for this session:
- You work alone in a git worktree made for this task. Change files only inside it.
- Do not commit, stash, push or switch branches. Your changes are committed for you at the end.
- Nobody will answer questions. If you cannot finish, say in your last message what is missing."""


def compose(task: Task, earlier: Sequence[Session] = ()) -> str:
    """Return the prompt for `task`, with the handoffs of the sessions it builds on."""
    prompt = task.prompt.strip()
    # Claude Code and Gemini CLI take a prompt whose first character is a slash for a command of
    # their own, whatever else it says: `/init` becomes Gemini's text, `/help` asks no model.
    parts = [f"\n{prompt}" if prompt.startswith("/") else prompt, _RULES]
    if task.produces:
        parts.append(f"- Produce: {task.produces}")
    if task.paths:
        parts.append(f"- Write only to these paths: {', '.join(task.paths)}")
    if not task.changes:
        parts.append("- Do not change any file.")
    if task.verify:
        parts.append(f"- This check runs when you have finished, and must pass: {task.verify}")
    text = "\n".join([parts[0], "", *parts[1:]])
    return "\n\n".join([text, *(passed_on(session) for session in earlier)])


INTERRUPTED = "You were interrupted."


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


def restarted(task: Task, came_to: str, earlier: Sequence[Session] = ()) -> str:
    """Return the prompt for a new session of the CLI in the worktree of an earlier attempt."""
    left = "An earlier attempt left its changes in this worktree. Look at them before you start."
    return f"{compose(task, earlier)}\n\n{left} How it ended:\n{came_to}"
