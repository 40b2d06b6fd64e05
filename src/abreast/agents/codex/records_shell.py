"""What a shell command is for: Codex has no tools to read or search, it uses `cat` and `rg`."""

import re
import shlex
from collections.abc import Iterator, Sequence

from abreast.agents.codex.records_lines import patched_files
from abreast.model.transcript import ToolKind

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
