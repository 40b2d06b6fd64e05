"""Why sessions may not start now: what the schedule was told by those that it asks."""

import time
from dataclasses import dataclass
from enum import StrEnum


class HoldKind(StrEnum):
    """What keeps a session from starting, although it is its turn."""

    QUOTA = "quota"  # its agent's usage limit is reached
    OUTAGE = "outage"  # its agent's provider did not answer
    BILLING = "billing"  # its agent has no credit
    AUTH = "auth"  # its agent is not logged in
    CANARY = "canary"  # the first session of its agent has not had a reply yet
    MEMORY = "memory"
    LIMIT = "limit"  # of the run or of the day
    DISK = "disk"  # runs low


@dataclass(frozen=True)
class Hold:
    """Why a session does not start now.

    `why` is for a line that begins with "waits:". `until` is when it is tried again (Unix seconds),
    `since` when it began; None and 0 where that is not known. `hint` says what a person can do.
    With `ends` only a person can: what waits for it ends as blocked.
    """

    kind: HoldKind
    why: str
    until: float | None = None
    since: float = 0.0
    hint: str = ""
    ends: bool = False

    @property
    def words(self) -> str:
        """What is waited for, and when it goes on, in this machine's time zone."""
        if self.until is None:
            return f"waits: {self.why}"
        return f"waits: {self.why}, goes on at {clock_time(self.until, self.since)}"


def clock_time(at: float, since: float) -> str:
    """Return a point in time as people write it: with its day when it is not soon after `since`."""
    soon = 0 <= at - since < _SOON
    return time.strftime("%H:%M" if soon else "%b %d, %H:%M", time.localtime(at))


_SOON = 20 * 3600.0  # seconds: a time of day means that of today or of tomorrow morning
