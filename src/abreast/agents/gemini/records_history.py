"""The conversation of a Gemini CLI transcript as the CLI would go on with it (0.61.0)."""

from collections.abc import Mapping
from enum import Enum

from abreast.agents.gemini.records_shape import (
    Kind,
    Record,
    identity,
    is_header,
    is_rewind,
    kind,
    listed,
)

SILENT = (Kind.CONTEXT, Kind.ASIDE)
"""Messages in which nobody says anything."""


class Effect(Enum):
    """What a record did to the conversation, beyond adding to it."""

    NONE = "none"
    TAKEN_BACK = "taken back"  # the last messages are gone: their request failed, or was cancelled
    COMPACTED = "compacted"  # a summary took the place of messages
    RESTARTED = "restarted"  # another process writes the same file


class History:
    """The messages that count, by id and in order, each as its kind."""

    def __init__(self) -> None:
        self.kept: dict[str, Kind] = {}
        self._fresh = False  # the last record of the messages was a header

    @property
    def last(self) -> tuple[str, Kind]:
        """The last message that is part of the conversation."""
        told = ((name, of) for name, of in reversed(self.kept.items()) if of not in SILENT)
        return next(told, ("", Kind.ASIDE))

    def apply(self, record: Record) -> Effect:
        if name := identity(record):
            self._fresh = False
            self.kept[name] = kind(record)
        elif is_rewind(record):
            self._rewind(record["$rewindTo"])
        elif is_header(record):
            turn = Effect.RESTARTED if self.kept else Effect.NONE
            self._replace(record)
            self._fresh = True
            return turn
        else:
            return self._replace(record)
        return Effect.NONE

    def _replace(self, record: Record) -> Effect:
        among = listed(record)
        if among is None:
            return Effect.NONE
        before, self.kept = self.kept, {identity(one): kind(one) for one in among}
        # A new process lists its own first message, and only then those it resumes.
        fresh, self._fresh = self._fresh, False
        return Effect.NONE if fresh else _turn(before, self.kept)

    def _rewind(self, name: str) -> None:
        """As the CLI does it, an unknown message takes all of them with it."""
        names = list(self.kept)
        left = names[: names.index(name)] if name in self.kept else []
        self.kept = {one: self.kept[one] for one in left}


def _turn(before: Mapping[str, Kind], now: Mapping[str, Kind]) -> Effect:
    if all(name in now for name in before):
        return Effect.NONE
    if list(now) == list(before)[: len(now)]:
        return Effect.TAKEN_BACK
    # What tools returned gets new ids by a mere resume.
    gone, come = _spoken(before) - _spoken(now), _spoken(now) - _spoken(before)
    return Effect.COMPACTED if gone and come else Effect.NONE


def _spoken(messages: Mapping[str, Kind]) -> set[str]:
    return {name for name, of in messages.items() if of not in {*SILENT, Kind.RESULTS}}
