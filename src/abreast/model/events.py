"""What a session's stream says, in words that belong to no vendor."""

from dataclasses import dataclass, field
from enum import StrEnum

from abreast.model.cause import Cause
from abreast.model.question import Question
from abreast.model.usage import Usage


class EventKind(StrEnum):
    STARTED = "started"  # the CLI has named its session; `text` is its id
    TEXT = "text"  # the agent said `text`
    THOUGHT = "thought"
    TOOL = "tool"  # a tool call began: `text` is one short line such as `edit src/a.py`
    TOOL_DONE = "tool_done"  # it ended; `failed` tells how
    ASKED = "asked"  # the CLI waits for a person's answers to what is `asked`
    NOT_ASKED = "not_asked"  # it no longer waits for those to the call `text`
    DENIED = "denied"  # a tool was refused; `text` says which and why
    RETRY = "retry"  # the CLI waits and asks its provider again; `text` says why
    WARNING = "warning"
    ERROR = "error"  # the CLI's own account of a failure; not yet the end
    RESULT = "result"  # the CLI's own last word on this turn


@dataclass(frozen=True)
class Event:
    """One thing that happened in a session.

    `files` are paths a tool call is about to write, as the CLI gave them. `turns` counts the model
    requests this event stands for (0 or 1). `usage`, where given, is all of this process so far.
    What is `asked` has no id, session or attempt yet: the reader of a stream knows none of them.
    """

    kind: EventKind
    text: str = ""
    files: tuple[str, ...] = ()
    failed: bool = False
    turns: int = 0
    usage: Usage | None = None
    asked: tuple[Question, ...] = ()


class Outcome(StrEnum):
    """How an agent process ended, after its stream has been read to the end."""

    OK = "ok"  # its result event says success, and nothing it saw contradicts that
    FAILED = "failed"
    BLOCKED = "blocked"  # denied a tool, or waits for an answer
    STOPPED = "stopped"  # we ended it: a stop request or a limit
    UNKNOWN = "unknown"  # no result event


@dataclass(frozen=True)
class Verdict:
    """An adapter's reading of a whole stream: how it ended, why, and what is left to quote.

    Numbers are those of this process alone, also when it has resumed an earlier session.
    """

    outcome: Outcome
    reason: str = ""
    hint: str | None = None
    cause: Cause = Cause.NONE
    final_message: str = ""
    cli_session: str | None = None
    usage: Usage = field(default_factory=Usage)
    usage_by_model: dict[str, Usage] = field(default_factory=dict)
    denials: tuple[str, ...] = ()
    turns: int = 0
    answer: str = ""  # to a question under a contract: all of it, from the CLI's own channel for it
    start_up: int | None = None  # prompt tokens of this process's first request
    context: int | None = None  # prompt and output tokens of its last request
    until: float | None = None  # when a usage limit resets, as the CLI has said: Unix seconds
    refused: tuple[Question, ...] = ()  # of the denied calls, what a person could still allow
