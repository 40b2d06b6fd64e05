"""Which check looks at what."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from abreast.doctor import (
    context,
    over_delegation,
    side_by_side,
    under_delegation,
)
from abreast.doctor.examined import ExaminedSession, Work
from abreast.model.finding import Evidence
from abreast.model.session import Session

Seen = Iterator[tuple[str, Evidence]]
T = TypeVar("T")

OF_A_SESSION: dict[str, Callable[[ExaminedSession], Iterable[Evidence]]] = {
    "many-children": over_delegation.many_children,
    "below-break-even": over_delegation.below_break_even,
    "growth-by-summaries": over_delegation.growth_by_summaries,
    "child-per-file": over_delegation.child_per_file,
    "read-alone": under_delegation.read_alone,
    "long-summary": under_delegation.long_summary,
    "no-shape": under_delegation.no_shape,
    "summary-again": under_delegation.summary_again,
    "read-again": under_delegation.read_again,
    "past-fill": context.past_fill,
    "corrections": context.corrections,
    "heavy-briefing": context.heavy_briefing,
}

OF_SESSIONS: dict[str, Callable[[Sequence[Work]], Iterable[Evidence]]] = {
    "same-files": side_by_side.same_files,
    "invalidated": side_by_side.invalidated,
}

OF_LANDINGS: dict[str, Callable[[Sequence[Session]], Iterable[Evidence]]] = {
    "merge-conflict": side_by_side.merge_conflicts,
    "bounced-landing": side_by_side.bounced_landings,
}


def examine(checks: Mapping[str, Callable[[T], Iterable[Evidence]]], what: T) -> Seen:
    """Yield what checks see in what they look at, each with the id of its check."""
    return ((name, one) for name, look in checks.items() for one in look(what))
