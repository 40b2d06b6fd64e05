"""Command lines: which of them only look, and what an exit code says about which part."""

import re
import shlex

_LOOKS = frozenset(
    {
        *("cat", "head", "tail", "nl", "less", "more", "bat", "ls", "tree", "stat", "file", "du"),
        *("grep", "egrep", "fgrep", "rg", "ag", "ack", "find", "fd", "which", "type", "diff"),
    }
)
_BESIDE = frozenset({"cd", "pwd", "echo", "printf", "true", "wc", "sort", "uniq", "cut", "tr"})
_GIT_LOOKS = frozenset({"status", "log", "diff", "show", "branch", "grep", "ls-files", "blame"})
_WRITES = re.compile(
    r"(?<![0-9&])>(?!&|\s*/dev/null)|\btee\b|\bfind\b.*-(?:exec|delete)|\bbranch\b.*\s-[a-zA-Z]*[dDmM]"
)
_JOINTS = re.compile(r"&&|\|\||[;|\n]")
_FOLDER = re.compile(r"^cd\s+(?:'[^']*'|\"[^\"]*\"|[^\s;&|]+)\s*&&\s*")


def only_looks(command: str) -> bool:
    """Tell whether a command does nothing but read files, list them or search in them."""
    if _WRITES.search(command) or "$(" in command or "`" in command:
        return False
    names = [_name(part) for part in _JOINTS.split(command) if part.strip()]
    return any(name in _LOOKS for name in names) and all(
        name in _LOOKS or name in _BESIDE for name in names
    )


def _name(part: str) -> str:
    """Return what a simple command runs; `ls` for git where it only looks."""
    try:
        words = shlex.split(part)
    except ValueError:
        return "?"
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words = words[1:]
    name = words[0].rpartition("/")[2] if words else "true"
    if name == "git":
        rest = [word for word in words[1:] if not word.startswith("-")]
        return "ls" if rest and rest[0] in _GIT_LOOKS else "git"
    return name


def own_code(command: str) -> bool:
    """Tell whether the exit code is that of all parts: in `a | b` and `a; b` it is the last one's.

    What is in quotes counts as well, so that at worst too little is claimed.
    """
    return not re.search(r"[;|\n]", command)


def covers(later: str, earlier: str) -> bool:
    """Tell whether `later`, when it passes, shows that `earlier` passes now."""
    wanted, done = _core(earlier), _core(later)
    if wanted.endswith("…"):  # cut: the rest may differ
        return False
    if done == wanted:
        return True
    return own_code(later) and wanted in [part.strip() for part in done.split("&&")]


def _core(command: str) -> str:
    return " ".join(_FOLDER.sub("", command.strip()).split())
