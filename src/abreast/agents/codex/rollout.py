"""What Codex's own record of a session (its rollout file) adds to the stream.

The stream of `codex exec --json` leaves out a command that the sandbox denied and a patch that was
refused, and it names neither the model nor the number of requests. The record has them all.
"""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abreast.agents.codex.records_lines import (
    ENDINGS,
    exit_code,
    load_record,
    load_text,
    patched_files,
)
from abreast.agents.recorded import count, record_lines
from abreast.model.text import one_line
from abreast.model.usage import Usage
from abreast.process.folders import matching, written

# A file system mounted read-only, or a system call refused, says one of these.
_SANDBOX = re.compile(r"read-only file system|operation not permitted", re.IGNORECASE)
_REFUSED = re.compile(
    r"patch rejected|rejected by user|reject command|blocked by policy|"
    r"requires approval, but approval policy is never",
    re.IGNORECASE,
)


_MOST = 10_000  # telling lines that are remembered
_LINE = 300  # characters of one


@dataclass
class Rollout:
    """The newest turn of a session. `denials` maps what was tried to why it was refused.

    `usage` is the session's total, earlier turns included, `own` that of this turn, which began at
    `before`; sub-agents keep records of their own.
    `start_up` is the input of the turn's first request, `context` input and output of its last.
    """

    model: str = ""
    turns: int = 0
    start_up: int | None = None
    context: int | None = None
    reads_only: bool = False  # the sandbox lets nothing be written
    usage: Usage = field(default_factory=Usage)
    own: Usage = field(default_factory=Usage)
    before: Usage = field(default_factory=Usage)
    denials: dict[str, str] = field(default_factory=dict)

    def next_turn(self) -> "Rollout":
        """Return what is known when another turn begins."""
        return Rollout(model=self.model, usage=self.usage, before=self.usage)

    def total(self, stated: Any) -> None:
        """Take a running total into account; versions before 0.150 write nothing else."""
        total = read_usage(stated, "transcript")
        if not self.turns and total != Usage():
            self.usage, self.own = total, total.beyond(self.before)

    def count(self, record: Mapping[str, Any]) -> None:
        """Take a request's usage into account."""
        self.turns += 1
        self.usage = read_usage(record.get("thread_token_usage"), "transcript")
        request = read_usage(record.get("usage"), "transcript")
        if self.turns == 1:
            self.start_up = request.input_tokens
        if request == Usage():
            self.own = self.usage.beyond(self.before)
        else:  # their sum: a process that is killed may not have come to write its last total
            self.own = request if self.turns == 1 else self.own + request
        told = request.input_tokens, request.output_tokens
        self.context = None if None in told else sum(n for n in told if n is not None)


@dataclass
class _Calls:
    """The calls of one turn by id, and telling lines of commands that ended well."""

    labels: dict[str, str] = field(default_factory=dict)
    scripts: set[str] = field(default_factory=set)
    printed: dict[str, None] = field(default_factory=dict)

    def opened(self, call: Mapping[str, Any]) -> None:
        name = str(call.get("call_id"))
        self.labels[name] = _label(call)
        if call.get("name") == "exec":
            self.scripts.add(name)

    def ended_well(self, output: str) -> None:
        if len(self.printed) < _MOST:
            self.printed.update(dict.fromkeys(telling(output, ran=True)))

    def refusal(self, call: Mapping[str, Any]) -> dict[str, str]:
        """Return what was tried and why it was refused, from a call's output; else nothing.

        Newer models call tools from a script, which prints what it likes, so there a telling line
        counts unless a command that ended well has printed it.
        """
        name, output = str(call.get("call_id")), _text(call.get("output"))
        if name in self.scripts:
            why = find_denial(output, ran=True, but_not=self.printed)
            why = why or find_denial(output, ran=False)
        else:
            why = denial(output)
        return {self.labels.get(name, name): why} if why else {}


def find_rollout(home: Path, thread: str, *, archived: bool = False) -> Path | None:
    """Return the record of session `thread` under Codex's `home`, or None.

    With `archived`, also one that was put away.
    """
    if not re.fullmatch(r"[\w-]+", thread):
        return None
    name = f"rollout-*-{thread}.jsonl*"  # Codex compresses some
    folders = ("sessions/*/*/*", "archived_sessions") if archived else ("sessions/*/*/*",)
    found = (path for folder in folders for path in matching(home, f"{folder}/{name}"))
    return max((one for one in found if one.name.endswith(ENDINGS)), default=None)


def newest_thread(home: Path, worktree: Path, since: float) -> str:
    """Return the newest session that a person or we began in `worktree`, changed since then."""
    for path in sorted(matching(home, "sessions/*/*/*/rollout-*.jsonl"), reverse=True):
        if written(path) < since:
            continue
        kind, meta = next(_records(path), ("", {}))
        here = kind == "session_meta" and meta.get("cwd") == str(worktree)
        if here and isinstance(meta.get("source"), str):  # a sub-agent's is a table
            return str(meta.get("id"))
    return ""


def load_rollout(home: Path, thread: str) -> Rollout | None:
    """Read the record of session `thread` under Codex's `home`; None when there is none."""
    path = find_rollout(home, thread, archived=True)
    if path is None:
        return None
    rollout, calls = Rollout(), _Calls()
    for kind, payload in _records(path):
        match kind, payload.get("type"):
            case "event_msg", "task_started":
                rollout, calls = rollout.next_turn(), _Calls()
            case "event_msg", "token_count":
                info = payload.get("info")
                rollout.total(info.get("total_token_usage") if isinstance(info, dict) else None)
            case "event_msg", "item_completed":
                calls.ended_well(_printed(payload.get("item")))
            case "turn_context", _:
                rollout.model = str(payload.get("model") or "")
                rollout.reads_only = payload.get("sandbox_policy") == {"type": "read-only"}
            case "token_usage_record", _:
                rollout.count(payload)
            case "response_item", "function_call" | "custom_tool_call":
                calls.opened(payload)
            case "response_item", "function_call_output" | "custom_tool_call_output":
                rollout.denials.update(calls.refusal(payload))
    return rollout


def denial(output: str) -> str:
    """Return the line of a tool's output that says it was denied; "" when it was not.

    A tool that ended well was not: what it printed may be anybody's words. "Permission denied" is
    no sign either, it also means a file that is not executable.
    """
    ended = exit_code(output)
    return "" if ended == 0 else find_denial(output, ran=ended is not None)


def find_denial(output: str, *, ran: bool, but_not: Container[str] = ()) -> str:
    """Return the telling line of a failed tool's output; `ran`: it was started at all."""
    return next((line for line in telling(output, ran=ran) if line not in but_not), "")


def telling(output: str, *, ran: bool) -> Iterator[str]:
    """Yield the lines of an output that tell of a denial, each cut short."""
    pattern = _SANDBOX if ran else _REFUSED
    return (line.strip()[:_LINE] for line in output.splitlines() if pattern.search(line))


def read_usage(counts: Any, source: str) -> Usage:
    """Return Codex's counts as usage, empty when there are none; input includes cached input."""
    if not isinstance(counts, Mapping):
        return Usage()
    return Usage(
        input_tokens=count(counts.get("input_tokens")),
        cached_tokens=count(counts.get("cached_input_tokens")),
        output_tokens=count(counts.get("output_tokens")),
        source=source,
    )


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield kind and content of each line; the last may be torn, any may be of a later version."""
    for line in record_lines(path, []):
        if (record := load_record(line)) is not None:
            yield record.kind, record.payload


def _label(call: Mapping[str, Any]) -> str:
    """Return a tool call as the stream would have told it."""
    if call.get("type") == "custom_tool_call":
        files = patched_files(str(call.get("input", "")))
        if call.get("name") == "exec" or not files:
            return one_line(f"{call.get('name')} {call.get('input', '')}")
        return one_line(f"edit {', '.join(files)}")
    arguments = load_text(call.get("arguments"))
    command = arguments.get("cmd") or arguments.get("command")
    return one_line(f"$ {command}") if isinstance(command, str) else str(call.get("name"))


def _printed(item: Any) -> str:
    ended_well = isinstance(item, dict) and item.get("exit_code") == 0
    return str(item.get("aggregated_output", "")) if ended_well else ""


def _text(output: Any) -> str:
    """Return an output as text; a script's parts are opened when they hold a command's result."""
    if isinstance(output, list):
        return "\n".join(_text(part) for part in output)
    if not isinstance(output, Mapping):
        return str(output or "")
    text = str(output.get("text", ""))
    result = load_text(text)
    if "exit_code" not in result:
        return text
    return str(result.get("output", "")) if result["exit_code"] else ""
