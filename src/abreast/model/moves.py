"""Moves: what a scripted model does, in words that belong to no vendor.

The `scripted` agent plays them itself; the loopback model server renders them as the tool calls
of the CLI that asks, so that the real CLI does the work. Both start from the same `Scenario`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar

from abreast.errors import PlanError, Problem
from abreast.model.usage import Usage


class Move:
    """One thing that a scripted model does; each kind is a dataclass below."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


@dataclass(frozen=True)
class Say(Move):
    """Say `text`. The last move that says something is the final message."""

    text: str


@dataclass(frozen=True)
class EndTurn(Move):
    """Say `text` and end; a resumed session goes on after it. For the scripted agent only."""

    text: str


@dataclass(frozen=True)
class Write(Move):
    """Create or replace the file at `path` (relative to the worktree)."""

    path: str
    text: str


@dataclass(frozen=True)
class Edit(Move):
    """Replace `old`, which occurs once in the file at `path`, by `new`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Read(Move):
    """Read the file at `path`."""

    path: str


@dataclass(frozen=True)
class Shell(Move):
    """Run `command` in a shell, in the worktree."""

    command: str


@dataclass(frozen=True)
class Sleep(Move):
    """Take `seconds` before the next move."""

    seconds: float


@dataclass(frozen=True)
class Fail(Move):
    """Fail with `message`: the scripted agent exits 1, the loopback server answers 400."""

    message: str


@dataclass(frozen=True)
class HttpError(Move):
    """Answer `status`, the first `times` times that this point is reached (0: always).

    `code` is the vendor-neutral reason where a status has several: `rate`, `quota`, `overloaded`.
    Loopback only.
    """

    status: int
    message: str = "scripted error"
    times: int = 0
    code: str = ""


@dataclass(frozen=True)
class Drop(Move):
    """Close the connection in mid-stream, the first `times` times (0: always). Loopback only."""

    times: int = 0


@dataclass(frozen=True)
class Hang(Move):
    """Accept the request and send nothing for `seconds`. Loopback only."""

    seconds: float = 3600.0


@dataclass(frozen=True)
class Spend(Move):
    """State this usage for the next reply. `input_tokens` includes `cached_tokens`.

    It also includes `written_tokens`, written to the cache, which only Anthropic's dialect states.
    """

    input_tokens: int = 1000
    cached_tokens: int = 0
    output_tokens: int = 50
    written_tokens: int = 0

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens, self.cached_tokens, self.output_tokens, None, "stream")


@dataclass(frozen=True)
class Call(Move):
    """Call the tool named `tool` of that CLI with these arguments.

    `$ID` in them stands for what a result has last named `id="…"`. For tests of what a CLI does
    with one of its own tools (MCP, subagents, unknown names).
    """

    tool: str
    arguments: Mapping[str, Any]


_BY_KEY: dict[str, type[Move]] = {
    "say": Say,
    "end_turn": EndTurn,
    "write": Write,
    "edit": Edit,
    "read": Read,
    "shell": Shell,
    "sleep": Sleep,
    "fail": Fail,
    "http_error": HttpError,
    "drop": Drop,
    "hang": Hang,
    "spend": Spend,
    "call": Call,
}


@dataclass(frozen=True)
class Scenario:
    """A named list of moves. The server plays the scenario whose `match` the prompt contains."""

    name: str
    moves: tuple[Move, ...]
    match: str = ""  # substring of the prompt; empty: the name

    @property
    def key(self) -> str:
        return self.match or self.name


def parse_moves(raw: Sequence[Mapping[str, Any]], where: str = "moves") -> tuple[Move, ...]:
    """Turn `[{write = "a.txt", text = "…"}, {shell = "make"}]` into moves.

    The first key of a table names the move and holds its first field; the other fields follow by
    their names. Raises `PlanError` with one problem for each bad table.
    """
    moves: list[Move] = []
    problems: list[Problem] = []
    for number, table in enumerate(raw, 1):
        try:
            moves.append(_parse_move(table))
        except (KeyError, TypeError, StopIteration) as error:
            known = ", ".join(_BY_KEY)
            problems.append(
                Problem(f"{where}[{number}]", f"is not a move: {error}", f"moves are: {known}")
            )
    if problems:
        raise PlanError(problems)
    return tuple(moves)


def _parse_move(table: Mapping[str, Any]) -> Move:
    key = next(k for k in table if k in _BY_KEY)
    kind = _BY_KEY[key]
    first = fields(kind)[0].name
    rest = {k: v for k, v in table.items() if k != key}
    return kind(**{first: table[key], **rest})


def dump_moves(moves: Sequence[Move]) -> list[dict[str, Any]]:
    """Turn moves into tables that `parse_moves` reads back."""
    keys = {kind: key for key, kind in _BY_KEY.items()}
    tables = []
    for move in moves:
        names = [f.name for f in fields(move)]
        table = {keys[type(move)]: getattr(move, names[0])}
        table |= {name: getattr(move, name) for name in names[1:]}
        tables.append(table)
    return tables
