"""The queue of an agent: whether more of its sessions may start, on this machine."""

from dataclasses import dataclass
from enum import StrEnum

from abreast.model.cause import Cause


class QueueState(StrEnum):
    OPEN = "open"
    PARKED = "parked"  # until a point in time; then one session tries whether it goes on
    STOPPED = "stopped"  # until a person has logged in or paid, and asks to go on


@dataclass(frozen=True)
class AgentQueue:
    """How the queue of one agent stands.

    `cause`, `reason` and `hint` are those of the session that was sent away. `until` is when it
    goes on (Unix seconds), `stated` whether the agent's CLI has said so, `tries` how often in a row
    it was not so. `probe` names the run of which one session tries it.
    """

    agent: str
    state: QueueState = QueueState.OPEN
    cause: Cause = Cause.NONE
    reason: str = ""
    hint: str = ""
    since: float = 0.0
    until: float | None = None
    stated: bool = False
    tries: int = 0
    session: str = ""
    probe: str = ""
