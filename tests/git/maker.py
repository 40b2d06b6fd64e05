"""Ensure worktrees in processes of their own: `python -m tests.git.maker REPO LOCK`.

Each line of standard input is a spec as JSON; a process is forked for it (so that a kill hits the
work, not the imports) and its pid printed. A line `wait PID` prints that process's exit code.
"""

import json
import os
import sys
from pathlib import Path

# Loaded here, once: ensure_worktree would do it in each process.
import filelock  # noqa: F401

from abreast.git.making import ensure_worktree
from abreast.git.repository import find_repository
from abreast.git.worktree import WorktreeSpec


def main() -> None:
    repo, lock = sys.argv[1:]
    for line in sys.stdin:
        if line.startswith("wait "):
            answer = os.waitstatus_to_exitcode(os.waitpid(int(line[5:]), 0)[1])
        else:
            answer = os.fork() or make(Path(repo), Path(lock), json.loads(line))
        print(answer, flush=True)  # noqa: T201


def make(repo: Path, lock: Path, values: dict[str, str]) -> int:
    code = 1
    try:
        wanted = WorktreeSpec(Path(values.pop("path")), **values)
        ensure_worktree(find_repository(repo), wanted, lock=lock)
        code = 0
    finally:
        if code:
            sys.excepthook(*sys.exc_info())
        os._exit(code)


if __name__ == "__main__":
    main()
