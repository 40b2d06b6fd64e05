"""One pass over a file that Claude Code wrote: what happened, line by line."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from abreast.agents.claude.records_calls import TodoList, called, notified, returned, text_of
from abreast.agents.claude.records_usage import MARKS, SYNTHETIC, load, spent, tokens
from abreast.agents.recorded import (
    as_dict,
    as_list,
    as_text,
    cut,
    load_record,
    record_lines,
    seconds,
)
from abreast.model.text import one_line
from abreast.model.transcript import (
    Begun,
    Broken,
    Compacted,
    Said,
    Spent,
    TranscriptEvent,
)

_KNOWN = frozenset(
    {
        *("user", "assistant", "system", "attachment", "queue-operation", "last-prompt", "mode"),
        *("api-request", "api-request-blob", "api-request-shape", "tools-used", "cost-state"),
        *("atis-latch", "summary", "file-history-snapshot", "progress", "custom-title"),
        *("ai-title", "agent-name", "permission-mode", "worktree-state", "pr-link"),
    }
)
_SIGNS = (*MARKS, b'"role":"assistant"')
_AGENT = re.compile(r"agent-([\w-]{1,200})")
_SESSION = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Up to the next beginning: where no end comes, each would be looked for to the end of the text.
_REMINDER = re.compile(
    r"<system-reminder>(?:(?!<system-reminder>).)*?</system-reminder>", re.DOTALL
)
_COMMAND = re.compile(r"<command-(name|args)>((?:(?!<command-).)*?)</command-\1>", re.DOTALL)
_ASIDE = ("<local-command-", "<bash-", "<task-notification>", "<command-message>")
_FRONT, _BACK = 500, 1000  # bytes
_META = 100  # lines of what is said about a subagent
_LONGEST = 2**20  # bytes of one of them
_INTERRUPTED = "[Request interrupted by user"


def introduces(line: bytes, told: Begun) -> bool:
    """Return whether a line may say otherwise than `told` what the session was taken from.

    In the middle of a long line is what was said; the CLI tells such things before and behind it,
    and on every line.
    """
    if len(line) > _FRONT + _BACK:
        line = line[:_FRONT] + line[-_BACK:]
    if b"requestSessionId" in line or rb"\u00" in line:
        return True
    known = b'"forkedFrom":{"sessionId":"%s"' % told.forked_from.encode(errors="replace")
    return b'"forkedFrom"' in line and known not in line


class Events:
    """Turns the lines of one file into events; never raises, whatever the lines are.

    `skipped` counts the lines that were not understood. `counted` is what the CLI last stated that
    the session has used, subagents included: prompt and output tokens. `begun` is the latest of
    its kind: a session that turns out to be a fork is introduced once more.
    """

    def __init__(self, path: Path) -> None:
        self.session, self.parent = identity(path)
        self._subagent = _AGENT.fullmatch(path.stem) is not None
        if self.parent:  # or a subagent of that session's
            self.parent = one_line(as_text(said_of(path).get("parentAgentId"))) or self.parent
        self._named = self._subagent or _SESSION.fullmatch(path.stem) is not None
        self.skipped = 0
        self.counted = (0, 0)
        self.begun: Begun | None = None
        self._plan = TodoList()
        self._lost = 0
        self._resent = 0
        self._open = ""  # the id of the latest reply, while only its start was recorded
        self._cut_off = 0

    @property
    def warnings(self) -> list[str]:
        """What may be wrong with the totals, as far as the lines have told."""
        cut_off = self._cut_off + bool(self._open)
        found = (
            (self._lost, "replies could not be read, whose usage is missing"),
            (cut_off, "replies were cut off: their output may be larger than recorded"),
            (
                self._resent,
                "requests broke off and were sent again: what they used is not recorded",
            ),
        )
        return [f"{number} {what}" for number, what in found if number]

    def feed(self, line: bytes) -> Iterable[TranscriptEvent]:
        record, whole = load(line)
        if not whole and line.strip():
            self.skipped += 1
            # The last line of a file that is being written is torn, and read again later.
            self._lost += line.endswith(b"\n") and any(sign in line for sign in _SIGNS)
        if record is None:
            self.skipped += whole
            return ()
        if as_text(record.get("type")) not in _KNOWN:
            self.skipped += 1
            return ()
        return list(self._events(record, seconds(record.get("timestamp"))))

    def _events(self, record: Mapping[str, Any], at: float) -> Iterator[TranscriptEvent]:
        yield from self._begin(record, at)
        match record["type"]:
            case "user":
                yield from self._user(record, at)
            case "assistant":
                yield from self._assistant(record, at)
            case "system":
                yield from self._system(record, at)
            case "attachment":
                yield from _attached(as_dict(record.get("attachment")), at)
            case "cost-state":
                self.counted = _counted(record)

    def _begin(self, record: Mapping[str, Any], at: float) -> Iterator[Begun]:
        """Yield how the session begins, and once more when it turns out to be a fork."""
        known = self.begun
        if known is None:
            self._name(as_text(record.get("sessionId")))
        fork = as_text(record.get("requestSessionId")) or as_text(
            as_dict(record.get("forkedFrom")).get("sessionId")
        )
        fork = "" if fork == self.session or self._subagent else one_line(fork)
        first = known is None and bool(as_text(record.get("cwd")))
        if not first and (known is None or not fork or fork == known.forked_from):
            return
        self.begun = Begun(
            at=known.at if known else at,
            session=self.session,
            cwd=known.cwd if known else cut(as_text(record.get("cwd"))),
            branch=known.branch if known else one_line(as_text(record.get("gitBranch"))),
            version=known.version if known else one_line(as_text(record.get("version"))),
            parent=self.parent,
            forked_from=fork,
        )
        yield self.begun

    def _name(self, stated: str) -> None:
        """Take what the name of the file does not tell: it is a copy, or of an older version."""
        if not self._named and stated:
            self.session = one_line(stated)
        elif self._subagent and not self.parent:
            self.parent = one_line(stated)

    def _user(self, record: Mapping[str, Any], at: float) -> Iterator[TranscriptEvent]:
        message = as_dict(record.get("message"))
        content, result = message.get("content"), record.get("toolUseResult")
        blocks = [as_dict(block) for block in as_list(content)]
        results = [block for block in blocks if block.get("type") == "tool_result"]
        if len(results) != 1:
            result = None  # it is told of which only where there is one
        for block in results:
            yield returned(at, block, result)
        if planned := self._plan.result(at, result):
            yield planned
        if record.get("isMeta") is True or record.get("isCompactSummary") is True:
            return
        if self._aside(record):
            return
        if text := text_of(content).strip():
            yield from _said(text, at)

    def _aside(self, record: Mapping[str, Any]) -> bool:
        """Return whether a subagent recorded inside its parent wrote this, as before 2.0."""
        return record.get("isSidechain") is True and not self._subagent

    def _assistant(self, record: Mapping[str, Any], at: float) -> Iterator[TranscriptEvent]:
        message = as_dict(record.get("message"))
        if message.get("model") == SYNTHETIC:
            if record.get("isApiErrorMessage") is True:
                yield Broken(at, one_line(text_of(message.get("content")), 500))
            return
        if costs := spent(record):
            self._note(costs[-1], message)
            yield from costs
        else:
            self._lost += 1
        for block in [] if self._aside(record) else map(as_dict, as_list(message.get("content"))):
            if block.get("type") == "text" and as_text(block.get("text")).strip():
                yield Said(at, by_user=False, text=cut(block["text"]))
            elif block.get("type") == "tool_use":
                yield called(at, block)

    def _note(self, cost: Spent, message: Mapping[str, Any]) -> None:
        if self._open and cost.id != self._open:
            self._cut_off += 1
        self._open = "" if message.get("stop_reason") else cost.id

    def _system(self, record: Mapping[str, Any], at: float) -> Iterator[TranscriptEvent]:
        if record.get("subtype") == "compact_boundary":
            yield Compacted(at)
        elif record.get("subtype") == "api_error" and record.get("source") == "connection_retry":
            self._resent += 1


def said_of(agent: Path) -> Mapping[str, Any]:
    """Return what the CLI says about a subagent beside its transcript, {} when it is nothing."""
    lines = islice(record_lines(agent.with_suffix(".meta.json"), [], _LONGEST), _META)
    return load_record(b"".join(lines))[0] or {}


def identity(path: Path) -> tuple[str, str]:
    """Return the session that a file is the record of, and that whose subagent it is.

    By their names: what a record says of itself may be copied from another session.
    """
    agent = _AGENT.fullmatch(path.stem)
    if agent is None:
        return one_line(path.stem), ""
    above = (folder.parent.name for folder in path.parents if folder.name == "subagents")
    return agent[1], one_line(next(above, ""))


def _said(text: str, at: float) -> Iterator[TranscriptEvent]:
    if text.startswith(_INTERRUPTED):
        yield Broken(at, "interrupted by the user")
    elif handed_back := notified(at, text):
        yield handed_back
    elif text.startswith("<command-"):
        parts = dict(_COMMAND.findall(text))
        if said := " ".join(filter(None, (parts.get("name"), parts.get("args")))).strip():
            yield Said(at, by_user=True, text=cut(said))
    elif not text.startswith(_ASIDE) and (left := _REMINDER.sub("", text).strip()):
        yield Said(at, by_user=True, text=cut(left))


def _attached(attachment: Mapping[str, Any], at: float) -> Iterator[TranscriptEvent]:
    kind = attachment.get("type")
    if kind == "max_turns_reached":
        yield Broken(at, f"its limit of {tokens(attachment.get('maxTurns'))} turns")
    elif kind == "queued_command" and attachment.get("isMeta") is not True:
        # What is said while the agent works; a message of its own when it has ended its turn.
        yield from _said(text_of(attachment.get("prompt")).strip(), at)


def _counted(record: Mapping[str, Any]) -> tuple[int, int]:
    models = [as_dict(one) for one in as_dict(record.get("modelUsage")).values()]
    prompts = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    prompt = sum(tokens(one.get(key)) for one in models for key in prompts)
    return prompt, sum(tokens(one.get("outputTokens")) for one in models)
