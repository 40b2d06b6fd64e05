"""Write `docs/reliability.md` from what tests of faults have noted (`make reliability`)."""

import json
import sys
from pathlib import Path

HEAD = """\
# Reliability

`make reliability` runs the tests of faults and writes this page from what they noted; nothing here
is typed by hand. A test notes a row behind its last check, so a row says that it held. The checks:
each task is done once and landed once, by one commit; each agent ran once for each attempt; edits
and files of the user in the checkout are as they were; git finds no fault in the repository; no
process, no scratch file and no half-made worktree is left.

A *point* is a place in the code at which a worker is about to change something outside itself: it
starts a process, renames, links or removes a file, runs a git command that writes, or commits a
transaction. Points are found while the worker runs, from the calls that lead to them: new code
brings its own. With *all writes* the files and folders that are only written count as well. The
worker dies at one point after another, and another worker goes on each time.

| what goes on | what happens | points | rounds | did not hold |
|---|---|--:|--:|--:|
"""

TAIL = """\

Not tried here, but in other tests: a killed runner or agent, a stopped worker, a database that is
away, damaged or lost, a reboot, a worktree or branch that is removed behind our back, a
checkout that the user works in while it is landed into. Not tried at all: a clock that jumps, a
machine that sleeps, a state folder that becomes read-only in the middle.
"""


def main(rows: Path) -> None:
    """Write the page from the rows, one JSON document a line."""
    lines = []
    for line in rows.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        lines.append(
            f"| {row['what']} | {row['fault']} | {row['points']} | {row['rounds']} | 0 |\n"
        )
    Path(__file__).with_suffix(".md").write_text(HEAD + "".join(sorted(lines)) + TAIL, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
