"""What the tools that Codex offers are for, and what came of a call."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abreast.agents.codex.records_lines import (
    command_of,
    exit_code,
    load_text,
    output_text,
    patched_files,
    printed,
    sort_command,
)
from abreast.agents.recorded import as_dict, as_text, cut
from abreast.model.text import one_line
from abreast.model.transcript import Called, Planned, Returned, ToolKind

CALLS = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"}
)
OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output", "tool_search_output"})
SCRIPT = "exec"  # newer models call the other tools from a script
_SHELLS = {
    "exec_command",
    "shell",
    "shell_command",
    "local_shell",
    "container.exec",
    "unified_exec",
}
_KINDS = {
    "spawn_agent": ToolKind.DELEGATE,
    "read_file": ToolKind.READ,
    "view_image": ToolKind.READ,
    "grep_files": ToolKind.SEARCH,
    "list_dir": ToolKind.SEARCH,
    "request_user_input": ToolKind.ASK,
}
_SUBJECTS = ("path", "file_path", "dir_path", "pattern", "query", "message", "prompt", "question")
_OURS = re.compile(r"abreast(?:__|\.|:|$)")
_FAILED = re.compile(
    r"patch rejected|apply_patch verification failed|exec_command failed|Script failed|aborted|"
    r"unsupported call|unsupported custom tool|failed to parse|tool call error|rejected by user|"
    r"request_user_input (?:was|is|can|requires) |"
    r"Wall time: [\d.]+ seconds\naborted"
)
# Of these, what says that the call was not made.
_REFUSED = re.compile(
    r"patch rejected|apply_patch verification failed|exec_command failed|unsupported call|"
    r"unsupported custom tool|failed to parse|(?:tool call error: )?.{0,200}(?:rejected by user|"
    r"requires approval|blocked by policy)"
)
_DONE = "completed"
_STEP = re.compile(
    r"""\bstep["']?\s*:\s*(["'`])((?:(?!\1)[^\\]|\\.){1,2000})\1\s*,\s*"""
    r"""["']?status["']?\s*:\s*["'`](\w+)"""
)
_UNESCAPED = re.compile(r"\\(.)")
_RUNNING = "Process running with session ID"


@dataclass(slots=True)
class Open:
    """A call without its output yet. `inner`: how much was printed by what its script called."""

    kind: ToolKind
    script: bool = False
    code: int | None = None
    failed: bool = False
    refused: bool = False
    child: str = ""
    inner: int = 0


def called(at: float, call: Mapping[str, Any]) -> Called:
    """Return the call that a record of the model's answer makes."""
    name, space = str(call.get("name") or call.get("type")), str(call.get("namespace") or "")
    given = _arguments(call)
    kind, subject, paths = _purpose(name, space, given)
    full = f"{space}.{name}" if space else name
    return Called(at, identity(call), kind, full, one_line(subject), paths)


def identity(call: Mapping[str, Any]) -> str:
    return str(call.get("call_id") or call.get("id") or "")


def planned(at: float, call: Mapping[str, Any]) -> Planned | None:
    """Return the plan that a call of `update_plan` sets."""
    steps = [(one_line(text), state == _DONE) for text, state in _steps(_arguments(call))]
    return Planned(at, tuple(steps)) if steps else None


def _steps(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the steps of a plan; a script has them as JavaScript."""
    if "update_plan" in (script := str(given.get("input", ""))):
        found = _STEP.findall(script.rpartition("update_plan")[2])
        return [(_UNESCAPED.sub(r"\1", text), state) for _, text, state in found]
    steps = given.get("plan")
    told = [one for one in steps if isinstance(one, Mapping)] if isinstance(steps, list) else []
    return [(str(one.get("step", "")), str(one.get("status", ""))) for one in told]


def returned(at: float, call: Mapping[str, Any], opened: Open | None) -> Returned:
    """Return what a call returned; the kind of call decides what counts as a failure."""
    text = output_text(call.get("output"))
    state = opened or Open(ToolKind.OTHER)
    code = exit_code(text)
    if code is None:
        code = state.code
    failed = state.failed or bool(code) or bool(_FAILED.match(text))
    if state.kind is ToolKind.SHELL and code is None and _RUNNING not in text[:500]:
        failed = True
    return Returned(
        at,
        identity(call),
        failed=failed,
        code=code,
        size=max(0, len(text) - state.inner),
        text="" if state.inner and not failed else cut(printed(text)),
        child=state.child or _spawned(text),
        refused=failed and code is None and (state.refused or bool(_REFUSED.match(text))),
    )


def item_called(at: float, item: Mapping[str, Any]) -> tuple[Called, Returned] | None:
    """Return a call that a script made, from the item that Codex recorded when it had ended."""
    name = _ITEMS.get(str(item.get("type")), "")
    if not name:
        return None
    if name == "mcp":
        name, space = str(item.get("tool")), f"mcp__{item.get('server')}"
        kind, subject, paths = _purpose(name, space, as_dict(item.get("arguments")))
        name = f"{space}.{name}"
    elif name == "apply_patch":
        paths = tuple(map(str, as_dict(item.get("changes"))))
        kind, subject = ToolKind.WRITE, ", ".join(paths)
    else:
        kind, subject, paths = _purpose(name, "", {"cmd": item.get("command")})
    text, code = item_text(item), item_code(item)
    call = Called(at, str(item.get("id")), kind, name, one_line(subject), paths)
    failed = bool(code) or item_failed(item)
    refused = code is None and item_refused(item)
    return call, Returned(at, call.id, failed, code, len(text), cut(text), refused=refused)


_ITEMS = {
    "CommandExecution": "exec_command",
    "FileChange": "apply_patch",
    "McpToolCall": "mcp",
}


def item_text(item: Mapping[str, Any]) -> str:
    """Return what came of an item."""
    if item.get("type") == "CommandExecution":
        return str(item.get("aggregated_output") or "")
    if item.get("type") == "FileChange":
        return f"{item.get('stdout') or ''}{item.get('stderr') or ''}"
    error, result = as_dict(item.get("error")), as_dict(item.get("result"))
    return str(error.get("message") or "") or output_text(result.get("content"))


def item_code(item: Mapping[str, Any]) -> int | None:
    code = item.get("exit_code")
    return code if type(code) is int else None


def item_failed(item: Mapping[str, Any]) -> bool:
    return as_text(item.get("status")) in {"failed", "declined"}


def item_refused(item: Mapping[str, Any]) -> bool:
    return item.get("status") == "declined"


def item_child(item: Mapping[str, Any]) -> str:
    """Return the session of the sub-agent that an item is about, if it is about one."""
    receivers = item.get("receiver_thread_ids")
    if isinstance(receivers, list) and len(receivers) == 1:
        return str(receivers[0])
    return str(item.get("agent_thread_id") or "")


def _purpose(
    name: str, space: str, given: Mapping[str, Any]
) -> tuple[ToolKind, str, tuple[str, ...]]:
    """Return kind, subject and paths of a call."""
    if name in _SHELLS:
        command = command_of(given.get("cmd") or given.get("command"))
        kind, paths = sort_command(command)
        return kind, command, paths
    if name == "update_plan":
        at_work = [text for text, state in _steps(given) if state == "in_progress"]
        return ToolKind.PLAN, next(iter(at_work), ""), ()
    if name == "apply_patch":
        patch = str(given.get("input", ""))
        paths = patched_files(patch)
        return ToolKind.WRITE, ", ".join(paths) or patch, paths
    subject = next((str(given[key]) for key in _SUBJECTS if given.get(key)), "")
    subject = subject or str(given.get("input") or "") or _questions(given) or _compact(given)
    kind = _KINDS.get(name, ToolKind.OTHER)
    if (name.startswith("delegate") and _OURS.search(space)) or _ours(name):
        kind = ToolKind.DELEGATE
    paths = (subject,) if kind is ToolKind.READ and subject else ()
    return kind, subject, paths


def _ours(name: str) -> bool:
    """Return whether it is our own tool, by the long name that older versions give it."""
    server, _, tool = name.rpartition("__")
    return server.endswith("abreast") and tool.startswith("delegate")


def _arguments(call: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(call.get("input"), str):
        return {"input": call["input"]}
    if isinstance(call.get("action"), Mapping):
        return as_dict(call["action"])
    arguments = call.get("arguments")
    return arguments if isinstance(arguments, Mapping) else load_text(arguments)


def _questions(given: Mapping[str, Any]) -> str:
    asked = given.get("questions")
    texts = [as_dict(one).get("question") for one in asked] if isinstance(asked, list) else []
    return "; ".join(text for text in texts if isinstance(text, str))


def _compact(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in list(given.items())[:5])


def _spawned(text: str) -> str:
    return str(load_text(text).get("agent_id") or "") if text.startswith('{"agent_id"') else ""
