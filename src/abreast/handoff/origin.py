"""What abreast knows of a session of its own, besides its transcript and its checkout."""

from dataclasses import dataclass

from abreast.model.session import SessionState


@dataclass(frozen=True)
class CheckedCommand:
    """A command of the plan's that was run on a session's result."""

    name: str
    command: str
    passed: bool
    outcome: str  # `exit 0`, or what stopped it
    said: str = ""


@dataclass(frozen=True)
class Origin:
    """What abreast knows of a session of its own: the task, and how it ended.

    `child`: it answers under a contract. `by_hand`: a person's own at a terminal, without a prompt.
    `lost`: it has not ended, and nobody works on it any more.
    """

    id: str
    run: str
    state: SessionState
    reason: str = ""
    hint: str = ""
    produces: str = ""
    prompt: str = ""
    commit: str = ""
    branch: str = ""
    landed: str = ""
    target: str = ""
    attempt: int = 1
    final_message: str = ""
    last_action: str = ""
    checks: tuple[CheckedCommand, ...] = ()
    child: bool = False
    by_hand: bool = False
    lost: bool = False
