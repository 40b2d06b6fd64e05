"""The tool calls of a Gemini CLI transcript (0.61.0): what they are for, and what came of them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from abreast.agents.gemini.records_shape import Record, dump, parts, safe_name
from abreast.agents.recorded import cut, seconds
from abreast.model.text import one_line
from abreast.model.transcript import Called, Planned, Returned, Said, ToolKind

_KINDS: Mapping[str, tuple[ToolKind, tuple[str, ...]]] = {
    "read_file": (ToolKind.READ, ("file_path", "absolute_path")),
    "read_many_files": (ToolKind.READ, ("include", "paths")),
    "list_directory": (ToolKind.SEARCH, ("dir_path", "path")),
    "glob": (ToolKind.SEARCH, ("pattern",)),
    "grep_search": (ToolKind.SEARCH, ("pattern",)),
    "search_file_content": (ToolKind.SEARCH, ("pattern",)),
    "write_file": (ToolKind.WRITE, ("file_path",)),
    "replace": (ToolKind.WRITE, ("file_path",)),
    "run_shell_command": (ToolKind.SHELL, ("command",)),
    "invoke_agent": (ToolKind.DELEGATE, ("prompt",)),
    "mcp_abreast_delegate": (ToolKind.DELEGATE, ("question",)),
    "mcp_abreast_delegate_many": (ToolKind.DELEGATE, ("questions",)),
    "write_todos": (ToolKind.PLAN, ()),
    "enter_plan_mode": (ToolKind.PLAN, ("reason",)),
    "exit_plan_mode": (ToolKind.ASK, ("plan_filename",)),
    "ask_user": (ToolKind.ASK, ("questions",)),
}
"""By tool: what it is for, and which argument, the first that is there, says what it is about."""

_PATHS = ("file_path", "absolute_path", "dir_path", "path", "include", "paths")
_ENDED = ("success", "error", "cancelled")
_LINE = 1_000  # characters of a subject

_SHELL = "run_shell_command"
_WRAP = re.compile(r"\A<untrusted_context>\n(.*)\n</untrusted_context>\Z", re.DOTALL)
_TRAILER = re.compile(
    r"(?:\nExit Code: (?P<code>-?\d{1,9}))?(?:\nSignal: (?P<signal>[^\n]*))?"
    r"(?:\nBackground PIDs: [^\n]*)?(?P<group>\nProcess Group PGID: \d+)?\Z"
)
_TAIL = 2_000  # the trailer is in the last characters of what a command returned
# A command that the CLI did not run to its end is a success to it.
_BLOCKED = "Blocked: "
_NOT_RUN = ("Command was cancelled", "Command was automatically cancelled")
_NOT_ANSWERED = "User dismissed ask_user"  # a success as well
_SUBAGENT = re.compile(r"\ASubagent .{0,200}? (?:failed\.|finished\.\nTermination Reason: (\w+))")


def read_calls(message: Record) -> Iterable[Record]:
    """Yield the tool calls of a message that have an id."""
    calls = message.get("toolCalls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(call.get("id"), str):
            yield call


def called(call: Record, at: float) -> Called:
    """Return a call; `at` is when its message was said: the CLI notes the end of a call only."""
    name, given = _string(call, "name"), _arguments(call)
    kind, keys = _KINDS.get(name, (ToolKind.OTHER, tuple(given)[:1]))
    subject = next((_line(given[key]) for key in keys if given.get(key)), "")
    if name == "exit_plan_mode":
        subject = f"Is this plan approved? {subject}"
    paths = tuple(path for key in _PATHS for path in _strings(given.get(key)))
    child = safe_name(call.get("agentId"))
    return Called(at, str(call["id"]), kind, name, subject, paths, child)


def planned(call: Record, at: float) -> Planned | None:
    """Return the todo list that a call sets; what was given up is no item any more."""
    todos = _arguments(call).get("todos") if call.get("name") == "write_todos" else None
    if not isinstance(todos, list):
        return None
    items = [(_string(todo, "description"), todo.get("status")) for todo in _records(todos)]
    return Planned(at, tuple((_line(t), s == "completed") for t, s in items if s != "cancelled"))


def concluded(call: Record, at: float) -> Said | None:
    """Return what a subagent ends with: it says so by a call."""
    result = _arguments(call).get("result") if call.get("name") == "complete_task" else None
    answer = result.get("response") if isinstance(result, dict) else result
    said = answer if isinstance(answer, str) else dump(result)
    return Said(at, by_user=False, text=cut(said)) if result else None


def returned(call: Record) -> Returned | None:
    """Return what came of a call, None while nothing has."""
    status, answers = call.get("status"), _answers(call)
    if status not in _ENDED:
        return None
    text = "\n".join(_text(answer) for answer in answers)
    failed = status != "success" or any("error" in answer for answer in answers)
    code, refused = None, status == "error" or "did not allow" in text[:_TAIL]
    name = _string(call, "name")
    if name == _SHELL and not failed:
        display = call.get("resultDisplay")
        refused = any(str(one).startswith(_BLOCKED) for one in (text, display))
        code, failed = (None, True) if refused else _outcome(text, display)
    elif name == "invoke_agent" and (found := _SUBAGENT.match(text)):
        failed = failed or found[1] != "GOAL"
    elif name == "ask_user":
        failed = failed or text.startswith(_NOT_ANSWERED)
    return Returned(
        at=seconds(call.get("timestamp")),
        id=str(call["id"]),
        failed=failed,
        code=code,
        size=len(text),
        text=cut(text),
        child=safe_name(call.get("agentId")),
        refused=failed and code is None and refused,
    )


def _outcome(text: str, display: Any) -> tuple[int | None, bool]:
    """Return a command's exit code, if it has one, and whether it failed.

    The code is part of the text that the model gets, after the command's own output, which may
    look the same; what is displayed is that output alone.
    """
    if text.startswith(_NOT_RUN):
        return None, True
    output = f"Output: {display}" if isinstance(display, str) else ""
    rest = text[len(output) :] if output and text.startswith(output) else text
    found = _TRAILER.search(rest[-_TAIL:])
    if found is None or found["signal"] is not None:
        return None, True
    if found["code"] is not None:
        return int(found["code"]), found["code"] != "0"
    ran = found["group"] is not None or text.startswith("Output: ")
    return (0 if ran else None), False


def _answers(call: Record) -> list[Record]:
    responses = (part.get("functionResponse") for part in parts(call.get("result")))
    answers = (one.get("response") for one in responses if isinstance(one, dict))
    return [answer for answer in answers if isinstance(answer, dict)]


def _text(answer: Record) -> str:
    said = next((answer[k] for k in ("output", "error") if isinstance(answer.get(k), str)), "")
    wrapped = _WRAP.match(said)
    return str(wrapped[1] if wrapped else said)


def _arguments(call: Record) -> Record:
    value = call.get("args")
    return value if isinstance(value, dict) else {}


def _records(values: list[Any]) -> list[Record]:
    return [value for value in values if isinstance(value, dict)]


def _string(record: Record, key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _strings(value: Any) -> list[str]:
    several = value if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, str)]


def _line(value: Any) -> str:
    """Return an argument on one line; of several questions, their texts."""
    if isinstance(value, list):
        texts = [_string(v, "question") if isinstance(v, dict) else v for v in value]
        value = "; ".join(text for text in texts if isinstance(text, str))
    return one_line(str(value), _LINE) if isinstance(value, str | int) else ""
