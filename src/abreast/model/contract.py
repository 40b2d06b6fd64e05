"""Contracts and deliverables: what a delegation must return, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from abreast.model.limits import Limits

LIMIT_TOKENS = 500


class Isolation(StrEnum):
    """Where a child works."""

    CONTEXT = "context"  # in the parent's tree, read-only
    WORKTREE = "worktree"  # in a worktree and on a branch of its own; it may edit


class BriefingChoice(StrEnum):
    """What a child is told beyond its contract."""

    NONE = "none"
    PROJECT = "project"


@dataclass(frozen=True)
class Contract:
    """What a child is asked, and what it must give back.

    `returns` is the name of a preset (`text`, `bullets`, `paths`, `table`, `yes-no`, `findings`) or
    a JSON Schema. `limit_tokens` bounds what the parent gets to read, not what the child may write.
    `budget` bounds the child; 0 means no bound.
    """

    question: str
    scope: tuple[str, ...] = ()
    returns: str | Mapping[str, Any] = "text"
    constraints: tuple[str, ...] = ()
    success: str = ""
    limit_tokens: int = LIMIT_TOKENS
    budget: Limits = field(default_factory=lambda: Limits(minutes=10, idle_minutes=5, turns=30))
    isolation: Isolation = Isolation.CONTEXT
    briefing: BriefingChoice = BriefingChoice.NONE


class DeliveryState(StrEnum):
    """How a delegation ended. Nothing found is `OK`; nothing came back is `UNKNOWN`."""

    OK = "ok"
    REPAIRED = "repaired"  # valid after being asked again
    CUT = "cut"  # valid, and longer than the limit; the rest can be fetched
    PARTIAL = "partial"  # a limit tripped; this is what there is
    BLOCKED = "blocked"  # denied a tool, or it asked something
    FAILED = "failed"
    UNKNOWN = "unknown"
