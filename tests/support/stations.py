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


STARTED = r"(?!.* < worker\.main$)"
"""Not before the worker has said who it is: whoever starts it waits for that."""

EVERYWHERE = {"any": rf"^{STARTED}"}

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
    "the target has moved": rf"^rename < fast_forward\._go_on{STARTED}",
    "the landing is to be recorded": r"^commit < .*steps\._record",
}

_RECORDS = "it changes the database alone, where `crash_points` has its points"
_FAILED = "it is taken where abreast itself has failed: test_mishaps.py"
_CHILD = "it is a child's: test_crash_points.py has a delegation"
_OLD = "versions before the shared queue began it"

STEPS: Mapping[str, str | tuple[str, ...]] = {
    "prepare": ("a worktree is half made", "the worktree is made"),
    "set up": ("setup is at work", "setup is done"),
    "agent": (
        "the agent is to be started",
        "the agent is in a tool",
        "the agent's result is there",
    ),
    "check": ("the work is to be kept",),
    "verify": ("verify is at work", "verify is done"),
    "commit": ("the branch is to move to the commit", "the commit is made"),
    "finish": ("the handoff is to be written", "the session has ended"),
    "land next": (
        "the merge is made",
        "the landing's worktree is half made",
        "the merge is being tested",
        "the merge is tested",
        "the checkout is to be locked",
        "the checkout is being moved",
        "the target has moved",
        "the landing is to be recorded",
    ),
    "place child": _CHILD,
    "ask": _CHILD,
    "conclude": _CHILD,
    "admit": _RECORDS,
    "open run": _RECORDS,
    "skip": _RECORDS,
    "stop requested": _RECORDS,
    "close run": _RECORDS,
    "open turn": _RECORDS,
    "close landing": _RECORDS,
    "end session": _FAILED,
    "end run": _FAILED,
    "end landings": _FAILED,
    "to land": _OLD,
    "land": _OLD,
}
"""The steps of the workflows, by name: their stations, or why they have none."""
