"""The stations of a session and its landing, by name: where a fault strikes.

Each is the pattern of a point's name (see `crash_points`), just before that is done, or a command
that stands still. Together they have every step of the workflows that does something outside the
database; `tests/engine/working/test_fault_matrix.py` holds them against the steps.
"""

from collections.abc import Mapping

from tests.support.crashing import command_station


def _checkpoint(workflow: str, number: int) -> str:
    """The end of a step: it is done, and not yet known to be."""
    return rf"record_step_result < {workflow} {number}$"


SETUP, TOOL, VERIFY, TRIAL = map(command_station, ("setup", "tool", "verify", "trial"))

STATIONS: Mapping[str, str] = {
    "a worktree is half made": r"^git read-tree .* making\._make .* preparing\.prepare",
    "the worktree is made": _checkpoint("session", 1),
    "setup is at work": SETUP,
    "setup is done": _checkpoint("session", 2),
    "the agent is to be started": r"^rename < agent\.order_of",
    "the agent is in a tool": TOOL,
    "the agent's result is there": r"^commit < context\.update < agent\.record",
    "the work is to be kept": r"^git update-ref .* commit\.anchor .* result\._kept_candidate",
    "verify is at work": VERIFY,
    "verify is done": _checkpoint("session", 5),
    "the branch is to move to the commit": r"^git update-ref .* commit\.seal",
    "the commit is made": _checkpoint("session", 6),
    "the handoff is to be written": r"^rename < write < final\.leave",
    "the session has ended": _checkpoint("session", 7),
    "the merge is made": r"^rename < batch\._member",
    "the landing's worktree is half made": r"^git read-tree .* making\._make .* trial\.scratch",
    "the merge is being tested": TRIAL,
    "the merge is tested": r"^remove < trial\.drop_note",
    "the checkout is to be locked": r"^link < ff_journal\.put < fast_forward\._lock_index",
    "the checkout is being moved": r"^link < ff_journal\.put < ff_journal\.carry_out",
    "the target has moved": r"^rename < fast_forward\._go_on",
    "the landing is to be recorded": r"^commit < .*steps\._record",
}
