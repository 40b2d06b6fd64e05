"""What a session is told besides its briefing: the task, the rules of the place, earlier work."""

from collections.abc import Sequence

from abreast.engine.reading.handoff.session import passed_on
from abreast.model.session import Session
from abreast.model.task import Task

_RULES = """\
---
How this session is run:
- You work alone, in a git worktree made for this task. Stay inside it.
- Do not commit, stash, push or switch branches: what you have changed is committed for you at the
  end.
- Nobody can answer questions. If you cannot finish, say in your last message what is missing."""


def compose(task: Task, earlier: Sequence[Session] = ()) -> str:
    """Return the prompt for `task`, with the handoffs of the sessions it builds on."""
    prompt = task.prompt.strip()
    # Claude Code and Gemini CLI take a prompt whose first character is a slash for a command of
    # their own, whatever else it says: `/init` becomes Gemini's text, `/help` asks no model.
    parts = [f"\n{prompt}" if prompt.startswith("/") else prompt, _RULES]
    if task.produces:
        parts.append(f"- It is to produce: {task.produces}")
    if task.paths:
        parts.append(f"- It is expected to write only: {', '.join(task.paths)}")
    if not task.changes:
        parts.append("- It is expected to change no file.")
    if task.verify:
        parts.append(f"- Afterwards this check must pass: {task.verify}")
    text = "\n".join([parts[0], "", *parts[1:]])
    return "\n\n".join([text, *(passed_on(session) for session in earlier)])


INTERRUPTED = "You were interrupted."


def failed(check: str, output: str) -> str:
    """Return what an attempt came to whose check failed; its output is fenced: it is data."""
    fenced = f"<output>\n{output.strip()[-4000:]}\n</output>"
    return f"The check `{check}` failed on the work so far. It said:\n{fenced}"


def refused(reason: str) -> str:
    """Return what an attempt came to that was refused a tool."""
    return f"A tool was refused; finish without it. What was refused: {reason}"


def resumed(task: Task, came_to: str) -> str:
    """Return the prompt that goes on in the CLI's own session after an attempt that ended so."""
    left = "The files are as you left them. Look at what is there, then finish the task:"
    return f"{came_to}\n\n{left}\n\n{task.prompt.strip()}"


def restarted(task: Task, came_to: str, earlier: Sequence[Session] = ()) -> str:
    """Return the prompt for a new session of the CLI, in the files of an attempt that ended so."""
    left = "An earlier attempt has left its files here. Look at what is there first."
    return f"{compose(task, earlier)}\n\n{left} How it ended:\n{came_to}"
