"""What Claude Code's stream-json output says, event by event, and how it is judged at the end."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from abreast.agents.base import StreamReader
from abreast.agents.claude import asking
from abreast.agents.claude.outcome import ClaudeAnswer, ClaudeBill, Judgement, classify, wrong_shape
from abreast.agents.claude.profile import STRUCTURED
from abreast.agents.claude.records_usage import (
    READERS,
    SYNTHETIC,
    WRITERS,
    Written,
    paths_of,
    written,
)
from abreast.agents.lines import load_line
from abreast.agents.recorded import amount, as_dict, as_list, stated_reset
from abreast.model.cause import Cause
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.question import Decision, Question
from abreast.model.text import one_line
from abreast.model.usage import Usage

_KNOWN_TYPES = frozenset(
    {
        *("system", "assistant", "user", "result", "stream_event", "tool_progress"),
        *("rate_limit_event", "control_request", "control_cancel_request"),
    }
)
# What a tool that would write or run something answers when the session was not given it.
# In the words of 2.1.330 and of 2.1.197.
_WITHHELD = re.compile(
    r"No such tool available: (\w+)\. \1 (?:is disabled for this session|exists but is not enabled)"
)
_DENIED_HINT = (
    "a session may edit only inside its worktree and may not push; bring what it needs into the "
    "worktree (`setup`, `.worktreeinclude`) or tell it in the prompt to do without"
)


class ClaudeReader(StreamReader):
    """Reads one `claude -p --output-format stream-json` process.

    Tokens and cost are those of this process alone, also when it resumed an earlier session.
    """

    def __init__(self, config: Path | None = None) -> None:
        self.skipped = 0
        self._config = config
        self._cwd = ""
        self._session: str | None = None
        self._bill = ClaudeBill()
        self._lines: dict[str, str] = {}  # of tool calls, by their id
        self._denials: dict[str, str] = {}  # by the id of the refused call
        self._requests: dict[str, Mapping[str, Any]] = {}  # that wait for an answer, by their id
        self._answered: set[str] = set()  # ids of the calls that a person has refused
        self._said = ""
        self._answer = ClaudeAnswer()
        self._error = ""  # the CLI's word for the API error that it last reported
        self._result: Mapping[str, Any] | None = None
        self._resets: float | None = None  # when the limit does that it has hit

    def feed(self, line: bytes) -> Iterable[Event]:
        try:
            record = load_line(line)
        except ValueError:
            self.skipped += 1 if line.strip() else 0
            return ()
        if not isinstance(record, dict) or str(record.get("type")) not in _KNOWN_TYPES:
            self.skipped += 1
            return ()
        return list(self._events(record))

    def reply(self, answered: Sequence[Question], *, refused: bool = False) -> bytes:
        call = answered[0].call
        request = self._requests.pop(call, {})
        if answered[0].decision is Decision.DENY and not refused:
            self._answered.add(str(request.get("tool_use_id")))
        return asking.response(call, request, answered)

    def verdict(self, code: int | None, stderr: str) -> Verdict:
        found = self._judge(code, stderr.strip())
        record = self._written()
        if record and not self._bill.settled:
            self._bill.complete(record)
        return Verdict(
            found.outcome,
            found.reason,
            found.hint,
            found.cause,
            final_message=self._final_message(),
            cli_session=self._session,
            usage=self._bill.total(),
            usage_by_model=self._bill.by_model(),
            denials=tuple(self._denials.values()),
            turns=self._bill.requests,
            answer=self._answer.whole(self._result),
            start_up=self._bill.start_up,
            context=self._bill.context(record),
            until=self._reset(found),
        )

    def _reset(self, found: Judgement) -> float | None:
        stated = self._resets if found.cause is Cause.SESSION_LIMIT else None
        return stated or stated_reset(found.cause, found.reason)

    def _written(self) -> list[Written]:
        if self._config is None or not self._session:
            return []
        return list(written(self._config, self._session))

    def _events(self, record: Mapping[str, Any]) -> Iterator[Event]:
        match record["type"]:
            case "system":
                yield from self._system(record)
            case "assistant":
                yield from self._assistant(record)
            case "user":
                yield from self._tool_results(as_dict(record.get("message")))
            case "result":
                yield from self._ended(record)
            case "control_request":
                call, request = str(record.get("request_id")), as_dict(record.get("request"))
                # A second one of the same name would be let in by the answer to the first.
                fresh = bool(record.get("request_id")) and call not in self._requests
                if fresh and (asked := asking.asked(call, request)):
                    self._requests[call] = request
                    yield Event(EventKind.ASKED, call, asked=asked)
            case "control_cancel_request":
                yield Event(EventKind.NOT_ASKED, str(record.get("request_id")))
            case "rate_limit_event":
                info = as_dict(record.get("rate_limit_info"))
                if info.get("status") == "rejected":
                    self._resets = amount(info.get("resetsAt"))
                yield from _rate_limit(info)

    def _system(self, record: Mapping[str, Any]) -> Iterator[Event]:
        match record.get("subtype"):
            case "init":
                self._cwd = str(record.get("cwd") or "")
                session = str(record.get("session_id") or "")
                if session and session != self._session:
                    self._session = session
                    yield Event(EventKind.STARTED, session)
            case "api_retry":
                yield Event(EventKind.RETRY, _retry(record))
            case "permission_denied":
                identity, name = str(record.get("tool_use_id")), str(record.get("tool_name"))
                yield self._denied(identity, name, str(record.get("message") or ""))
            case "model_fallback":
                yield Event(EventKind.WARNING, "the CLI fell back to another model")

    def _denied(self, identity: str, name: str, why: str) -> Event:
        line = self._lines.get(identity, "")
        self._denials[identity] = f"{name} ({line})" if line else name
        return Event(EventKind.DENIED, f"{name}: {why or line}", failed=True)

    def _assistant(self, record: Mapping[str, Any]) -> Iterator[Event]:
        message = as_dict(record.get("message"))
        blocks = [as_dict(block) for block in as_list(message.get("content"))]
        if message.get("model") == SYNTHETIC:
            if word := record.get("error"):
                self._error = str(word)
                said = " ".join(str(block.get("text", "")) for block in blocks)
                yield Event(EventKind.ERROR, said, failed=True)
            return
        sub = bool(record.get("parent_tool_use_id"))
        fresh = self._bill.count(message, record.get("request_id"), sub=sub)
        turns, usage = (1, self._bill.total()) if fresh else (0, None)
        for block in blocks:
            if event := self._block(block, turns, usage):
                turns, usage = 0, None
                if not sub:
                    self._note(block, event)
                yield event

    def _note(self, block: Mapping[str, Any], event: Event) -> None:
        if event.kind is EventKind.TEXT:
            self._said = event.text
            self._answer.text(event.text)
        elif event.kind is EventKind.TOOL:
            self._answer.call(str(block.get("name")), as_dict(block.get("input")))

    def _block(self, block: Mapping[str, Any], turns: int, usage: Usage | None) -> Event | None:
        match block.get("type"):
            case "text":
                said = str(block.get("text") or "")
                return Event(EventKind.TEXT, said, turns=turns, usage=usage)
            case "thinking":
                thought = str(block.get("thinking") or "")
                return Event(EventKind.THOUGHT, thought, turns=turns, usage=usage)
            case "tool_use":
                name, arguments = str(block.get("name")), as_dict(block.get("input"))
                line = self._lines[str(block.get("id"))] = self._line(name, arguments)
                files = tuple(paths_of(arguments)) if name in WRITERS else ()
                return Event(EventKind.TOOL, line, files, turns=turns, usage=usage)
        return None

    def _line(self, name: str, arguments: Mapping[str, Any]) -> str:
        if name == "Bash":
            return one_line(f"$ {arguments.get('command', '')}")
        verb = (WRITERS | READERS).get(name, name)
        pattern = [str(arguments["pattern"])] if "pattern" in arguments else []
        return one_line(" ".join([verb, *pattern, *map(self._relative, paths_of(arguments))]))

    def _relative(self, path: str) -> str:
        inside = self._cwd and PurePath(path).is_relative_to(self._cwd)
        return str(PurePath(path).relative_to(self._cwd)) if inside else path

    def _tool_results(self, message: Mapping[str, Any]) -> Iterator[Event]:
        for block in map(as_dict, as_list(message.get("content"))):
            if block.get("type") == "tool_result":
                identity, failed = str(block.get("tool_use_id")), block.get("is_error") is True
                withheld = _WITHHELD.search(str(block.get("content"))) if failed else None
                if withheld and withheld[1] in {"Bash", *WRITERS}:
                    yield self._denied(identity, withheld[1], "")
                yield Event(EventKind.TOOL_DONE, self._lines.get(identity, ""), failed=failed)

    def _ended(self, record: Mapping[str, Any]) -> Iterator[Event]:
        self._result = record
        self._session = str(record.get("session_id") or "") or self._session
        for denial in map(as_dict, as_list(record.get("permission_denials"))):
            identity, name = str(denial.get("tool_use_id")), str(denial.get("tool_name"))
            if identity in self._answered:
                continue  # a person's refusal is an answer
            if identity not in self._denials and name != STRUCTURED:  # that was a letter
                self._lines[identity] = self._line(name, as_dict(denial.get("tool_input")))
                yield self._denied(identity, name, "")
        self._bill.settle(record)
        failed, usage = not _done(record), self._bill.total()
        yield Event(EventKind.RESULT, _text(record), failed=failed, usage=usage)

    def _final_message(self) -> str:
        if self._result is not None and _succeeded(self._result):
            return str(self._result.get("result") or self._said)
        return self._said

    def _judge(self, code: int | None, stderr: str) -> Judgement:
        if self._result is None or (code is not None and code < 0):
            return self._no_result(code, stderr)
        if not _done(self._result):
            return self._failure(self._result)
        if self._denials:
            what = "; ".join(self._denials.values())
            reason = f"Claude Code was denied {what}"
            return Judgement(Outcome.BLOCKED, reason, Cause.OTHER, _DENIED_HINT)
        if not self._bill.requests:
            reason = "Claude Code answered without asking its model"
            hint = "a prompt that begins with / may be one of its own commands"
            return Judgement(Outcome.FAILED, reason, Cause.OTHER, hint)
        return Judgement(Outcome.OK)

    def _failure(self, result: Mapping[str, Any]) -> Judgement:
        text = _text(result) or f"Claude Code ended with {result.get('subtype')}"
        if str(result.get("subtype")) in {"error_max_turns", "error_max_budget_usd"}:
            return Judgement(Outcome.STOPPED, text, Cause.LIMIT)
        if str(result.get("terminal_reason")).startswith("aborted"):
            return Judgement(Outcome.STOPPED, "it was interrupted")
        return Judgement(Outcome.FAILED, text, *classify(result, self._error, text))

    def _no_result(self, code: int | None, stderr: str) -> Judgement:
        said = stderr.splitlines()[-1].strip() if stderr else ""
        if code is not None and code > 0 and said and not self._bill.requests:
            return Judgement(Outcome.FAILED, said, *classify({}, self._error, stderr))
        how = "it is lost" if code is None else f"signal {-code}" if code < 0 else f"exit {code}"
        what = "no result event" if self._result is None else "it was ended after its result"
        reason = f"{what} ({how})" + (f": {said}" if said else "")
        return Judgement(Outcome.UNKNOWN, reason, Cause.OTHER)


def _succeeded(result: Mapping[str, Any]) -> bool:
    return result.get("subtype") == "success" and result.get("is_error") is False


def _done(result: Mapping[str, Any]) -> bool:
    """Return whether a process came to its end, however good its answer is."""
    return _succeeded(result) or wrong_shape(result)


def _text(result: Mapping[str, Any]) -> str:
    errors = "; ".join(str(error) for error in as_list(result.get("errors")))
    return str(result.get("result") or errors)


def _retry(record: Mapping[str, Any]) -> str:
    what = " ".join(str(record[key]) for key in ("error_status", "error") if record.get(key))
    return f"{what or 'error'}, attempt {record.get('attempt')} of {record.get('max_retries')}"


def _rate_limit(info: Mapping[str, Any]) -> Iterator[Event]:
    if str(info.get("status", "allowed")) != "allowed":
        window = str(info.get("rateLimitType") or "usage").replace("_", " ")
        yield Event(EventKind.WARNING, f"{window} limit: {info['status']}")
