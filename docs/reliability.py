"""Write `docs/reliability.md` from what tests of faults have noted (`make reliability`)."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

HEAD = """\
# Reliability

`make reliability` runs the tests of faults and writes this page from what they noted; nothing here
is typed by hand. `make test` has a part of them, `make soak` all. A test notes a row behind its
last check, or that one has not held. Only what was run has a row.

What is checked at every moment, also while something is broken
(`tests/support/invariants.py`): all that agents have written, committed and left ignored is there,
found by its content in a ref or in a file; the target is at an old commit, at one of the user's,
or at a state that has passed verify as a merge; the user's edits, untracked files, index,
configuration and hooks are as they left them; what `status` says of who is at work, what is done
and what has landed is so. And at the end, after at most one `resume` for each stroke, or `retry` or
`land` where the hint says so: each task is done once and landed once, by one commit; each agent was
started once for each attempt; git finds no fault in the repository; no process, no lock, no scratch
file and no half-made worktree is left.

A *point* is a place in the code at which a worker is about to change something outside itself: it
starts a process, renames, links or removes a file, runs a git command that writes, or commits a
transaction. Points are found while the worker runs, from the calls that lead to them: new code
brings its own. With *all writes* the files and folders that are only written count as well. Where
the worker dies at every point, it dies at one after another, and another goes on each time.

A *station* is a chosen point, or a command that is at work (setup, a tool of the agent, verify,
verify of a merge). There the worker or the command stands still until the fault has struck; no luck
with time is needed. Each step of the workflows has stations, or a reason why not
(`tests/support/stations.py`); a new step without either fails a test.

| what goes on | what happens | points | rounds | did not hold |
|---|---|--:|--:|--:|
"""

TAIL = """\

A worktree that somebody removes takes along the files in it that are nowhere else; what was
committed there is kept, amended commits and those of submodules too (`tests/git/test_behind.py`).

Tried in other tests, below `tests/`:

- a clock that jumps, either way, and a machine that sleeps: `engine/working/test_clock_jumps.py`
- a database server that is stopped and started: `engine/working/test_server_away.py`
- a database that is lost: `engine/client/test_recovering.py`
- a full disk for the state: `engine/working/test_full_disk.py`
- a state folder or a repository that is read-only: `engine/working/test_read_only.py`
- a reboot: `engine/working/test_reboot.py`
- a signal to the foreground command, which ends only that: `cli/test_running.py`

Not tried: a state folder that becomes read-only while a session is at work.
"""


@dataclass
class Row:
    """All that was noted of one thing that goes on and one fault."""

    points: int = 0
    rounds: int = 0
    violations: int = 0


def main(rows: Path) -> None:
    """Write the page from the rows, one JSON document a line."""
    found: dict[tuple[str, str], Row] = {}
    for line in rows.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        row = found.setdefault((told["what"], told["fault"]), Row())
        row.points = max(row.points, told["points"])
        row.rounds += told["rounds"]
        row.violations += told["violations"]
    lines = [
        f"| {what} | {fault} | {row.points} | {row.rounds} | {row.violations} |\n"
        for (what, fault), row in sorted(found.items())
    ]
    page = Path(__file__).with_suffix(".md")
    _, title, soak = page.read_text("utf-8").partition("\n## Soak\n")  # see soak.py
    page.write_text(HEAD + "".join(lines) + TAIL + title + soak, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
