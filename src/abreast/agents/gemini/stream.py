"""Gemini CLI's `stream-json` output, read line by line and judged at its end (0.61.0)."""

import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path, PurePosixPath
from typing import Any

from abreast.agents.gemini.failure import Judgement, judge_end, judge_failure, plain
from abreast.agents.gemini.home import REFUSED
from abreast.agents.gemini.profile import CHANGING, HEARD
from abreast.agents.gemini.records_usage import ReplyUsage, replies
from abreast.agents.lines import load_line
from abreast.agents.recorded import as_dict, as_text, count, stated_reset
from abreast.model.cause import Cause
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.question import Question
from abreast.model.text import one_line
from abreast.model.usage import Usage

Line = Mapping[str, Any]

_LOOP = "Loop detected"
_OUTSIDE = "Path not in workspace"
_FOLDERS = "it wants to write there; Gemini CLI is allowed whole folders only, with all in them"
_BY_POLICY = "Tool execution denied by policy."
_ASKS = "requires user confirmation"
_SUBSTITUTION = "Blocked: command substitution"
_ABSENT = "tool_not_registered"
_LETTER = f"Agent execution blocked: {HEARD}"


class GeminiReader:
    """Reads one process's output.

    The CLI states usage once, with its result, and for this process alone: after a resume the
    tokens of earlier processes are not in it. A reply cut off by MAX_TOKENS after some text is
    reported by the CLI as a success, and cannot be told from one here.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.skipped = 0
        self._home = home
        self._session: str | None = None
        self._begun = ""  # by the CLI's clock
        self._result: Line | None = None
        # In fragments, of which there may be a million: a text would be copied for each.
        self._text: list[str] = []  # of the last reply that said anything
        self._answer: list[str] = []  # all that was said since the last tool call
        self._said_in = 0  # the number of that reply
        self._pending: list[str] = []  # said, but not yet told as an event
        self._in_reply = False
        self._turns = 0  # replies begun
        self._told = 0  # of these, in events
        self._calls: dict[str, tuple[str, str]] = {}  # tool name and short line, by call id
        self._denials: list[str] = []
        self._outside: dict[str, None] = {}  # folders that it wanted to write in, in this order
        self._paths: dict[str, str] = {}  # of the files that its calls change, by the call's id
        self._errors: list[str] = []
        self._looped = False

    def feed(self, line: bytes) -> Iterable[Event]:
        if not line.strip():
            return []
        try:
            value = load_line(line)
        except ValueError:
            self.skipped += 1
            return []
        kind = value.get("type") if isinstance(value, dict) else None
        read = getattr(self, f"_on_{kind}") if str(kind) in _KINDS else None
        if read is None:
            self.skipped += 1
            return []
        return list(read(value))

    def _on_init(self, line: Line) -> Iterable[Event]:
        self._session = str(line.get("session_id", "")) or None
        self._begun = str(line.get("timestamp", ""))
        yield Event(EventKind.STARTED, self._session or "")

    def _on_message(self, line: Line) -> Iterable[Event]:
        if line.get("role") != "assistant":
            return
        self._begin_reply()
        said = as_text(line.get("content"))
        if self._said_in != self._turns:
            self._said_in, self._text = self._turns, []
        for told in (self._text, self._answer, self._pending):
            told.append(said)
        yield from ()

    def _on_tool_use(self, line: Line) -> Iterable[Event]:
        name = as_text(line.get("tool_name"))
        if not name:
            self.skipped += 1
            return
        self._begin_reply()
        self._answer = []
        yield from self._flush()
        parameters = as_dict(line.get("parameters"))
        call = _call_line(name, parameters)
        self._calls[str(line.get("tool_id", ""))] = (name, call)
        files = _files(name, parameters)
        self._paths.update({str(line.get("tool_id", "")): path for path in files})
        yield Event(EventKind.TOOL, call, files=files, turns=self._owed())

    def _on_tool_result(self, line: Line) -> Iterable[Event]:
        self._in_reply = False
        yield from self._flush()
        name, call = self._calls.get(str(line.get("tool_id", "")), ("", "a tool"))
        if line.get("status") == "success":
            blocked = str(line.get("output") or "").startswith(_SUBSTITUTION)
            yield Event(EventKind.TOOL_DONE, call, failed=blocked)
            if blocked:  # by its form, in every mode; the model is told and asks otherwise
                yield Event(EventKind.WARNING, f"{call}: the CLI refuses command substitution")
            return
        error = as_dict(line.get("error"))
        message = str(error.get("message") or line.get("output") or "")
        yield Event(EventKind.TOOL_DONE, f"{call}: {one_line(message)}", failed=True)
        if why := _refusal(name, str(error.get("type", "")), message):
            self._denials.append(f"{call}: {why}")
            path = PurePosixPath(self._paths.get(str(line.get("tool_id", "")), ""))
            if why == _NOT_HERE and path.is_absolute():
                self._outside[str(path.parent)] = None
            yield Event(EventKind.DENIED, self._denials[-1])

    def _on_error(self, line: Line) -> Iterable[Event]:
        yield from self._flush()
        message = str(line.get("message", ""))
        if message == _LETTER:  # the model goes on for it; that is no warning
            self._in_reply = False
            self._answer.append("\n")
            return
        if line.get("severity") == "warning":
            self._looped = self._looped or _LOOP in message
            yield Event(EventKind.WARNING, one_line(message))
            return
        self._errors.append(message)
        yield Event(EventKind.ERROR, one_line(message))

    def _on_result(self, line: Line) -> Iterable[Event]:
        yield from self._flush()
        self._result = line
        failed = line.get("status") != "success"
        text = one_line(_message(line) if failed else "".join(self._text))
        yield Event(EventKind.RESULT, text, failed=failed, turns=self._owed(), usage=_total(line))

    def _begin_reply(self) -> None:
        if not self._in_reply:
            self._in_reply = True
            self._turns += 1

    def _owed(self) -> int:
        """Return 1 for the first event of a model reply, else 0."""
        owed, self._told = self._turns - self._told, self._turns
        return owed

    def _flush(self) -> Iterable[Event]:
        """Yield the text since the last event as one; the CLI sends it in fragments."""
        text, self._pending = "".join(self._pending).strip(), []
        if text:
            yield Event(EventKind.TEXT, text, turns=self._owed())

    def used(self) -> Usage:
        return _sum(_summed(self._replies()).values())

    def verdict(self, code: int | None, stderr: str) -> Verdict:
        """Judge the stream; only a result line that says success is one (a signal exits 0)."""
        outcome, cause, reason, hint = self._judge(code, stderr)
        said = self._replies()
        by_model = _by_model(self._result, said) if self._result is not None else _summed(said)
        return Verdict(
            outcome=outcome,
            reason=reason,
            hint=hint,
            cause=cause,
            final_message="".join(self._text).strip(),
            cli_session=self._session,
            usage=_sum(by_model.values()) if self._result is None else _total(self._result, said),
            usage_by_model=by_model,
            denials=tuple(self._denials),
            refused=tuple(Question.of_call("write in", one, _FOLDERS) for one in self._outside),
            turns=self._turns,
            answer="".join(self._answer).strip(),
            start_up=said[0].usage.input_tokens if said else None,
            context=_held(said[-1].usage) if said else None,
            until=stated_reset(cause, reason),
        )

    def _replies(self) -> list[ReplyUsage]:
        """Return this process's replies by the CLI's record: the stream has totals only."""
        if self._home is None or not self._session or not self._begun:
            return []
        return replies(self._home, self._session, self._begun)

    def _judge(self, code: int | None, stderr: str) -> Judgement:
        if self._result is None:
            return judge_end(code, stderr)
        if self._result.get("status") != "success":
            said = _message(self._result) or next(reversed(self._errors), "")
            return judge_failure(code, said or "it failed without saying why")
        if self._looped or not self._turns:
            what = "repeated itself and was stopped" if self._looped else "was not asked, or mute"
            return Outcome.FAILED, Cause.OTHER, f"the model {what}", None
        if self._denials:
            hint = "change the task to do without it, or go on by hand: abreast attach SESSION"
            return Outcome.BLOCKED, Cause.NONE, f"was denied: {self._denials[0]}", hint
        if code not in {0, None}:
            said = f"reported success, but exited with code {code}"
            return Outcome.FAILED, Cause.OTHER, said, None
        return Outcome.OK, Cause.NONE, "", None


_NOT_HERE = "outside the worktree"
_KINDS = frozenset({"init", "message", "tool_use", "tool_result", "error", "result"})


def _refusal(name: str, kind: str, message: str) -> str:
    """Return why the CLI refused a call, or "" when the tool merely failed."""
    if kind == "path_not_in_workspace" or _OUTSIDE in message:
        return _NOT_HERE
    if kind == "policy_violation":
        return one_line(message.removeprefix(_BY_POLICY).strip() or "against the policy")
    if _ASKS in message:
        return "would need a person's consent"
    # A name that no version of the CLI knows is the model's invention, not a denial.
    if kind != _ABSENT:
        return ""
    if name in CHANGING:
        return "it may only read"
    return "sessions go without this tool" if name in REFUSED else ""


def _call_line(name: str, parameters: Line) -> str:
    verb, key = _LINES.get(name, (name, ""))
    subject = parameters.get(key) if key else next(iter(parameters.values()), "")
    return one_line(f"{verb} {subject}" if subject else verb)


_LINES = {
    "write_file": ("write", "file_path"),
    "replace": ("edit", "file_path"),
    "read_file": ("read", "file_path"),
    "run_shell_command": ("run", "command"),
    "list_directory": ("list", "dir_path"),
    "glob": ("find", "pattern"),
    "grep_search": ("search", "pattern"),
}


def _files(name: str, parameters: Line) -> tuple[str, ...]:
    path = parameters.get("file_path")
    return (str(path),) if name in {"write_file", "replace"} and path else ()


def _message(result: Line) -> str:
    error = result.get("error")
    return plain(str(error.get("message", ""))) if isinstance(error, Mapping) else ""


def _total(result: Line, said: Iterable[ReplyUsage] = ()) -> Usage:
    stats = result.get("stats")
    tool = sum(reply.tool for reply in said)
    return _usage(stats, tool) if isinstance(stats, Mapping) else Usage()


def _summed(said: Iterable[ReplyUsage]) -> dict[str, Usage]:
    models: dict[str, Usage] = {}
    for reply in said:
        models[reply.model] = models.get(reply.model, Usage()) + reply.usage
    return models


def _held(usage: Usage) -> int:
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)


def _sum(parts: Iterable[Usage]) -> Usage:
    return reduce(operator.add, parts, Usage())


def _by_model(result: Line, said: Iterable[ReplyUsage]) -> dict[str, Usage]:
    """Return the usage of each model that spent tokens, the CLI's own router included."""
    stats = result.get("stats")
    models = stats.get("models") if isinstance(stats, Mapping) else None
    if not isinstance(models, Mapping):
        return {}
    tool = Counter[str]()
    for reply in said:
        tool[reply.model] += reply.tool
    usage = {n: _usage(of, tool[n]) for n, of in models.items() if isinstance(of, Mapping)}
    return {name: of for name, of in usage.items() if of.input_tokens or of.output_tokens}


def _usage(stats: Line, tool: int) -> Usage:
    """Return what statistics state. Thoughts, and what tools put into prompts, are in the total.

    `tool` is how much of it the latter are: the record tells.
    """
    total, given, said = (
        _count(stats, k) for k in ("total_tokens", "input_tokens", "output_tokens")
    )
    prompt = given + min(tool, max(0, total - given - said))
    return Usage(prompt, _count(stats, "cached"), max(said, total - prompt), None, "stream")


def _count(stats: Line, key: str) -> int:
    return count(stats.get(key)) or 0
