"""How states are shown: a mark, the state's word, and a colour."""

from abreast.model.session import LandState, RunState, SessionState
from abreast.model.snapshot import Group

# Marks differ without colour and are one cell wide; the second is for terminals without Unicode.
MARKS = {
    SessionState.QUEUED: ("·", "."),
    SessionState.PREPARING: ("○", "o"),
    SessionState.SETUP: ("○", "o"),
    SessionState.RUNNING: ("●", "*"),
    SessionState.VERIFYING: ("◐", "*"),
    SessionState.COMMITTING: ("◐", "*"),
    SessionState.DONE: ("✓", "+"),
    SessionState.FAILED: ("✗", "x"),
    SessionState.BLOCKED: ("!", "!"),
    SessionState.STOPPED: ("■", "#"),
    SessionState.UNKNOWN: ("?", "?"),
    SessionState.SKIPPED: ("-", "-"),
}

SESSION_STYLES = {
    SessionState.QUEUED: "dim",
    SessionState.PREPARING: "cyan",
    SessionState.SETUP: "cyan",
    SessionState.RUNNING: "blue",
    SessionState.VERIFYING: "cyan",
    SessionState.COMMITTING: "cyan",
    SessionState.DONE: "green",
    SessionState.FAILED: "red",
    SessionState.BLOCKED: "yellow",
    SessionState.STOPPED: "yellow",
    SessionState.UNKNOWN: "yellow",
    SessionState.SKIPPED: "dim",
}

RUN_STYLES = {
    RunState.QUEUED: "dim",
    RunState.OPEN: "blue",
    RunState.RUNNING: "blue",
    RunState.LANDING: "cyan",
    RunState.DONE: "green",
    RunState.FAILED: "red",
    RunState.STOPPED: "yellow",
}

LAND_STYLES = {
    LandState.NONE: "",
    LandState.QUEUED: "dim",
    LandState.LANDED: "green",
    LandState.READY: "yellow",
    LandState.BOUNCED: "red",
    LandState.PROPOSED: "cyan",
    LandState.UNDONE: "yellow",
}

GROUP_STYLES = {
    Group.NEEDS_YOU: "bold yellow",
    Group.FAILED: "bold red",
    Group.WORKING: "bold blue",
    Group.WAITING: "bold",
    Group.TO_LAND: "bold cyan",
    Group.DONE: "bold green",
}

STUCK = frozenset({LandState.READY, LandState.BOUNCED})
EXPLAINED = STUCK | {LandState.UNDONE}
"""Landings of which the session's reason tells."""
