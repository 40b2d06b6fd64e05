"""Command lines: which of them only look, and what an exit code says about which part."""

import re
import shlex
from functools import lru_cache

_LOOKS = frozenset(
    {
        *("cat", "head", "tail", "nl", "less", "more", "bat", "ls", "tree", "stat", "file", "du"),
        *("grep", "egrep", "fgrep", "rg", "ag", "ack", "find", "fd", "which", "type", "diff"),
    }
)
_BESIDE = frozenset({"cd", "pwd", "echo", "printf", "true", "wc", "sort", "uniq", "cut", "tr"})
_GIT_LOOKS = frozenset({"status", "log", "diff", "show", "branch", "grep", "ls-files", "blame"})
# What only asks: that it fails is an answer, and nobody goes on with a task by making it pass.
_ASKS = frozenset(
    {
        *("test", "[", "[[", "exit", "false", "command", "whereis", "man", "date", "id"),
        *("kill", "pkill", "killall", "ps", "lsof", "sleep", "wait", "cmp"),
        *("curl", "wget", "ping", "nc", "jq", "sed", "awk"),
    }
)
_GIT_ASKS = frozenset({"rev-parse", "merge-base", "check-ignore", "ls-remote", "cat-file"})
_INLINE = re.compile(r"(?:python|node|ruby|perl|php|bun|deno)[\d.]*")
_SCRIPT = re.compile(r"(?:\w+=\S*\s+)*\S+(?:\s+-(?!m\b)[\w=-]+)*\s+(?:-[cep]\b|-(?=\s|$)|<<)")
_DOCUMENT = re.compile(
    r"<<-?\s*(['\"]?)(\w+)\1.*?(?:^[^\S\n]*\2[^\S\n]*$|\Z)", re.DOTALL | re.MULTILINE
)
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*(?:\"|\Z)", re.DOTALL)
# Without the name of a file they run all there is.
_SUITES = frozenset({"pytest", "jest", "vitest", "rspec", "phpunit", "tox"})
_STARTED = re.compile(
    r"^(?:\w+=\S*\s+|(?:uv|poetry|pdm|pipenv|hatch) run\s+|npx\s+|bundle exec\s+"
    r"|\S*python[\d.]* -m\s+)+|^\S*/bin/"
)
_LOUDNESS = re.compile(
    r"\s(?:-[qvsx]+|-r\w+|--quiet|--verbose|--exitfirst|--no-header|--(?:tb|color|maxfail)[= ]\w+"
    r"|-p no:\w+)(?=\s|$)"
)
_WRITES = re.compile(
    r"(?<![0-9&])>(?!&|\s*/dev/null)|\btee\b|\bfind\b.*-(?:exec|delete)|\bbranch\b.*\s-[a-zA-Z]*[dDmM]"
)
_LONGEST = 4000  # characters; what is longer is a program of its own, and shlex is slow
_JOINTS = re.compile(r"&&|\|\||[;|\n]")
_FOLDER = re.compile(r"^cd\s+(?:'[^']*'|\"[^\"]*\"|[^\s;&|]+)\s*&&\s*")


def only_looks(command: str) -> bool:
    """Return whether a command does nothing but read files, list them or search in them."""
    if len(command) > _LONGEST or "$(" in command or "`" in command or _WRITES.search(command):
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
    """Return whether the exit code covers all parts: in `a | b` and `a; b` it is the last one's.

    What is in quotes counts as well, so that at worst too little is claimed.
    """
    return not re.search(r"[;|\n]", command)


def only_asks(command: str) -> bool:
    """Return whether a command only asks something: an inline script, a request, a test for a file.

    Its failure is an answer, whereas the failure of a check is work to be done.
    """
    if len(command) > _LONGEST:
        return False
    bare = _QUOTED.sub("''", _DOCUMENT.sub("<<", command))
    parts = [part.strip() for part in _JOINTS.split(bare) if part.strip()]
    return all(map(_asks, parts))


def _asks(part: str) -> bool:
    name = _name(part)
    if name == "git":
        return any(word in _GIT_ASKS for word in part.split())
    if _INLINE.fullmatch(name):
        return bool(_SCRIPT.match(part))
    return name in _LOOKS or name in _BESIDE or name in _ASKS


def covers(later: str, earlier: str) -> bool:
    """Return whether `later`, when it passes, shows that `earlier` passes now."""
    wanted, done = _core(earlier), _core(later)
    if wanted.endswith("…"):  # cut: the rest may differ
        return False
    return done == wanted or (own_code(later) and wanted in done.split(" && "))


def overtakes(later: str, earlier: str) -> bool:
    """Return whether `later`, when it passes, makes it unnecessary to continue with `earlier`.

    It is the same, started in another way, or the whole suite of which `earlier` is a part.
    """
    if not own_code(later):
        return False
    wanted = _STARTED.sub("", _core(earlier)).split()
    for part in _core(later).split(" && "):
        done = _STARTED.sub("", part).split()
        if done == wanted or (done and done[0] in _SUITES and done == wanted[: len(done)]):
            return True
    return False


@lru_cache(maxsize=1024)
def _core(command: str) -> str:
    """Return what a command runs, wherever it is started and however much it is to say."""
    whole = _FOLDER.sub("", command.strip()).removesuffix(" 2>&1")
    return " && ".join(map(_quiet, whole.split("&&")))


def _quiet(part: str) -> str:
    folded = " ".join(part.split())
    for _ in range(2 if "pytest" in folded else 0):  # neighbours share the space between them
        folded = _LOUDNESS.sub("", folded)
    return folded
