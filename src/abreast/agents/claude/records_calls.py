"""What Claude Code's tool calls and their results say, in vendor-neutral terms."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from abreast.agents.claude.records_usage import READERS, WRITERS, paths_of
from abreast.agents.recorded import as_dict, as_list, as_text, cut
from abreast.model.text import one_line
from abreast.model.transcript import Called, Planned, Returned, ToolKind

_KINDS = {
    **dict.fromkeys(WRITERS, ToolKind.WRITE),
    **dict.fromkeys(READERS, ToolKind.SEARCH),
    "Read": ToolKind.READ,
    "LS": ToolKind.SEARCH,
    "Bash": ToolKind.SHELL,
    "PowerShell": ToolKind.SHELL,
    "Agent": ToolKind.DELEGATE,
    "Task": ToolKind.DELEGATE,  # the same, in versions before 2.1
    "TodoWrite": ToolKind.PLAN,
    "TaskCreate": ToolKind.PLAN,
    "TaskUpdate": ToolKind.PLAN,
    "TaskList": ToolKind.PLAN,
    "TaskGet": ToolKind.PLAN,
    "AskUserQuestion": ToolKind.ASK,
    "ExitPlanMode": ToolKind.ASK,
}
_OURS = re.compile(r"(?>mcp__.*?abreast).*__delegate")
_SUBJECTS = (
    *("command", "pattern", "file_path", "notebook_path", "path", "prompt", "question"),
    *("query", "url", "subject", "description", "skill", "taskId"),
)
_EXIT = re.compile(r"(?:<tool_use_error>|Error: )?Exit code (\d+)")
# What the CLI says of a call that it did not make. A command that was begun has its exit code. What
# it says when a person did not want the call is no sign: it says the same of one that was begun.
_REFUSED = re.compile(
    r"(?:been|was) (?:denied|blocked)|requires approval|haven't granted|hook error"
    r"|(?:^|>)(?:Error: )?(?:Blocked: |No such tool|InputValidationError)"
)
_FRONT = 400  # characters in which it has said so
_MOST = 500  # tasks of a plan
_NOTICE = re.compile(r"<(task-id|tool-use-id|status)>([\w-]{1,200})</\1>")


def called(at: float, block: Mapping[str, Any]) -> Called:
    """Return the call that a block of a reply makes."""
    name, given = as_text(block.get("name")), as_dict(block.get("input"))
    ours = _OURS.match(name)
    kind = ToolKind.DELEGATE if ours else _KINDS.get(name, ToolKind.OTHER)
    return Called(
        at=at,
        id=one_line(as_text(block.get("id"))),
        kind=kind,
        name=one_line(name),
        subject=one_line(_subject(given)),
        paths=tuple(map(cut, paths_of(given))),
    )


def _subject(given: Mapping[str, Any]) -> str:
    asked = [as_text(as_dict(one).get("question")) for one in as_list(given.get("questions"))]
    if any(asked):
        return " ".join(filter(None, asked))
    if plan := as_text(given.get("plan")):
        return f"Is this plan approved? {plan}"
    found = next((given[key] for key in _SUBJECTS if given.get(key)), "")
    return _shown(found) or ", ".join(f"{key}={_shown(given[key])}" for key in list(given)[:5])


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # nested too deeply
        return "…"


def returned(at: float, block: Mapping[str, Any], result: Any) -> Returned:
    """Return what a call returned. `result` is the CLI's own account of it, beside the message."""
    text, told = text_of(block.get("content")), as_dict(result)
    interrupted = told.get("interrupted") is True
    failed = block.get("is_error") is True or interrupted
    code = _code(text, told, failed=failed)
    ended = code is not None or interrupted or not failed
    return Returned(
        at=at,
        id=one_line(as_text(block.get("tool_use_id"))),
        failed=failed,
        code=code,
        size=len(text),
        text=cut(text),
        child=one_line(as_text(told.get("agentId"))),
        refused=not ended and _REFUSED.search(text, 0, _FRONT) is not None,
    )


def _code(text: str, told: Mapping[str, Any], *, failed: bool) -> int | None:
    """Return a command's exit code as far as it is told: that of a failed one, and 0."""
    if failed:
        stated = _EXIT.match(text)
        return int(stated[1]) if stated and len(stated[1]) < 10 else None
    ended = "stdout" in told and not told.get("backgroundTaskId")
    # Of a command that ends with 1 to say "nothing found" only that is told.
    return 0 if ended and not told.get("returnCodeInterpretation") else None


def notified(at: float, text: str) -> Returned | None:
    """Return what a background subagent handed back, from the notice of it; None if it is none."""
    if not text.startswith("<task-notification>"):
        return None
    named = dict(reversed(_NOTICE.findall(text)))  # the first of each: what follows is its report
    if "tool-use-id" not in named:
        return None
    return Returned(
        at=at,
        id=named["tool-use-id"],
        failed=named.get("status") != "completed",
        size=len(text),
        text=cut(text),
        child=named.get("task-id", ""),
    )


def text_of(content: Any) -> str:
    """Return the text in a message's content, whether it is plain or comes in parts."""
    if isinstance(content, str):
        return content
    parts = [as_dict(part) for part in as_list(content)]
    return "\n".join(as_text(part.get("text")) for part in parts if part.get("type") == "text")


class TodoList:
    """The agent's todo list, as the results of its calls change it."""

    def __init__(self) -> None:
        self._tasks: dict[str, tuple[str, bool]] = {}

    def result(self, at: float, result: Any) -> Planned | None:
        """Take what a call has done to one task, or the list of all."""
        told = as_dict(result)
        if todos := [as_dict(todo) for todo in as_list(told.get("newTodos"))]:
            # Written as a whole, by versions before 2.1.
            return _planned(at, ((_words(todo, "content"), _done(todo)) for todo in todos))
        created, listed = as_dict(told.get("task")), as_list(told.get("tasks"))
        if as_text(created.get("id")) and as_text(created.get("subject")):
            known = self._tasks.get(created["id"], ("", False))[1]
            self._tasks[created["id"]] = _words(created, "subject"), known
        elif listed:
            tasks = [as_dict(task) for task in listed[:_MOST]]
            self._tasks = {
                as_text(task.get("id")): (_words(task, "subject"), _done(task)) for task in tasks
            }
        elif as_text(told.get("taskId")) in self._tasks and "statusChange" in told:
            self._change(told["taskId"], as_text(as_dict(told["statusChange"]).get("to")))
        else:
            return None
        while len(self._tasks) > _MOST:
            self._tasks.pop(next(iter(self._tasks)))
        return _planned(at, self._tasks.values())

    def _change(self, task: str, state: str) -> None:
        if state == "deleted":
            del self._tasks[task]
        else:
            self._tasks[task] = self._tasks[task][0], state == "completed"


def _planned(at: float, items: Iterable[tuple[str, bool]]) -> Planned:
    return Planned(at, tuple(items)[:_MOST])


def _words(task: Mapping[str, Any], key: str) -> str:
    return one_line(as_text(task.get(key)))


def _done(task: Mapping[str, Any]) -> bool:
    return task.get("status") == "completed"
