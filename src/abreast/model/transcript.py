"""A CLI's own record of a session, in words that belong to no vendor.

An adapter turns a transcript file, line by line, into events; whoever wants a whole session folds
them into a `Transcript`. Texts are cut to a bounded length on the way in: `size` tells what they
were. Times are Unix seconds, 0.0 where the record has none.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class ToolKind(StrEnum):
    """What a tool call is for, whatever the CLI calls the tool."""

    READ = "read"  # a file, or part of one
    SEARCH = "search"  # files or their contents, by pattern; a folder's listing
    WRITE = "write"  # a file made, replaced or edited
    SHELL = "shell"
    DELEGATE = "delegate"  # a subagent of the vendor's, or abreast's own tool
    PLAN = "plan"  # a todo list or plan kept by the agent
    ASK = "ask"  # a question to the user, or a plan that the user is to approve
    OTHER = "other"


FAST = "-fast"
"""How the name of a model ends in a request that was to be answered faster, at a higher price."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The session as its record introduces it. `parent` is the session whose subagent it is."""

    at: float
    session: str
    cwd: str = ""
    branch: str = ""
    version: str = ""
    parent: str = ""
    forked_from: str = ""


class Spent(NamedTuple):
    """One model request. `input_tokens` is the whole prompt, `cached_tokens` the part of it read
    from the provider's cache, `written_tokens` the part written to it; `output_tokens` includes
    reasoning. `id` is the provider's own: a record that repeats it counts once, the last one. Where
    an answer and the request for it have ids of their own, it is both, divided by a space.
    """

    at: float
    id: str
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    written_tokens: int = 0
    cost_usd: float | None = None

    @property
    def aside(self) -> bool:
        """Whether the provider made it for another request: it is no part of the conversation."""
        return isinstance(self, Aside)

    @property
    def context(self) -> int:
        """Tokens in the model's context when it had answered."""
        return self.input_tokens + self.output_tokens


class Aside(Spent):
    """A request that is no part of the conversation."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody said something: the user (or whoever prompts in their place), or the agent."""

    at: float
    by_user: bool
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call. `subject` is one line: the command, the path, the pattern, the question.

    `paths` are those it names, as the CLI gave them. `child` is the session of the subagent that
    it started, once that is known.
    """

    at: float
    id: str
    kind: ToolKind
    name: str
    subject: str = ""
    paths: tuple[str, ...] = ()
    child: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a tool call returned. `code` is a command's exit code, `size` the text's length.

    `refused`: the CLI, a rule or a person did not let it begin.
    """

    at: float
    id: str
    failed: bool = False
    code: int | None = None
    size: int = 0
    text: str = ""
    child: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """The agent's plan as it then stood: each item with whether it is done."""

    at: float
    items: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Compacted:
    """The CLI replaced the history by a summary."""

    at: float


@dataclass(frozen=True, slots=True)
class Broken:
    """The turn ended otherwise than by the agent: an error, an interruption, a limit."""

    at: float
    reason: str


TranscriptEvent = Begun | Spent | Said | Called | Returned | Planned | Compacted | Broken


@dataclass(frozen=True)
class Transcript:
    """A whole session, with its subagents. `events` are in the order of the record.

    `skipped` counts records that were not understood, `warnings` say where a total may be wrong.
    """

    agent: str
    path: str
    session: str
    events: tuple[TranscriptEvent, ...] = ()
    children: tuple["Transcript", ...] = ()
    parent: str = ""
    cwd: str = ""
    branch: str = ""
    version: str = ""
    begun: float = 0.0
    last: float = 0.0
    skipped: int = 0
    warnings: tuple[str, ...] = field(default=())
