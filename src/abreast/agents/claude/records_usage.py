"""Claude Code's own record of a session: where it lies, its terms, and what each request used."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from abreast.agents.recorded import (
    amount,
    as_dict,
    as_list,
    as_text,
    count,
    load_record,
    record_lines,
    seconds,
)
from abreast.model.text import one_line
from abreast.model.transcript import FAST, Aside, Spent
from abreast.process.folders import matching

# The CLI's own messages (API errors, "no response requested") carry this model.
SYNTHETIC = "<synthetic>"
WRITERS = {"Write": "write", "Edit": "edit", "MultiEdit": "edit", "NotebookEdit": "edit"}
READERS = {"Read": "read", "Glob": "glob", "Grep": "grep"}

_RECORD = b'{"parentUuid":'
_PLAIN = re.compile(r"[\w-]{1,200}(?: [\w-]{1,200})?", re.ASCII).fullmatch  # as all names are


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the CLI's own folder."""
    return Path(environ.get("CLAUDE_CONFIG_DIR") or Path(environ.get("HOME", "/")) / ".claude")


Written = tuple[str, Mapping[str, Any]]
"""A message that is on record, and its name (see `reply_name`)."""


def written(config: Path, session: str, *kinds: str) -> Iterator[Written]:
    """Yield the messages of `session` under the CLI's folder `config`, by default its replies.

    A reply is written once for each of its parts, each time with its final usage.
    """
    wanted = kinds or ("assistant",)
    found = (
        matching(config / "projects", f"*/{session}.jsonl") if re.match(r"[\w-]+$", session) else ()
    )
    for path in found:
        for line in record_lines(path, []):
            record = load(line)[0] or {}
            message = record.get("message")
            if record.get("type") in wanted and isinstance(message, dict):
                yield reply_name(message, record.get("requestId")), message


def reply_name(message: Mapping[str, Any], request: Any) -> str:
    """Return the id of a reply, and behind a space that of its request, if it is told.

    Gateways use the former more than once. "" when there is neither.
    """
    plain = message.get("id")
    plain = plain if isinstance(plain, str) else ""
    name = f"{plain} {request}" if isinstance(request, str) and request else plain
    if _PLAIN(name):
        return name
    return f"{one_line(plain).replace(' ', '_')} {one_line(as_text(request))}".strip()


def load(line: bytes) -> tuple[dict[str, Any] | None, bool]:
    """Return the record on a line, None when there is none, and whether the line is whole."""
    return load_record(line, _RECORD)


def paths_of(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths among the arguments of one of the CLI's own tools."""
    for key in ("file_path", "notebook_path", "path"):
        if isinstance(arguments.get(key), str):
            yield arguments[key]


def prompt_tokens(usage: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the whole prompt's tokens, those read from the cache, and those written to it."""
    read = tokens(usage.get("cache_read_input_tokens"))
    stored = tokens(usage.get("cache_creation_input_tokens"))
    return tokens(usage.get("input_tokens")) + read + stored, read, stored


def advised(usage: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield model and usage of each request that the provider made to an advisor meanwhile.

    The top level of `usage` leaves them out (Anthropic's documentation of the advisor tool).
    """
    for one in map(as_dict, as_list(usage.get("iterations"))):
        if one.get("type") == "advisor_message" and as_text(one.get("model")):
            yield one["model"], one


def tokens(value: Any) -> int:
    """Return a count as the CLI states it; what is no count is 0."""
    return count(value) or 0


def model_name(name: str) -> str:
    """Return the model's name without the mark of its context window: `claude-opus-4-8[1m]`."""
    return re.sub(r"\[\w+\]$", "", name)


MARKS: tuple[bytes, ...] = (b'"usage"', rb"\u00", b"modelUsage")
"""A line without any of these carries no usage: the name of a key may also be written by escapes.

In a text the quotes would be escaped.
"""


_LONG = 4000  # bytes from which on it pays to look at a line's kind first
_KIND = re.compile(
    rb'\{(?:(?!"type":)"\w+":(?:"[^"\\]*"|null|true|false|\d+),){0,20}"type":"([\w-]+)",'
)
_SPACED = re.compile(
    rb'\{(?:(?!"type":)"\w+": (?:"[^"\\]*"|null|true|false|\d+), ){0,20}"type": "([\w-]+)",'
)
_KEY = len(b'{"parentUuid":')  # with which nearly all lines begin
_SPENDING = frozenset({b"assistant", b"cost-state"})
_TYPED = b'{"type":"'


def carries(line: bytes) -> bool:
    """Return whether a line may carry usage, however it is spelled.

    What a tool has returned is not looked at: long lines tell their kind first.
    """
    if len(line) > _LONG:
        kind = (_SPACED if line.startswith(b" ", _KEY) else _KIND).match(line)
        if kind is not None:
            return kind[1] in _SPENDING
    if b'"usage"' in line:
        return True
    if line.startswith(_TYPED):
        name = line[len(_TYPED) : line.find(b'"', len(_TYPED))]
        return name in _SPENDING or b"\\" in name
    return rb"\u00" in line or b"modelUsage" in line


class Spending:
    """Reads the usage out of one file's lines that have a mark, and nothing else.

    A reply is recorded once for each of its parts, each time with the same ids and usage; a fork
    repeats the replies it starts from with their ids. Subagents have files of their own.

    `state` is all that it has to remember, as JSON: `counted`, by model, are the tokens of prompts,
    those cached and written, and of output that the CLI last said the session has used, with its
    subagents and with requests that are on no record; `cost` what that came to in US dollars.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.skipped = 0
        self.state: dict[str, Any] | None = dict(state) if state else None
        self._lost = 0
        # Here: every supervisor imports this module.
        from abreast.agents.claude.records_replies import load_reply

        self._load_reply = load_reply
        self._named = ("", "")  # the last reply and its request, as they are called
        self._id = ""

    @property
    def warnings(self) -> list[str]:
        """What may be wrong with the total."""
        return ["lines with usage could not be read"] if self._lost else []

    def feed(self, line: bytes) -> Iterable[Spent]:
        """Return what a line says was spent. Never raises."""
        if (plain := self._plain(line)) is not None:
            return (plain,)
        record, whole = load(line)
        self._lost += not whole and line.endswith(b"\n") and MARKS[0] in line
        if record is None:
            return ()
        if record.get("type") == "cost-state":
            self.state = _counted(record)
            return ()
        return spent(record)

    def _plain(self, line: bytes) -> Spent | None:
        """Return what `spent` does of a reply, as nearly all are; the rest is not parsed."""
        reply = self._load_reply(line)
        if reply is None or reply.cost is not None:
            return None
        message = reply.message
        usage, model = message.usage, message.model
        if model == SYNTHETIC or (usage.iterations and usage.advised):
            return None
        named = (message.id, reply.request)
        if named != self._named:
            name = " ".join(named)
            if not (named[1] and _PLAIN(name)):
                return None
            self._named, self._id = named, name
        read, stored = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
        return Spent(
            seconds(reply.timestamp),
            self._id,
            _short_name(model) + (FAST if usage.speed == "fast" else ""),
            usage.input_tokens + read + stored,
            read,
            usage.output_tokens,
            stored,
        )


def _counted(record: Mapping[str, Any]) -> dict[str, Any]:
    used = as_dict(record.get("modelUsage"))
    counted: dict[str, list[int]] = {}
    for name, one in used.items():
        told = as_dict(one)
        read, stored = (
            tokens(told.get("cacheReadInputTokens")),
            tokens(told.get("cacheCreationInputTokens")),
        )
        sums = counted.setdefault(_short_name(name), [0] * 4)
        prompt = tokens(told.get("inputTokens")) + read + stored
        found = (prompt, read, stored, tokens(told.get("outputTokens")))
        sums[:] = [a + b for a, b in zip(sums, found, strict=True)]
    known = record.get("hasUnknownModelCost") is False
    return {"counted": counted, "cost": amount(record.get("totalCostUSD")) if known else None}


def spent(record: Mapping[str, Any]) -> tuple[Spent, ...]:
    """Return what the request cost whose reply this is; nothing when it is the reply of no model.

    What the provider has asked another model meanwhile, an advisor, comes before it: the usage of
    the reply leaves that out, and lists it.
    """
    message = record.get("message")
    if record.get("type") != "assistant" or not isinstance(message, dict):
        return ()
    usage, model = message.get("usage"), as_text(message.get("model"))
    if not isinstance(usage, dict) or model == SYNTHETIC:
        return ()
    prompt, read, stored = prompt_tokens(usage)
    cost = record.get("costUSD")  # by versions before 1.1
    own = Spent(
        at=seconds(record.get("timestamp")),
        id=_identity(record, message),
        model=_short_name(model) + (FAST if usage.get("speed") == "fast" else ""),
        input_tokens=prompt,
        cached_tokens=read,
        output_tokens=tokens(usage.get("output_tokens")),
        written_tokens=stored,
        cost_usd=None if cost is None else amount(cost),
    )
    return (*_aside(usage, own), own) if usage.get("iterations") else (own,)


def _aside(usage: Mapping[str, Any], own: Spent) -> Iterator[Spent]:
    """Yield the requests to an advisor that a reply's usage lists; each has a name of its own."""
    name, _, request = own.id.partition(" ")
    for number, (model, told) in enumerate(advised(usage)):
        prompt, read, stored = prompt_tokens(told)
        yield Aside(
            at=own.at,
            id=f"{name}/advisor-{number} {request}",
            model=_short_name(model),
            input_tokens=prompt,
            cached_tokens=read,
            output_tokens=tokens(told.get("output_tokens")),
            written_tokens=stored,
        )


@lru_cache(256)
def _short_name(model: str) -> str:
    return one_line(model_name(model))


def _identity(record: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    """Return the provider's id, or one that a copy of the record in another file has as well."""
    if name := reply_name(message, record.get("requestId")):
        return name
    if as_text(record.get("uuid")):
        return one_line(as_text(record.get("uuid")))
    import hashlib  # here: every supervisor imports this module, and OpenSSL takes a while

    usage = as_dict(message.get("usage"))
    said = prompt_tokens(usage), tokens(usage.get("output_tokens"))
    seen = repr((as_text(record.get("timestamp")), as_text(message.get("model")), said))
    return hashlib.sha256(seen.encode(errors="replace")).hexdigest()[:32]
