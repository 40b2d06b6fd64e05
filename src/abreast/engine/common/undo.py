"""Which session a run takes back: such a run is made by `abreast land --undo`."""

from collections.abc import Sequence

from abreast.model.session import LandState, Run, Session

_SOURCE = "undo of "


def undo_source(session: str) -> str:
    """Return what the plan of a run comes from that takes back what `session` has landed."""
    return f"{_SOURCE}{session}"


def taken_back_by(run: Run, session: Session) -> str:
    """Return the session that `session` of `run` takes back; "" when it takes back none."""
    undoes = session.agent == "command" and session.task.startswith("undo-")
    return run.source.removeprefix(_SOURCE) if undoes and run.source.startswith(_SOURCE) else ""


def is_undone(session: Session) -> str:
    """Return in a sentence that a session was undone, and by what; "" when it was not."""
    return f"{session.id} was {session.reason}" if session.landing is LandState.UNDONE else ""


def undo_command(commits: Sequence[str], *, merge: bool) -> str:
    """Return the shell command that reverts commits, newest first, without a commit of its own."""
    parent = "-m 1 " if merge else ""
    return (
        f"git revert --no-commit {parent}{' '.join(commits)} && git revert --quit"
        " || { echo 'what came later overlaps with it: revert it by hand' >&2; exit 1; }"
    )


def hint_of_undo(target: str, command: str) -> str:
    """Return what to do where `command` (see `undo_command`) has failed: it will again."""
    by_hand = command.partition(" && ")[0].replace(" --no-commit", "")
    return f"{by_hand}, on {target}, and settle there what overlaps"
