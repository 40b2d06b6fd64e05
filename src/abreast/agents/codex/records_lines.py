"""The records of a rollout: what they have in common, and what their texts hold."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from abreast.agents import recorded
from abreast.agents.recorded import load_json, seconds
from abreast.model.transcript import ToolKind

ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
"""How the name of a rollout ends; newer versions compress those that are done with."""

BEGINNING = b'{"timestamp":'  # of a record; inside a text the quotes would be escaped
_HEAD = re.compile(r"Chunk ID|Wall time|Exit code|Process |Script ")
_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)
_PATCHED = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """One line. `torn`: something unreadable stood before it on that line.

    `ordinal` is its place in the session's history, -1 in older versions.
    """

    at: float
    kind: str
    payload: Mapping[str, Any]
    ordinal: int = -1
    torn: bool = False


def load_record(line: bytes) -> RolloutLine | None:
    """Return the record on a line, or None: torn, or no record. Raises nothing.

    A process that was killed in the middle of a line leaves it open, and the next one of the same
    session goes on behind it.
    """
    value, whole = recorded.load_record(line, BEGINNING)
    if value is None:
        return None
    kind, payload = value.get("type"), value.get("payload")
    if not isinstance(kind, str) or not isinstance(payload, dict):
        return None
    ordinal = value.get("ordinal")
    return RolloutLine(
        seconds(value.get("timestamp")),
        kind,
        payload,
        ordinal if type(ordinal) is int else -1,
        not whole,
    )


def load_text(text: Any) -> dict[str, Any]:
    """Return the JSON object in a text, such as a call's arguments; {} when there is none."""
    value = load_json(text.encode(errors="replace")) if isinstance(text, str) else None
    return value if isinstance(value, dict) else {}


def output_text(output: Any) -> str:
    """Return what a tool returned as text; a list has parts, some of them pictures."""
    if isinstance(output, list):
        return "\n".join(map(output_text, output))
    if isinstance(output, Mapping):
        output = output.get("text", output.get("content"))
        return output_text(output) if isinstance(output, list) else str(output or "")
    return str(output or "")


def exit_code(output: str) -> int | None:
    """Return the exit code that stands above a command's output, if it has ended."""
    if output.startswith('{"output":'):  # before 0.80 or so
        metadata = load_text(output).get("metadata")
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
        return code if type(code) is int else None
    ended = _EXIT.search(output.partition("\nOutput:")[0])
    return int(ended[1]) if ended else None


def printed(output: str) -> str:
    """Return what a command printed, without what Codex writes above it."""
    head, mark, text = output.partition("\nOutput:\n")
    return text if mark and _HEAD.match(head) else output


def patched_files(patch: str) -> tuple[str, ...]:
    """Return the files that a patch names, as it names them."""
    return tuple(dict.fromkeys(_PATCHED.findall(patch)))


_SEPARATORS = set("|&;()")
_READERS = {"cat", "head", "tail", "nl", "less", "more", "bat", "sed", "tac", "strings", "xxd"}
_SEARCHERS = {"rg", "grep", "egrep", "fgrep", "ag", "find", "fd", "ls", "tree", "ack"}
_GIT_SEARCHES = {"grep", "ls-files"}
_QUIET = {"cd", "pwd", "echo", "printf", "true", "wc", "sort", "uniq", "cut", "tr", "awk", "column"}
_FILTERED = {"head", "tail", "sed", "less", "more", "nl", "cat"}  # of a pipe, without a file
_LOOKS = _READERS | _SEARCHERS | _QUIET | {"git"}
_FIRST = re.compile(r"\s*(?:[\w.-]*/)*([\w.-]+)(?:\s|\Z)")
_TAKES = {"-n", "-c", "-e", "-m", "-A", "-B", "-C", "-g", "-t"}  # options with a value of their own
_WRITES = re.compile(
    r"(?<![0-9&])>(?!&|\s*/dev/null)|\btee\b|\bsed\s[^|;&]*-i|\bfind\b.*-(?:exec|delete)"
)
_LONGEST = 4000  # characters; what is longer writes a file or is a program of its own


def sort_command(command: str) -> tuple[ToolKind, tuple[str, ...]]:
    """Return what a command is for and the files that it names, as far as that is plain.

    It reads or searches when all its parts do nothing else; whatever is in doubt is a command.
    """
    if "*** Begin Patch" in command:
        return ToolKind.WRITE, patched_files(command)
    first = _FIRST.match(command)
    if first and first[1] not in _LOOKS:  # as most are: the lexer is slow
        return ToolKind.SHELL, ()
    if len(command) > _LONGEST or "`" in command or "$(" in command or _WRITES.search(command):
        return ToolKind.SHELL, ()
    kinds: set[ToolKind] = set()
    paths: list[str] = []
    for words in _parts(command):
        kind, named = _sort(words)
        if kind is ToolKind.SHELL:
            return kind, ()
        if kind is not None:
            kinds.add(kind)
            paths += named
    if not kinds:
        return ToolKind.SHELL, ()
    kind = ToolKind.READ if ToolKind.READ in kinds else ToolKind.SEARCH
    return kind, tuple(dict.fromkeys(paths)) if kind is ToolKind.READ else ()


def command_of(given: object) -> str:
    """Return the command line of a call: a text, or words of which a shell takes the last."""
    if isinstance(given, str):
        return given
    words = [str(word) for word in given] if isinstance(given, list) else []
    if len(words) == 3 and words[1] in {"-lc", "-c", "-ic", "-lic"}:
        return words[2]
    return shlex.join(words)


def _parts(command: str) -> Iterator[list[str]]:
    """Yield the simple commands of a command line; what no shell takes is a part itself.

    One at a time: the lexer is slow, and most commands are known by their first part.
    """
    lexer = shlex.shlex(command.replace("\n", ";"), posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    part: list[str] = []
    try:
        for word in lexer:
            if not word or set(word) - _SEPARATORS:
                part.append(word)
            elif part:
                yield part
                part = []
    except ValueError:  # a quotation without an end
        part = ["?"]
    if part:
        yield part


def _sort(words: Sequence[str]) -> tuple[ToolKind | None, list[str]]:
    """Return what a simple command is for (None: nothing that counts) and its files."""
    name, rest = words[0].rpartition("/")[2], list(words[1:])
    if (name == "git" and rest and rest[0] in _GIT_SEARCHES) or name in _SEARCHERS:
        return ToolKind.SEARCH, []
    if name in _READERS:
        files = _files(name, rest)
        if files:
            return ToolKind.READ, files
        return (None if name in _FILTERED else ToolKind.SHELL), []
    return (None if name in _QUIET else ToolKind.SHELL), []


def _files(name: str, words: Sequence[str]) -> list[str]:
    """Return the arguments that are files: no options, no redirections, no script of sed."""
    found: list[str] = []
    skip = False
    scripted = name == "sed" and not {"-e", "-f", "--expression", "--file"} & set(words)
    for word in words:
        if skip:
            skip = False
        elif word in {">", "<", "2", "1", ">&", "&>", "<<", "<<<"}:
            skip = word not in {"1", "2"}
        elif word in _TAKES and not (name == "sed" and word == "-n") and name != "cat":
            skip = True
        elif not word.startswith("-") or word == "--":
            found += [word] if word != "--" else []
    return found[1:] if scripted else found


# What a rollout has copied of another session: before 0.150 a fork's file begins with all of it.
#
# Nothing but the time tells the copies from what the fork itself has asked: they are written at
# once when it begins, most of them with the time of that. Sub-agents that know their parent's
# history begin with it in the same way; newer versions tell where their own begins.

_AT_ONCE = 1.0
"""Seconds from a fork's beginning in which it has had no answer yet."""

_NEXT = 0.25
"""Seconds from one copy to the next, at most: a model takes longer to answer."""


class Copy:
    """The copied part of a file, as it is read. `tokens` are those of the requests in it."""

    def __init__(
        self,
        origin: str = "",
        tokens: int = 0,
        until: float = 0.0,
        ended: bool = False,
        own: int = -1,
    ) -> None:
        self.origin, self.tokens = origin, tokens
        self._until, self._ended, self._own = until, ended, own

    @property
    def state(self) -> dict[str, Any]:
        """What it has to remember, as JSON; nothing of a session that is no fork."""
        if not self.origin and not self._until:
            return {}
        told = {"origin": self.origin, "copied": self.tokens} if self.tokens else {}
        return {"copy": [self.origin, self.tokens, self._until, self._ended, self._own], **told}

    def begin(self, at: float, origin: str, own: Any = None) -> None:
        """Note that the file begins, or repeats how another session, `origin`, began.

        `own` is the ordinal at which its own history begins, where that is told.
        """
        if self._until == 0.0:
            self._until, self._own = at + _AT_ONCE, own if type(own) is int else -1
        self.origin = self.origin or origin

    def goes_on(self, at: float, ordinal: int) -> bool:
        """Return whether what was recorded at this time, in this place, is a copy."""
        if not self.origin or self._ended:
            return False
        if self._own >= 0 <= ordinal:
            return ordinal < self._own
        self._ended = at > self._until
        self._until = max(self._until, at + _NEXT)
        return not self._ended
