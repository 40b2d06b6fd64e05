"""A place for everything a benchmark makes: on memory if possible, gone at the end."""

import contextlib
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_FOREIGN = ("GIT_", "XDG_", "ABREAST_", "ANTHROPIC_", "CLAUDE", "CODEX", "OPENAI_", "GEMINI_")
_UNCOMPILED = "PYTHONDONTWRITEBYTECODE"  # every start would compile its libraries again
_GITCONFIG = "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"


@contextlib.contextmanager
def ground() -> Iterator[Path]:
    """Yield an empty folder, below $TMPDIR or else on a tmpfs, with HOME and git's settings in it.

    The environment of this process is changed accordingly: nothing of the user's is read.
    """
    memory = Path("/dev/shm")
    usable = "TMPDIR" not in os.environ and os.access(memory, os.W_OK)
    folder = Path(tempfile.mkdtemp(prefix="abreast-bench-", dir=memory if usable else None))
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(_GITCONFIG)
    for name in [name for name in os.environ if name.startswith((*_FOREIGN, _UNCOMPILED))]:
        del os.environ[name]
    os.environ |= {
        "HOME": str(home),
        "TMPDIR": str(folder),
        "XDG_STATE_HOME": str(home / "state"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    tempfile.tempdir = None  # it had been worked out from the old environment
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def git(where: Path, *args: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(["git", *args], cwd=where, input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def make_repository(path: Path, files: int) -> Path:
    """Make a repository of about `files` files of 0.3 to 12 kB, packed as a fresh clone is."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    git(path, "fast-import", "--quiet", stdin=_history(files))
    git(path, "reset", "-q", "--hard")
    return path


def _history(files: int) -> bytes:
    chance = random.Random(files)
    words = [bytes(chance.choices(b"etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(4000)]
    text = b" ".join(chance.choices(words, k=200_000)).replace(b" e", b"\n")
    parts = [b"commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\n"]
    parts.append(b"data 5\nstart\n")
    parts.append(_file(".gitignore", b".claude-wt/worktrees\nbuild/\n"))
    for number in range(files - 1):
        size = min(12_000, int(chance.lognormvariate(8.2, 1.0)) + 300)
        begin = chance.randrange(len(text) - size)
        name = f"src/part{number // 400}/unit{number // 20 % 20}/file{number}.txt"
        parts.append(_file(name, b"%d\n" % number + text[begin : begin + size] + b"\n"))
    return b"".join(parts)


def _file(name: str, content: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content)


def reset_repository(repo: Path) -> None:
    """Take away every worktree's metadata and every branch but main; the folders go by themselves.

    Worktrees that abreast made are locked, which `git worktree prune` heeds.
    """
    shutil.rmtree(repo / ".git/worktrees", ignore_errors=True)
    names = git(repo, "for-each-ref", "--format=%(refname)").split()
    gone = [name for name in names if name not in {"refs/heads/main", "refs/remotes/origin/main"}]
    git(repo, "update-ref", "--stdin", stdin="".join(f"delete {n}\n" for n in gone).encode())
