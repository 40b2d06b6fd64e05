"""Reads `codex exec --json` (tried with 0.169.0) and judges it at the end.

What the stream does not tell, the rollout file does; see `rollout`.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from abreast.agents.codex.failures import classify, last_words, plain
from abreast.agents.codex.rollout import (
    Rollout,
    denial,
    find_denial,
    load_rollout,
    read_usage,
)
from abreast.agents.lines import load_line
from abreast.agents.recorded import as_dict, as_list, as_text, stated_reset
from abreast.model.cause import Cause
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.question import Question
from abreast.model.text import one_line
from abreast.model.usage import Usage

_TOOLS = frozenset({"command_execution", "file_change", "mcp_tool_call", "collab_tool_call"})
_TOOLS |= {"web_search"}
_FOLDERS = "it wants to write there; Codex is allowed whole folders only, with all in them"
_WHOLE = 180  # characters of a label
_SHELLS = frozenset({"bash", "sh", "zsh"})
_WRAPPED = re.compile(r"(?:/[\w.-]+)*/?(?:bash|sh|zsh) -l?c ['\"]")
_LONGEST = 10_000  # characters
_READS = "a child that only reads may write nothing, not even temporary files"
_WRITES = "Codex may write in the worktree and the temporary folder only"


class CodexReader:
    """One process's stream. A line can exceed a megabyte: it carries a command's whole output.

    Codex states the session's running total, earlier turns of a resumed session counted in (and
    sub-agents not at all: they are off). What this process alone has used is in the rollout file;
    only without that the verdict has the total. Codex states no cost. Requests are not told in the
    stream; `Event.turns` counts what must have been one, the verdict what the file says.
    """

    def __init__(self, home: Path) -> None:
        self.skipped = 0
        self._home = home
        self._thread = ""
        self._final = ""
        self._answer: list[str] = []  # all that was said since the last tool call
        self._usage = Usage()
        self._turns = 0
        self._answered = True  # the next thing said or called is a new reply of the model
        self._worked = False  # a tool was called
        self._completed = False
        self._failure = ""
        self._denials: dict[str, str] = {}

    def feed(self, line: bytes) -> Iterable[Event]:
        try:
            data = as_dict(load_line(line))
        except ValueError:
            data = {}
        found = self._read(data)
        self.skipped += found is None and bool(line.strip())
        return found or ()

    def _read(self, data: Mapping[str, Any]) -> list[Event] | None:
        """Return the events on a line; None when it has not the shape of any that we know."""
        match data.get("type"):
            case "item.started" | "item.updated" | "item.completed" as stage:
                return self._item(as_dict(data.get("item")), done=stage == "item.completed")
            case "thread.started" if thread := as_text(data.get("thread_id")):
                self._thread = thread
                return [Event(EventKind.STARTED, thread)]
            case "error" if message := plain(as_text(data.get("message"))):
                again = message.startswith("Reconnecting")
                return [Event(EventKind.RETRY if again else EventKind.ERROR, message)]
            case "turn.completed" | "turn.failed":
                return [self._result(data)]
            case "turn.started":
                return []
        return None

    def _result(self, data: Mapping[str, Any]) -> Event:
        self._completed = data["type"] == "turn.completed"
        if self._completed:
            self._failure = ""
            self._usage = read_usage(data.get("usage"), "stream")
            return Event(EventKind.RESULT, self._final, usage=self._used(self._rollout()))
        said = as_text(as_dict(data.get("error")).get("message"))
        self._failure = plain(said) or "it failed"
        return Event(EventKind.RESULT, self._failure, failed=True)

    def _item(self, item: Mapping[str, Any], *, done: bool) -> list[Event] | None:
        kind = as_text(item.get("type"))
        if kind in _TOOLS:
            return self._tool(item, done=done)
        if kind and (not done or kind == "todo_list"):
            return []
        said = as_text(item.get("text"))
        match kind:
            case "agent_message" if "text" in item:
                self._final = said
                self._answer.append(said)
                return [Event(EventKind.TEXT, said, turns=self._reply())]
            case "reasoning" if "text" in item:
                return [Event(EventKind.THOUGHT, said, turns=self._reply())]
            case "error" if "message" in item:
                return [Event(EventKind.WARNING, as_text(item["message"]))]
        return None

    def _tool(self, item: Mapping[str, Any], *, done: bool) -> list[Event]:
        label = _label(item)
        self._worked = True
        self._answer.clear()
        if not done:
            files = tuple(filter(None, _changed(item)))
            return [Event(EventKind.TOOL, label, files=files, turns=self._reply())]
        self._answered = True
        failed = item.get("status") is not None and as_text(item["status"]) != "completed"
        events = [Event(EventKind.TOOL_DONE, label, failed=failed)]
        if failed and (why := _denial(item)):
            self._denials[label] = why
            events.append(Event(EventKind.DENIED, f"{label}: {why}"))
        return events

    def _reply(self) -> int:
        """Return 1 for the first sign of a new reply of the model, else 0."""
        new, self._answered = int(self._answered), False
        self._turns += new
        return new

    def used(self) -> Usage:
        return self._used(self._rollout())

    def _used(self, rollout: Rollout | None) -> Usage:
        return rollout.own if rollout is not None and rollout.own != Usage() else self._usage

    def _rollout(self) -> Rollout | None:
        """Return this process's turn by the CLI's record.

        Before it has replied, the newest turn there may be that of an earlier process.
        """
        begun = self._turns or self._completed or self._failure
        return load_rollout(self._home, self._thread) if begun else None

    def verdict(self, code: int | None, stderr: str) -> Verdict:
        rollout = self._rollout()
        denials = self._all_denials(rollout, stderr)
        outcome, reason, cause, hint = self._judge(code, stderr, denials)
        if outcome is Outcome.BLOCKED:
            hint = _READS if rollout is not None and rollout.reads_only else _WRITES
        usage, model = self._used(rollout), rollout.model if rollout is not None else ""
        return Verdict(
            outcome,
            reason,
            hint,
            cause,
            final_message=self._final,
            cli_session=self._thread or None,
            usage=usage,
            usage_by_model={model: usage} if model and usage.source != "none" else {},
            denials=denials,
            refused=tuple(_refused(denials)),
            turns=rollout.turns if rollout is not None else self._turns,
            answer="\n".join(self._answer),
            start_up=rollout.start_up if rollout is not None else None,
            context=rollout.context if rollout is not None else None,
            until=stated_reset(cause, reason),
        )

    def _judge(
        self, code: int | None, stderr: str, denials: tuple[str, ...]
    ) -> tuple[Outcome, str, Cause, str | None]:
        if self._failure:
            return Outcome.FAILED, self._failure, *classify(self._failure)
        if self._completed and denials:
            return Outcome.BLOCKED, f"denied: {denials[0]}", Cause.OTHER, None
        if self._completed and code == 0 and not (self._final or self._worked):
            return Outcome.FAILED, "the model neither said nor did anything", Cause.OTHER, None
        if self._completed and code == 0:
            return Outcome.OK, "", Cause.NONE, None
        said = last_words(stderr)
        if self._thread or not code:
            how = "after its result" if self._completed else "without a result"
            reason = f"it ended {how} (exit code {code})"
            return Outcome.UNKNOWN, f"{reason}: {said}" if said else reason, Cause.OTHER, None
        return Outcome.FAILED, said or f"it did not start (exit code {code})", *classify(said)

    def _all_denials(self, rollout: Rollout | None, stderr: str) -> tuple[str, ...]:
        """Return the denials in the record and on standard error; only the latter has patches."""
        found = dict(self._denials)
        if rollout is not None:
            known = {*found.values()}
            told = {k: why for k, why in rollout.denials.items() if why not in known}
            found = {**told, **found}
        elif refused := find_denial(stderr, ran=False):
            found["tool"] = refused
        return tuple(f"{label}: {why}" for label, why in found.items())


def _refused(denials: Iterable[str]) -> Iterable[Question]:
    """Return what a person could allow of these: the folder of a file that it names in full.

    The sandbox mounts what is there, so a file that is not could not be allowed alone.
    """
    folders: dict[str, None] = {}
    for one in denials:
        path = one.partition(": ")[0].removeprefix("edit ")
        whole = len(path) < _WHOLE  # else its end may be cut off
        if one.startswith("edit /") and ", " not in path and whole:
            folders[str(PurePosixPath(path).parent)] = None
    return (Question.of_call("write in", folder, _FOLDERS) for folder in folders)


def _label(item: Mapping[str, Any]) -> str:
    match item["type"]:
        case "command_execution":
            return one_line(f"$ {_unwrap(as_text(item.get('command')))}")
        case "file_change":
            return one_line(
                f"edit {', '.join(PurePosixPath(path).name for path in _changed(item))}"
            )
        case "mcp_tool_call":
            return one_line(f"{as_text(item.get('server'))}.{as_text(item.get('tool'))}")
        case "web_search":
            return one_line(f"search {as_text(item.get('query'))}")
    return one_line(f"subagent {as_text(item.get('tool'))}")


def _changed(item: Mapping[str, Any]) -> list[str]:
    changes = (as_dict(change) for change in as_list(item.get("changes")))
    return [as_text(change.get("path")) for change in changes]


def _unwrap(command: str) -> str:
    """Return the command that Codex handed to a shell as `/bin/bash -c '…'`.

    Of a long one only what comes first is there to be shown, so its quotes stay in it.
    """
    if len(command) > _LONGEST:  # shlex takes time by the square of a word's length
        begins = _WRAPPED.match(command)
        return command[begins.end() :] if begins else command
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    wrapped = len(words) == 3 and PurePosixPath(words[0]).name in _SHELLS
    return words[2] if wrapped and words[1] in {"-c", "-lc"} else command


def _denial(item: Mapping[str, Any]) -> str:
    """Return why a failed tool was denied; "" when it simply failed."""
    if item["type"] == "command_execution":
        return find_denial(as_text(item.get("aggregated_output")), ran=True)
    return denial(as_text(as_dict(item.get("error")).get("message")))
