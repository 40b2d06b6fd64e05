"""What a rollout has copied of another session: before 0.150 a fork's file begins with all of it.

Nothing but the time tells the copies from what the fork itself has asked: they are written at once
when it begins, most of them with the time of that. Sub-agents that know their parent's history
begin with it in the same way; newer versions tell where their own begins.
"""

from typing import Any

_AT_ONCE = 1.0
"""Seconds from a fork's beginning in which it has had no answer yet."""

_NEXT = 0.25
"""Seconds from one copy to the next, at most: a model takes longer to answer."""


class Copy:
    """The copied part of a file, as it is read. `tokens` are those of the requests in it."""

    def __init__(
        self,
        origin: str = "",
        tokens: int = 0,
        until: float = 0.0,
        ended: bool = False,
        own: int = -1,
    ) -> None:
        self.origin, self.tokens = origin, tokens
        self._until, self._ended, self._own = until, ended, own

    @property
    def state(self) -> dict[str, Any]:
        """What it has to remember, as JSON; nothing of a session that is no fork."""
        if not self.origin and not self._until:
            return {}
        told = {"origin": self.origin, "copied": self.tokens} if self.tokens else {}
        return {"copy": [self.origin, self.tokens, self._until, self._ended, self._own], **told}

    def begin(self, at: float, origin: str, own: Any = None) -> None:
        """Tell that the file begins, or repeats how another session, `origin`, began.

        `own` is the ordinal at which its own history begins, where that is told.
        """
        if self._until == 0.0:
            self._until, self._own = at + _AT_ONCE, own if type(own) is int else -1
        self.origin = self.origin or origin

    def goes_on(self, at: float, ordinal: int) -> bool:
        """Return whether what was recorded at this time, in this place, is a copy."""
        if not self.origin or self._ended:
            return False
        if self._own >= 0 <= ordinal:
            return ordinal < self._own
        self._ended = at > self._until
        self._until = max(self._until, at + _NEXT)
        return not self._ended
